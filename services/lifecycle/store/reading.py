"""Reads for the API."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from chassis.store.membership import one_of, rows_by
from chassis.store.session import Session
from contracts.values import Receipt
from people_kernel.store.receipts import Place, earlier
from services.lifecycle.domain.book import Standing
from services.lifecycle.store.encoding import standing_of
from services.lifecycle.store.tables import RECEIPT, STANDING, VERDICT


class Wanted(NamedTuple):
    """Whom to list: in this stage (None: any), test people too, after this place, so many."""

    stage: str | None
    include_test: bool
    before: Place | None
    limit: int


async def list_standings(session: Session, wanted: Wanted) -> list[Standing]:
    """People who moved on from where everybody begins, those who came where they are last first."""
    statement = select(STANDING).where(STANDING.c.is_present, STANDING.c.entered_at.is_not(None))
    if wanted.stage is not None:
        statement = statement.where(STANDING.c.stage == wanted.stage)
    if not wanted.include_test:
        statement = statement.where(STANDING.c.is_test.is_(False))
    if wanted.before is not None:
        statement = statement.where(earlier(STANDING.c.entered_at, STANDING.c.person_id, wanted.before))
    ordered = statement.order_by(STANDING.c.entered_at.desc(), STANDING.c.person_id.desc())
    return [standing_of(row) for row in await session.execute(ordered.limit(wanted.limit))]


async def receipts_by_id(session: Session, receipt_ids: Collection[str]) -> dict[str, Receipt]:
    """Those that are known."""
    rows = await session.execute(rows_by(RECEIPT.c.receipt_id, RECEIPT.c.receipt_id, RECEIPT.c.body), {"keys": receipt_ids})
    return {row.receipt_id: Receipt.model_validate_json(row.body) for row in rows}


async def wake_dates(session: Session, move_ids: Collection[str]) -> dict[str, datetime]:
    """Move -> when whoever stands on it is to be woken, as it was last said."""
    statement = select(VERDICT.c.move_id, VERDICT.c.wake_at).where(one_of(VERDICT.c.move_id, move_ids), VERDICT.c.wake_at.is_not(None))
    return {row.move_id: row.wake_at for row in await session.execute(statement.order_by(VERDICT.c.at, VERDICT.c.verdict_id))}
