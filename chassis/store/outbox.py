"""What a transaction says: rows that become visible to the relay with the effects they tell of, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import delete, not_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.message import OutMessage
from chassis.store.batch import insert_all, one_of
from chassis.store.tables import OUTBOX


class Waiting(NamedTuple):
    """A message that the broker does not have yet."""

    row_id: int
    message: OutMessage


async def append(session: AsyncSession, messages: Sequence[tuple[str, OutMessage]]) -> None:
    """Write `(event_id, message)` pairs into the outbox, in this order. Wake the relay after the commit."""
    now = datetime.now(UTC)
    rows = [
        {"event_id": event_id, "subject": message.subject, "headers": dict(message.headers), "body": message.body, "created_at": now}
        for event_id, message in messages
    ]
    await insert_all(session, OUTBOX, rows)


async def waiting(session: AsyncSession, limit: int, except_ids: Sequence[int] = ()) -> list[Waiting]:
    """The first `limit` unpublished messages in the order they were said, without those of `except_ids`."""
    statement = select(OUTBOX.c.id, OUTBOX.c.subject, OUTBOX.c.headers, OUTBOX.c.body).where(OUTBOX.c.published_at.is_(None))
    if except_ids:
        statement = statement.where(not_(one_of(session, OUTBOX.c.id, except_ids)))
    rows = await session.execute(statement.order_by(OUTBOX.c.id).limit(limit))
    return [Waiting(row.id, OutMessage(row.subject, row.headers, row.body)) for row in rows]


async def oldest_waiting(session: AsyncSession) -> datetime | None:
    """When the oldest unpublished message was said."""
    moment: datetime | None = await session.scalar(select(OUTBOX.c.created_at).where(OUTBOX.c.published_at.is_(None)).order_by(OUTBOX.c.id).limit(1))
    return moment


async def mark_published(session: AsyncSession, row_ids: Sequence[int], at: datetime) -> None:
    """The broker has these."""
    await session.execute(update(OUTBOX).where(one_of(session, OUTBOX.c.id, row_ids)).values(published_at=at))


async def purge(session: AsyncSession, published_before: datetime, limit: int) -> int:
    """Forget up to `limit` of the oldest rows, as far as they were published before that moment; answers how many."""
    # the oldest rows are the lowest ids: no index on published_at is needed, which every write would pay for
    oldest = select(OUTBOX.c.id).order_by(OUTBOX.c.id).limit(limit).scalar_subquery()
    gone = await session.execute(delete(OUTBOX).where(OUTBOX.c.id.in_(oldest), OUTBOX.c.published_at < published_before).returning(OUTBOX.c.id))
    return len(gone.all())
