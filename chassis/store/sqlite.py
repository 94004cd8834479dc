"""SQLite without needless thread hops.

aiosqlite sends every call to a thread of its connection, and SQLAlchemy makes four calls a statement: most of the time of a small
transaction was waiting for threads. Here a call runs on the loop where it is known to be short, and in the thread where it may wait: for
another process's lock, for the disk, or for a long answer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, Literal

import aiosqlite
from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from chassis.store.documents import dump_json, load_json

Durability = Literal["full", "normal"]


class Use(Enum):
    """What an engine's connections are for."""

    WRITE = "write"  # one at a time: statements on the loop, BEGIN and COMMIT in the thread
    GLANCE = "glance"  # short reads, all on the loop
    READ = "read"  # reads that may take long: statements in the thread


_POOL_SIZES = {Use.WRITE: 1, Use.GLANCE: 1, Use.READ: 4}
_ENDING = frozenset({"Connection.commit", "Connection.rollback", "Connection.close"})
_IN_THREAD = {
    Use.WRITE: _ENDING,
    Use.GLANCE: frozenset({"Connection.close"}),
    Use.READ: _ENDING | {"Cursor.execute", "Cursor.executemany", "Cursor.fetchone", "Cursor.fetchmany", "Cursor.fetchall"},
}
_BEGIN_WRITING = "BEGIN IMMEDIATE"


class Connection(aiosqlite.Connection):
    """Runs the calls named in `in_thread`, and the beginning of a write, in its thread, and all others at once, on the loop."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], in_thread: frozenset[str]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._in_thread = in_thread
        self._thread.daemon = True

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        name = f"{type(getattr(fn, '__self__', None)).__name__}.{fn.__name__}"
        if name in self._in_thread or (args and args[0] == _BEGIN_WRITING):
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)


def sqlite_engine(url: URL, use: Use, durability: Durability, busy_seconds: float) -> AsyncEngine:
    """An engine on the file of `url`. Readers see one moment and cannot write; a writer holds the lock from its first statement."""
    connect = partial(sqlite3.connect, url.database or "", timeout=busy_seconds, isolation_level=None, check_same_thread=False)

    async def open_connection(*_: Any, **__: Any) -> aiosqlite.Connection:
        return await Connection(connect, _IN_THREAD[use])

    engine = create_async_engine(
        url,
        async_creator=open_connection,
        pool_size=_POOL_SIZES[use],
        max_overflow=4 if use is Use.READ else 0,
        hide_parameters=True,  # errors must not quote what people told us
        json_serializer=dump_json,
        json_deserializer=load_json,
    )
    pragmas = ["journal_mode = WAL", f"synchronous = {durability.upper()}", "foreign_keys = ON", "temp_store = MEMORY"]
    if use is not Use.WRITE:
        pragmas.append("query_only = ON")

    def on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Any) -> None:
        # the driver's own implicit BEGIN comes late and leaves out savepoints; a writer that begins by reading could not become one
        connection.exec_driver_sql(_BEGIN_WRITING if use is Use.WRITE else "BEGIN")

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine
