"""Campaigns, costs and rates, as people told them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, or_, select

from chassis.store.batch import insert_or_skip, upsert
from chassis.store.session import Session
from chassis.store.statements import Row
from services.metrics.domain.campaigns import Campaign, Channel, Match, Purpose
from services.metrics.domain.money import Rates
from services.metrics.store.tables import CAMPAIGN, COST, RATE


async def load_campaigns(session: Session) -> list[Campaign]:
    """All of them, the oldest first."""
    rows = await session.execute(select(CAMPAIGN).order_by(CAMPAIGN.c.created_at, CAMPAIGN.c.campaign_id))
    return [_campaign_of(row) for row in rows]


async def load_campaign(session: Session, campaign_id: str) -> Campaign | None:
    row = (await session.execute(select(CAMPAIGN).where(CAMPAIGN.c.campaign_id == campaign_id))).first()
    return None if row is None else _campaign_of(row)


async def find_campaign(session: Session, external_id: str) -> Campaign | None:
    row = (await session.execute(select(CAMPAIGN).where(CAMPAIGN.c.external_id == external_id))).first()
    return None if row is None else _campaign_of(row)


async def campaigns_page(session: Session, channel: str | None, after: str | None, limit: int) -> list[Campaign]:
    """Campaigns in the order of their ids: the oldest first."""
    statement = select(CAMPAIGN).order_by(CAMPAIGN.c.campaign_id).limit(limit)
    if channel is not None:
        statement = statement.where(CAMPAIGN.c.channel == channel)
    if after is not None:
        statement = statement.where(CAMPAIGN.c.campaign_id > after)
    return [_campaign_of(row) for row in await session.execute(statement)]


async def save_campaign(session: Session, campaign: Campaign) -> None:
    """Writes it, new or known."""
    row = {**asdict(campaign), "channel": campaign.channel.value, "purpose": campaign.purpose.value}
    await upsert(session, CAMPAIGN, [{**row, "matches": [_given(match) for match in campaign.matches]}])


async def add_cost(session: Session, row: dict[str, Any]) -> bool:
    """False when there is one with its external id, or its id, already."""
    keys = ["cost_id"] if row["external_id"] is None else ["external_id"]
    return bool(await insert_or_skip(session, COST, [row], keys=keys))


async def find_cost(session: Session, cost_id: str, external_id: str | None) -> Row:
    """The cost that `add_cost` found there."""
    condition = COST.c.cost_id == cost_id if external_id is None else COST.c.external_id == external_id
    return (await session.execute(select(COST).where(condition))).one()


async def costs_page(session: Session, campaign_id: str | None, after: tuple[date, str] | None, limit: int) -> Sequence[Row]:
    """Costs, the latest day first."""
    statement = select(COST).order_by(COST.c.incurred_on.desc(), COST.c.cost_id.desc()).limit(limit)
    if campaign_id is not None:
        statement = statement.where(COST.c.campaign_id == campaign_id)
    if after is not None:
        day, cost_id = after
        statement = statement.where(or_(COST.c.incurred_on < day, and_(COST.c.incurred_on == day, COST.c.cost_id < cost_id)))
    return await session.execute(statement)


async def set_rate(session: Session, currency: str, starts_on: date, rate: Decimal, by: tuple[str, datetime]) -> None:
    """From that day on a unit of `currency` is worth `rate`; what was said of the same day before is replaced."""
    row = {"currency": currency, "starts_on": starts_on, "rate": rate, "set_by": by[0], "set_at": by[1]}
    await upsert(session, RATE, [row])


async def rate_rows(session: Session, currency: str | None) -> Sequence[Row]:
    """What was told, by currency, the latest first."""
    statement = select(RATE).order_by(RATE.c.currency, RATE.c.starts_on.desc())
    return await session.execute(statement if currency is None else statement.where(RATE.c.currency == currency))


async def load_rates(session: Session, currency: str) -> Rates:
    """Rates into the reporting currency."""
    rows = await session.execute(select(RATE.c.currency, RATE.c.starts_on, RATE.c.rate))
    return Rates(currency, [(row.currency, row.starts_on, row.rate) for row in rows])


def _given(match: Match) -> dict[str, str]:
    return {part: value for part, value in asdict(match).items() if value is not None}


def _campaign_of(row: Row) -> Campaign:
    values = row._asdict()
    return Campaign(
        **{
            **values,
            "channel": Channel(row.channel),
            "purpose": Purpose(row.purpose),
            "matches": tuple(Match(**match) for match in row.matches),
        }
    )
