"""What was spent, and what came of it, by campaign."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import FromClause, Select, and_, case, func, literal, or_, select

from chassis.store.session import Session
from services.metrics.domain.asking import Ask, Period
from services.metrics.domain.stages import MILESTONES, Process
from services.metrics.store.present import (
    LOST,
    WON,
    Scope,
    credits_of_deals,
    credits_of_people,
    deals,
    in_period,
    is_asked_for,
    matched_touches,
    movers,
    owned,
    test_people,
    when,
)
from services.metrics.store.sums import part_sums
from services.metrics.store.tables import CAMPAIGN, COST, DEAL, FRAGMENT, STAGE, TAG, TOUCH, TREATMENT


async def load_names(session: Session, ask: Ask) -> Sequence[Any]:
    """(campaign_id, name, channel) of those asked for, the oldest first."""
    statement = select(CAMPAIGN.c.campaign_id, CAMPAIGN.c.name, CAMPAIGN.c.channel).where(is_asked_for(ask))
    return await session.execute(statement.order_by(CAMPAIGN.c.campaign_id))


async def load_costs(session: Session, period: Period) -> Sequence[Any]:
    """Sums by campaign, currency and day."""
    statement = select(COST.c.campaign_id, COST.c.currency, COST.c.incurred_on, *part_sums(COST.c.amount_e4))
    if period.first_day is not None:
        statement = statement.where(COST.c.incurred_on >= period.first_day)
    if period.end_day is not None:
        statement = statement.where(COST.c.incurred_on < period.end_day)
    return await session.execute(statement.group_by(COST.c.campaign_id, COST.c.currency, COST.c.incurred_on))


async def count_touched(session: Session, ask: Ask) -> tuple[dict[str | None, int], int]:
    """Campaign -> people it touched in the period; and how many people in all."""
    seen = Scope(test_people()).of(matched_touches()).where(in_period(when(TOUCH, ask), ask)).distinct().subquery("seen")
    pairs = select(seen.c.person_id, TAG.c.campaign_id).join(TAG, TAG.c.tag_id == seen.c.tag_id).distinct().cte("pairs")
    asked = select(CAMPAIGN.c.campaign_id).where(is_asked_for(ask))
    everybody = select(literal(None), func.count(pairs.c.person_id.distinct())).where(pairs.c.campaign_id.in_(asked))
    counts = {row.campaign_id: row.n for row in await session.execute(_by_campaign(pairs).union_all(everybody))}
    return counts, counts.pop(None)


async def count_milestones(session: Session, ask: Ask, process: Process) -> Sequence[Any]:
    """Per credited campaign (None: no campaign): people who came as far as a milestone for the first time in the period."""
    at_us, names = when(STAGE, ask), list(MILESTONES)
    firsts = []
    for name in names:
        far_enough = process.line[process.rank(MILESTONES[name]) :]
        firsts.append(func.min(case((STAGE.c.stage.in_(far_enough), at_us))).label(name))
    concerned = movers(ask)
    moves = Scope(test_people(), concerned=concerned).of(owned(STAGE, *firsts)).where(~STAGE.c.is_correction, STAGE.c.stage.in_(process.line))
    people = moves.group_by(FRAGMENT.c.person_id).subquery("people")
    credit = credits_of_people(ask.attribution, None if concerned is None else FRAGMENT.c.person_id.in_(select(concerned.c.person_id)))
    counts = [func.count(case((in_period(people.c[name], ask), people.c[name]))).label(name) for name in names]
    joined = people.join(credit, credit.c.person_id == people.c.person_id, isouter=True)
    return await session.execute(select(credit.c.campaign_id, *counts).select_from(joined).group_by(credit.c.campaign_id))


async def load_deals(session: Session, ask: Ask) -> Sequence[Any]:
    """Opportunities that were opened or closed in the period, each with the campaign credited with it."""
    tests, bargains = test_people(), deals(told_of=_told_of(ask))
    credit = credits_of_deals(ask.attribution, bargains)
    opened_us, told_us = (
        (bargains.c.opened_us, bargains.c.occurred_us) if ask.by.value == "occurred" else (bargains.c.opened_told_us, bargains.c.told_us)
    )
    was_opened = in_period(opened_us, ask)
    was_closed = and_(bargains.c.step.in_((WON, LOST)), in_period(told_us, ask))
    statement = (
        select(
            credit.c.campaign_id,
            bargains.c.opportunity_id,
            bargains.c.step,
            bargains.c.amount_e4,
            bargains.c.currency,
            bargains.c.occurred_us,
            case((was_opened, 1), else_=0).label("was_opened"),
            case((was_closed, 1), else_=0).label("was_closed"),
        )
        .select_from(bargains.join(credit, credit.c.opportunity_id == bargains.c.opportunity_id, isouter=True))
        .where(or_(was_opened, was_closed), bargains.c.person_id.not_in(select(tests.c.person_id)))
        .order_by(bargains.c.opportunity_id)
    )
    return await session.execute(statement)


def _told_of(ask: Ask) -> Select[Any] | None:
    """The opportunities of which anything was told in the period: no others were opened or closed in it. None where the period is all time."""
    if ask.period.start_us is None and ask.period.end_us is None:
        return None
    return select(DEAL.c.opportunity_id).where(in_period(when(DEAL, ask), ask))


async def count_treatments(session: Session, ask: Ask) -> dict[str | None, int]:
    """Campaign -> treatments that carry it and were chosen in the period."""
    chosen_ones = (
        Scope(test_people()).of(owned(TREATMENT, TREATMENT.c.campaign_id)).where(in_period(when(TREATMENT, ask), ask)).subquery("chosen_ones")
    )
    named = _by_campaign(chosen_ones).where(chosen_ones.c.campaign_id.is_not(None))
    return {row.campaign_id: row.n for row in await session.execute(named)}


def _by_campaign(rows: FromClause) -> Select[Any]:
    return select(rows.c.campaign_id, func.count().label("n")).group_by(rows.c.campaign_id)
