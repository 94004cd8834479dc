"""Reads for the view of a person, and how far the streams were heard."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from chassis.store.membership import one_of
from chassis.store.session import Session
from services.metrics.domain.asking import Attribution
from services.metrics.store.present import WON, among, credits_of_people, deals
from services.metrics.store.tables import CAMPAIGN, HEARD


async def load_heard(session: Session) -> dict[str, datetime]:
    """Owner -> the time of the latest event heard of it."""
    rows = await session.execute(select(HEARD.c.owner, func.max(HEARD.c.latest_at).label("latest_at")).group_by(HEARD.c.owner))
    return {row.owner: row.latest_at for row in rows}


async def load_credits(session: Session, person_ids: Collection[str], attribution: Attribution) -> dict[str, Any]:
    """Person -> (campaign_id, name, occurred_us) of the touch credited with them."""
    credit = credits_of_people(attribution, among(session, person_ids))
    joined = credit.join(CAMPAIGN, CAMPAIGN.c.campaign_id == credit.c.campaign_id)
    rows = await session.execute(select(credit.c.person_id, credit.c.campaign_id, CAMPAIGN.c.name, credit.c.occurred_us).select_from(joined))
    return {row.person_id: row for row in rows}


async def load_wins(session: Session, person_ids: Collection[str]) -> Sequence[Any]:
    """Opportunities of these people that were won and have an amount."""
    bargains = deals(among(session, person_ids))
    mine = one_of(bargains.c.person_id, person_ids)  # type: ignore[arg-type]
    columns = (bargains.c.person_id, bargains.c.amount_e4, bargains.c.currency, bargains.c.occurred_us)
    return await session.execute(select(*columns).where(mine, bargains.c.step == WON, bargains.c.amount_e4.is_not(None)))
