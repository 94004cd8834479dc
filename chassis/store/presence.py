"""How many processes work on one store now: each holds a session lock that all may share, on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy import text

from chassis.store.database import Database

_PRESENCE = 0x70726573  # "pres"; advisory locks are per database, and each service has its own
_HOLD = text("SELECT pg_advisory_lock_shared(:lock)").bindparams(lock=_PRESENCE)
_COUNT = text(
    "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objid = :lock"
    " AND objsubid = 1 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
).bindparams(lock=_PRESENCE)


@asynccontextmanager
async def presence(database: Database) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """This process is one of them inside the block; yields a question that says how many there are.

    One that is killed counts until the server has noticed: at once, unless its machine is gone. Raises
    StoreUnavailable, and the question what the store fails with.
    """
    async with database.standing_connection() as connection:
        await connection.execute(_HOLD)

        async def count() -> int:
            return int(await connection.scalar(_COUNT) or 0)

        yield count
