"""The receipts of a service: written once, hung on fragments, read for whoever owns the fragments now."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

import orjson
from sqlalchemy import Column, Index, MetaData, String, Table, Text, and_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from chassis.store.batch import insert_or_skip
from chassis.store.columns import UtcDateTime
from chassis.store.membership import one_of
from chassis.store.session import Session
from contracts.values import Receipt


def receipt_table(metadata: MetaData) -> Table:
    """The table `receipt`: (receipt_id, fragment_id, at, body)."""
    return Table(
        "receipt",
        metadata,
        Column("receipt_id", String, primary_key=True),
        Column("fragment_id", String, nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Column("body", Text, nullable=False),
        Index("receipt_timeline", "fragment_id", "at", "receipt_id"),
    )


async def save_receipts(session: Session, table: Table, receipts: Iterable[Receipt]) -> None:
    """Writes those that are not there yet."""
    rows = {
        receipt.receipt_id: {
            "receipt_id": receipt.receipt_id,
            "fragment_id": receipt.fragment_id,
            "at": receipt.at,
            "body": receipt.model_dump_json().replace("\\u0000", ""),
        }
        for receipt in receipts
    }
    await insert_or_skip(session, table, list(rows.values()))


async def find_receipt(session: Session, table: Table, receipt_id: str) -> Receipt | None:
    """One by its id."""
    body = await session.scalar(select(table.c.body).where(table.c.receipt_id == receipt_id))
    return None if body is None else Receipt.model_validate(orjson.loads(body))


async def load_receipts(
    session: Session, table: Table, fragment_ids: Collection[str], page: tuple[datetime | None, Place | None, int]
) -> list[Receipt]:
    """Receipts on these fragments, newest first. `page`: no later than, after this place, at most so many."""
    until, before, limit = page
    statement = select(table.c.body).where(one_of(table.c.fragment_id, fragment_ids))
    if until is not None:
        statement = statement.where(table.c.at <= until)
    if before is not None:
        statement = statement.where(earlier(table.c.at, table.c.receipt_id, before))
    rows = await session.execute(statement.order_by(table.c.at.desc(), table.c.receipt_id.desc()).limit(limit))
    return [Receipt.model_validate(orjson.loads(row.body)) for row in rows]


Place = tuple[datetime, str]
"""(moment, id) of the last item of a page."""


def earlier(at: ColumnElement[datetime], row_id: ColumnElement[str], place: Place) -> ColumnElement[bool]:
    """The rows that come after `place` where the newest stand first."""
    return or_(at < place[0], and_(at == place[0], row_id < place[1]))
