"""Which messages were applied already: claimed, not looked up, in the transaction of their effects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, String, bindparam, delete, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.store.columns import UtcDateTime
from chassis.store.documents import dump_json
from chassis.store.tables import INBOX

# by hand beside `batch.insert_or_skip`: only the ids differ from row to row, and sending nothing else makes the hottest statement cost a third
_CLAIM_SQLITE = text(
    "INSERT INTO inbox (consumer, message_id, claimed_at) "
    "SELECT :consumer, value, :claimed_at FROM json_each(:ids) WHERE true ON CONFLICT DO NOTHING RETURNING message_id"
).bindparams(bindparam("consumer", type_=String), bindparam("claimed_at", type_=UtcDateTime), bindparam("ids", type_=String))
_CLAIM_POSTGRES = text(
    "INSERT INTO inbox (consumer, message_id, claimed_at) "
    "SELECT :consumer, message_id, :claimed_at FROM unnest(:ids) AS batch(message_id) ON CONFLICT DO NOTHING RETURNING message_id"
).bindparams(bindparam("consumer", type_=String), bindparam("claimed_at", type_=UtcDateTime), bindparam("ids", type_=ARRAY(String)))


async def claim(session: AsyncSession, consumer: str, message_ids: Iterable[str]) -> set[str]:
    """Those of `message_ids` that `consumer` has not applied before; it has, once `session` commits."""
    ids = sorted(set(message_ids))  # in one order: two that claim the same ids wait for each other and do not deadlock
    if not ids:
        return set()
    values = {"consumer": consumer, "claimed_at": datetime.now(UTC)}
    if session.get_bind().dialect.name == "postgresql":
        return set(await session.scalars(_CLAIM_POSTGRES, values | {"ids": ids}))
    return set(await session.scalars(_CLAIM_SQLITE, values | {"ids": dump_json(ids)}))


async def forget(session: AsyncSession, claimed_before: datetime, limit: int) -> int:
    """Forget up to `limit` claims older than that moment; answers how many. What is sent again after that is applied again."""
    is_old = INBOX.c.claimed_at < claimed_before
    place: ColumnElement[Any]
    if session.get_bind().dialect.name == "postgresql":
        place = literal_column("ctid")
        oldest = select(place).select_from(INBOX).where(is_old).limit(limit)
    else:  # rowids grow with time: the oldest are found without an index that every claim would pay for
        place = literal_column("rowid")
        oldest = select(place).select_from(INBOX).order_by(place).limit(limit)
    gone = await session.execute(delete(INBOX).where(place.in_(oldest), is_old).returning(INBOX.c.consumer))
    return len(gone.all())
