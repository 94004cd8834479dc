"""Reads for the API."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from chassis.store.batch import one_of, rows_by
from chassis.store.session import Session
from contracts.values import Receipt
from people_kernel.store.people import Place, earlier, load_fragments_of
from services.lifecycle.domain.sales import Opportunity
from services.lifecycle.domain.workspace import CurrentStage, Move
from services.lifecycle.store.load import load_moves
from services.lifecycle.store.rows import current_stage_of, opportunity_of
from services.lifecycle.store.tables import CURRENT_STAGE, FRAGMENT, OPPORTUNITY, RECEIPT, VERDICT


class StageFilter(NamedTuple):
    """Whom to list: in this stage (None: any), test people too, after this place, so many, of these (None: of all)."""

    stage: str | None
    include_test: bool
    before: Place | None
    limit: int
    person_ids: Collection[str] | None = None


async def list_current_stages(session: Session, wanted: StageFilter) -> list[CurrentStage]:
    """People who moved on from where everybody begins, those who came where they are last first."""
    statement = select(CURRENT_STAGE).where(CURRENT_STAGE.c.is_present, CURRENT_STAGE.c.entered_at.is_not(None))
    if wanted.person_ids is not None:
        statement = statement.where(one_of(CURRENT_STAGE.c.person_id, wanted.person_ids))
    if wanted.stage is not None:
        statement = statement.where(CURRENT_STAGE.c.stage == wanted.stage)
    if not wanted.include_test:
        statement = statement.where(CURRENT_STAGE.c.is_test.is_(False))
    if wanted.before is not None:
        statement = statement.where(earlier(CURRENT_STAGE.c.entered_at, CURRENT_STAGE.c.person_id, wanted.before))
    ordered = statement.order_by(CURRENT_STAGE.c.entered_at.desc(), CURRENT_STAGE.c.person_id.desc())
    return [current_stage_of(row) for row in await session.execute(ordered.limit(wanted.limit))]


async def moves_of_people(
    session: Session, person_ids: Collection[str], as_of: datetime | None = None
) -> dict[str, list[Move]]:
    """Person -> their moves, with `as_of` of what had happened by then; people without any move are left out, those
    whose moves all came later are not.
    """
    owned = await load_fragments_of(session, FRAGMENT, person_ids)
    owner = {fragment_id: person_id for person_id, fragments in owned.items() for fragment_id in fragments}
    by_person: dict[str, list[Move]] = {}
    for move in await load_moves(session, owner):
        happened = by_person.setdefault(owner[move.fragment_id], [])
        if as_of is None or move.occurred_at <= as_of:
            happened.append(move)
    return by_person


async def receipts_by_id(session: Session, receipt_ids: Collection[str]) -> dict[str, Receipt]:
    """Those that are known."""
    rows = await session.execute(
        rows_by(RECEIPT.c.receipt_id, RECEIPT.c.receipt_id, RECEIPT.c.body), {"keys": receipt_ids}
    )
    return {row.receipt_id: Receipt.model_validate_json(row.body) for row in rows}


async def wake_dates(session: Session, move_ids: Collection[str]) -> dict[str, datetime]:
    """Move -> when whoever stands on it is to be woken, as it was last said."""
    statement = select(VERDICT.c.move_id, VERDICT.c.wake_at).where(
        one_of(VERDICT.c.move_id, move_ids), VERDICT.c.wake_at.is_not(None)
    )
    return {
        row.move_id: row.wake_at
        for row in await session.execute(statement.order_by(VERDICT.c.at, VERDICT.c.verdict_id))
    }


class DealFilter(NamedTuple):
    """Which opportunities to list: of these fragments (None: everybody's), in this state, of tests too, after this
    place, so many.
    """

    fragment_ids: Collection[str] | None
    status: str | None
    include_test: bool
    before: Place | None
    limit: int


async def list_deals(session: Session, wanted: DealFilter) -> list[Opportunity]:
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
