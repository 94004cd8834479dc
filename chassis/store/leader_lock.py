"""Which of several processes on one store may do what only one should: a session lock on PostgreSQL.

It is not a fence: a holder whose connection was cut may finish what it is doing while the next one begins.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.store.background import WakeSignal
from chassis.store.database import Database

_RELAY_LOCK = 0x72656C61  # "rela"; advisory locks are per database, and each service has its own
_CHANNEL = "outbox"
_TAKE = text("SELECT pg_try_advisory_lock(:lock)").bindparams(lock=_RELAY_LOCK)
_TELL = text(f"NOTIFY {_CHANNEL}")


@asynccontextmanager
async def leader_lock(
    database: Database, wake_signal: WakeSignal, poll_seconds: float, on_wake: Callable[[], None]
) -> AsyncIterator[Callable[[], bool]]:
    """Waits until the lock is ours; yields a question that says whether it still is (no round trip).

    False at once when `wake_signal` closes first. What woke one that stands by is passed on
    to the holder, who is told by `on_wake`.
    """
    if database.dialect == "sqlite":  # one process per file
        yield lambda: True
        return
    async with database.standing_connection() as connection:
        raw: Any = (await connection.get_raw_connection()).driver_connection

        def on_notice(*_: object) -> None:
            on_wake()

        try:
            is_ours = await _wait_for_turn(connection, wake_signal, poll_seconds)
            if is_ours:
                await raw.add_listener(_CHANNEL, on_notice)
            yield lambda: is_ours and not raw.is_closed()
        finally:
            # closes it: the server gives the lock to the next one, and the listener is gone
            await connection.invalidate()


async def _wait_for_turn(connection: AsyncConnection, wake_signal: WakeSignal, poll_seconds: float) -> bool:
    while not await connection.scalar(_TAKE):
        if await wake_signal.rest(poll_seconds):
            await connection.execute(_TELL)
        if wake_signal.is_closed:
            return False
    return True
