"""How a connection to SQLite is set up, and SQLAlchemy's engine for migrations."""

from __future__ import annotations

from typing import Any, Final, Literal

from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chassis.store.columns import dump_json, load_json

Durability = Literal["full", "normal"]

_LOG_BYTES: Final = 8 << 20
"""A log that grew longer, under a burst or a long read, is cut to this when it begins anew; SQLite itself never would.
What it usually has between two checkpoints is 4 MB.
"""


def pragmas(durability: Durability) -> tuple[str, ...]:
    """How a connection is set up."""
    return (
        "journal_mode = WAL",
        f"synchronous = {durability.upper()}",
        "foreign_keys = ON",
        "temp_store = MEMORY",
        f"journal_size_limit = {_LOG_BYTES}",
    )


def sqlite_engine(url: URL, durability: Durability, busy_seconds: float) -> AsyncEngine:
    """An engine of SQLAlchemy's, for migrations: each connection is opened anew and holds the write lock from its first
    statement.
    """
    engine = create_async_engine(
        url,
        poolclass=NullPool,
        connect_args={"timeout": busy_seconds, "isolation_level": None},
        hide_parameters=True,  # errors must not quote what people told us
        json_serializer=dump_json,
        json_deserializer=load_json,
    )

    def on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas(durability):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Any) -> None:
        # the driver's own implicit BEGIN comes late; a writer that begins by reading could not become one
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine
