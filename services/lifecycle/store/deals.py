"""Opportunities, one at a time."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import func, select, update

from chassis.store.batch import insert_or_skip
from chassis.store.membership import one_of
from chassis.store.session import Session
from people_kernel.store.receipts import Place, earlier
from services.lifecycle.domain.opportunities import OPEN, Opportunity
from services.lifecycle.store.encoding import opportunity_of, opportunity_row
from services.lifecycle.store.tables import OPPORTUNITY


class Wanted(NamedTuple):
    """Which opportunities to list: of these fragments (None: everybody's), in this state, of tests too, after this place, so many."""

    fragment_ids: Collection[str] | None
    status: str | None
    include_test: bool
    before: Place | None
    limit: int


async def add_deal(session: Session, deal: Opportunity) -> bool:
    """False if somebody else brought in the same external id in the meantime."""
    keys = ("opportunity_id",) if deal.external_id is None else ("external_id",)
    return bool(await insert_or_skip(session, OPPORTUNITY, [opportunity_row(deal)], keys=keys))


async def change_deal(session: Session, deal: Opportunity) -> None:
    """Overwrites what may change."""
    row = opportunity_row(deal)
    del row["opportunity_id"]
    await session.execute(update(OPPORTUNITY).where(OPPORTUNITY.c.opportunity_id == deal.opportunity_id).values(**row))


async def find_deal(session: Session, opportunity_id: str) -> Opportunity | None:
    """One by our id."""
    row = (await session.execute(select(OPPORTUNITY).where(OPPORTUNITY.c.opportunity_id == opportunity_id))).first()
    return None if row is None else opportunity_of(row)


async def find_external(session: Session, external_id: str) -> Opportunity | None:
    """One by the id that another system gave it."""
    row = (await session.execute(select(OPPORTUNITY).where(OPPORTUNITY.c.external_id == external_id))).first()
    return None if row is None else opportunity_of(row)


async def count_open(session: Session, fragment_ids: Collection[str]) -> int:
    """How many deals are open for whoever owns these fragments."""
    statement = select(func.count()).where(one_of(OPPORTUNITY.c.fragment_id, fragment_ids), OPPORTUNITY.c.status == OPEN)
    return int(await session.scalar(statement) or 0)


async def list_deals(session: Session, wanted: Wanted) -> list[Opportunity]:
    """The newest first."""
    statement = select(OPPORTUNITY)
    if wanted.fragment_ids is not None:
        statement = statement.where(one_of(OPPORTUNITY.c.fragment_id, wanted.fragment_ids))
    if wanted.status is not None:
        statement = statement.where(OPPORTUNITY.c.status == wanted.status)
    if not wanted.include_test:
        statement = statement.where(OPPORTUNITY.c.is_test.is_(False))
    if wanted.before is not None:
        statement = statement.where(earlier(OPPORTUNITY.c.created_at, OPPORTUNITY.c.opportunity_id, wanted.before))
    ordered = statement.order_by(OPPORTUNITY.c.created_at.desc(), OPPORTUNITY.c.opportunity_id.desc())
    return [opportunity_of(row) for row in await session.execute(ordered.limit(wanted.limit))]
