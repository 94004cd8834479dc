"""What a transaction says: rows that become visible to the relay with the effects they tell of, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import delete, func, not_, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.message import OutMessage
from chassis.store.batch import insert_all, one_of
from chassis.store.tables import OUTBOX

_MOST_COUNTED = 10_000  # "10000 wait" says as much as the exact figure, and costs a bounded time


class Waiting(NamedTuple):
    """A message that the broker does not have yet."""

    row_id: int
    message: OutMessage


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits, counted up to 10,000, and since when the oldest does (None: nothing waits)."""

    count: int
    oldest: datetime | None


async def append(session: AsyncSession, messages: Sequence[tuple[str, OutMessage]]) -> None:
    """Write `(event_id, message)` pairs into the outbox, in this order. Wake the relay after the commit."""
    now = datetime.now(UTC)
    rows = [
        {"event_id": event_id, "subject": message.subject, "headers": dict(message.headers), "body": message.body, "created_at": now}
        for event_id, message in messages
    ]
    await insert_all(session, OUTBOX, rows)


async def waiting(session: AsyncSession, limit: int, except_ids: Sequence[int] = (), except_owners: Collection[str] = ()) -> list[Waiting]:
    """The first `limit` messages in the order they were said, without those of `except_ids` and those whose subject begins with an excepted owner."""
    statement = select(OUTBOX.c.id, OUTBOX.c.subject, OUTBOX.c.headers, OUTBOX.c.body)
    if except_ids:
        statement = statement.where(not_(one_of(session, OUTBOX.c.id, except_ids)))
    for owner in sorted(except_owners):
        statement = statement.where(not_(OUTBOX.c.subject.startswith(f"{owner}.", autoescape=True)))
    rows = await session.execute(statement.order_by(OUTBOX.c.id).limit(limit))
    return [Waiting(row.id, OutMessage(row.subject, row.headers, row.body)) for row in rows]


async def backlog(session: AsyncSession, except_ids: Sequence[int] = ()) -> Backlog:
    """How much waits, without the messages of `except_ids`."""
    first = select(OUTBOX.c.created_at).order_by(OUTBOX.c.id).limit(_MOST_COUNTED)
    if except_ids:
        first = first.where(not_(one_of(session, OUTBOX.c.id, except_ids)))
    rows = first.subquery()
    count, oldest = (await session.execute(select(func.count(), func.min(rows.c.created_at)).select_from(rows))).one()
    return Backlog(count, oldest)


async def forget(session: AsyncSession, row_ids: Sequence[int]) -> None:
    """The broker has these, on disk: they are not needed any more."""
    await session.execute(delete(OUTBOX).where(one_of(session, OUTBOX.c.id, row_ids)))
