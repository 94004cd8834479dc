"""What a transaction says: rows that become visible to the relay with the effects they tell of, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, func, not_, select

from chassis.clock import wall_clock
from chassis.message import OutMessage
from chassis.store.batch import among, insert_numbered, one_of
from chassis.store.session import Session
from chassis.store.tables import OUTBOX

_MOST_COUNTED = 10_000  # "10000 wait" says as much as the exact figure, and costs a bounded time


_FORGET = delete(OUTBOX).where(among(OUTBOX.c.id, "ids"))


class Waiting(NamedTuple):
    """A message that the broker does not have yet."""

    row_id: int
    message: OutMessage


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits, counted up to 10,000, and since when the oldest does (None: nothing waits)."""

    count: int
    oldest: datetime | None


async def append(session: Session, messages: Sequence[tuple[str, OutMessage]]) -> list[Waiting]:
    """Write `(event_id, message)` pairs into the outbox, in this order; answers them with their ids.

    Hand them to the relay after the commit.
    """
    now = wall_clock()
    rows = [
        {
            "event_id": event_id,
            "subject": message.subject,
            "headers": dict(message.headers),
            "body": message.body,
            "created_at": now,
        }
        for event_id, message in messages
    ]
    numbers = await insert_numbered(session, OUTBOX, rows, "id")
    return [Waiting(number, message) for number, (_, message) in zip(numbers, messages, strict=True)]


async def waiting(
    session: Session, limit: int, except_ids: Sequence[int] = (), except_owners: Collection[str] = ()
) -> list[Waiting]:
    """The first `limit` messages in the order they were said, without those of `except_ids` and those whose subject
    begins with an excepted owner.
    """
    statement = select(OUTBOX.c.id, OUTBOX.c.subject, OUTBOX.c.headers, OUTBOX.c.body)
    if except_ids:
        statement = statement.where(not_(one_of(OUTBOX.c.id, except_ids)))
    for owner in sorted(except_owners):
        statement = statement.where(not_(OUTBOX.c.subject.startswith(f"{owner}.", autoescape=True)))
    rows = await session.execute(statement.order_by(OUTBOX.c.id).limit(limit))
    return [Waiting(row.id, OutMessage(row.subject, row.headers, row.body)) for row in rows]


async def backlog(session: Session, except_ids: Sequence[int] = ()) -> Backlog:
    """How much waits, without the messages of `except_ids`."""
    first = select(OUTBOX.c.created_at).order_by(OUTBOX.c.id).limit(_MOST_COUNTED)
    if except_ids:
        first = first.where(not_(one_of(OUTBOX.c.id, except_ids)))
    rows = first.subquery()
    counted = select(func.count().label("rows"), func.min(rows.c.created_at).label("oldest"))
    found = (await session.execute(counted.select_from(rows))).one()
    return Backlog(found.rows, found.oldest)


async def forget(session: Session, row_ids: Sequence[int]) -> None:
    """The broker has these, on disk: they are not needed any more."""
    await session.execute(_FORGET, {"ids": row_ids})
