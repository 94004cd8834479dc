"""Which of several processes on one store may do what only one should: a session lock on PostgreSQL.

It is not a fence: a holder whose connection was cut may finish what it is doing while the next one begins.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.store.bell import Bell
from chassis.store.database import Database

_RELAY_LOCK = 0x72656C61  # "rela"; advisory locks are per database, and each service has its own
_CHANNEL = "outbox"
_TAKE = text("SELECT pg_try_advisory_lock(:lock)").bindparams(lock=_RELAY_LOCK)
_TELL = text(f"NOTIFY {_CHANNEL}")


@asynccontextmanager
async def baton(database: Database, bell: Bell, poll_seconds: float, on_ring: Callable[[], None]) -> AsyncIterator[Callable[[], bool]]:
    """Waits until the baton is ours; yields a question that says whether it still is (no round trip). False at once when `bell` closes first.

    A ring heard while standing by is passed on to the holder, who is told by `on_ring`.
    """
    if database.dialect == "sqlite":  # one process per file
        yield lambda: True
        return
    async with database.standing_connection() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection

        def on_notice(*_: object) -> None:
            on_ring()

        try:
            is_ours = await _wait_for_turn(connection, bell, poll_seconds)
            if is_ours:
                await raw.add_listener(_CHANNEL, on_notice)
            yield lambda: is_ours and not raw.is_closed()
        finally:
            await connection.invalidate()  # closes it: the server gives the lock to the next one, and the listener is gone


async def _wait_for_turn(connection: AsyncConnection, bell: Bell, poll_seconds: float) -> bool:
    while not await connection.scalar(_TAKE):
        if await bell.rest(poll_seconds):
            await connection.execute(_TELL)
        if bell.is_closed:
            return False
    return True
