"""What a unit of work writes, in a few statements, however many events there were."""

from __future__ import annotations

from sqlalchemy import update

from chassis.store.batch import insert_all, insert_or_skip, upsert
from chassis.store.session import Session
from people_kernel.store.people import save_cards, save_placements, save_receipts
from services.lifecycle.domain.sales import Opportunity, SalesVerdict
from services.lifecycle.domain.workspace import CurrentStage, LifecycleWorkspace
from services.lifecycle.store.rows import clock_row, current_stage_row, move_row, opportunity_row, verdict_row
from services.lifecycle.store.tables import CARD, CLOCK, CURRENT_STAGE, FRAGMENT, MOVE, OPPORTUNITY, RECEIPT, VERDICT


async def workspace(session: Session, done: LifecycleWorkspace) -> None:
    """What changed, and what was decided."""
    await save_placements(session, FRAGMENT, done.changed_placements())
    await save_cards(session, CARD, done.cards.changed.values())
    await upsert(session, CURRENT_STAGE, [current_stage_row(current) for current in done.stages.changed.values()])
    await insert_all(session, MOVE, [move_row(move) for move in done.new_moves])
    await upsert(session, CLOCK, [clock_row(clock) for clock in done.clocks.changed.values()])
    await save_receipts(session, RECEIPT, done.receipts)


async def verdict(session: Session, given: SalesVerdict, current: CurrentStage) -> None:
    """A verdict, with where the person stands after it."""
    await insert_all(session, VERDICT, [verdict_row(given, current)])


async def new_deal(session: Session, deal: Opportunity) -> bool:
    """False if somebody else brought in the same external id in the meantime."""
    keys = ("opportunity_id",) if deal.external_id is None else ("external_id",)
    return bool(await insert_or_skip(session, OPPORTUNITY, [opportunity_row(deal)], keys=keys))


async def changed_deal(session: Session, deal: Opportunity) -> None:
    """Overwrites what may change."""
    row = opportunity_row(deal)
    del row["opportunity_id"]
    await session.execute(update(OPPORTUNITY).where(OPPORTUNITY.c.opportunity_id == deal.opportunity_id).values(**row))
