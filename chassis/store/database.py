"""One service's store: write transactions, reads that never commit, and which errors pass by themselves."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from chassis.store.errors import Contended, StoreError, StoreUnavailable, of_postgres, of_sqlite, reaching
from chassis.store.postgres import PostgresPool, postgres_engine
from chassis.store.session import Session
from chassis.store.sqlite import SqliteFile
from chassis.store.sqlite_engine import Durability, sqlite_engine
from chassis.store.statements import DialectName


class Database:
    """The store at `url`: `sqlite:///path`, or `postgresql://user:password@host/name` (`?host=/directory` for a unix
    socket).

    `durability` matters on SQLite: "full" syncs at each commit; "normal" may lose the last commits at a power cut (not
    at a crash) and is for stores whose inputs can be replayed. `busy_seconds` is how long a writer waits there for one
    of another process. Use one Database per process and store, from one event loop.
    """

    def __init__(
        self, url: str, *, durability: Durability = "full", pool_size: int = 10, busy_seconds: float = 15.0
    ) -> None:
        address = _with_async_driver(make_url(url))
        self.dialect: DialectName = "sqlite" if address.get_backend_name() == "sqlite" else "postgresql"
        self.path = Path(address.database or "") if self.dialect == "sqlite" else None
        """The file, on SQLite."""
        self._file: SqliteFile | None = None
        self._pool: PostgresPool | None = None
        self._engine: AsyncEngine
        if self.dialect == "sqlite":
            self._file = SqliteFile(address.database or "", durability, busy_seconds)
            self._engine = sqlite_engine(address, durability, busy_seconds)
        else:
            self._pool = PostgresPool(address, pool_size)
            self._engine = postgres_engine(address)
        self._store: SqliteFile | PostgresPool = self._file or self._pool  # type: ignore[assignment]
        self._writing: set[asyncio.Task[Any] | None] = set()  # tasks that are in a write transaction, or wait for one

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Session]:
        """A write transaction: commits at exit, rolls back when the block raises.

        Raises StoreUnavailable when it cannot begin.

        On SQLite one write transaction runs at a time and others in this process wait their turn; one inside another
        would wait for ever, and is refused on both stores (RuntimeError).
        """
        task = asyncio.current_task()
        if task in self._writing:
            raise RuntimeError("a write transaction is already open in this task")
        self._writing.add(task)
        try:
            async with self._store.begin() as session:
                yield session
        finally:
            self._writing.discard(task)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """A session that sees one moment on SQLite, committed rows on PostgreSQL, and cannot write.

        Raises StoreUnavailable.
        """
        async with self._store.read() as session:
            yield session

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Session]:
        """`read` for a few rows by an index: on SQLite it runs on the loop, and another glance waits until this one
        ends.
        """
        async with self._store.glance() as session:
            yield session

    @asynccontextmanager
    async def standing_connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection outside any transaction, held for long: for locks and notices that belong to a session.

        Raises StoreUnavailable.
        """
        async with _opened(self._engine) as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A bare connection of SQLAlchemy's, whose transactions are the caller's to begin; migrations use it.

        Raises StoreUnavailable.
        """
        if self._file is None:
            async with _opened(self._engine) as connection:
                yield connection
            return
        async with self._file.alone(), _opened(self._engine) as connection:
            yield connection

    def is_transient(self, error: BaseException) -> bool:
        """Whether `error` says that the store is away or was busy: the same work may succeed later, unchanged."""
        if isinstance(error, StoreError):
            return error.is_passing
        if isinstance(error, DBAPIError):  # of a migration, or a standing connection
            return error.connection_invalidated or _is_passing(error.orig)
        return isinstance(error, StoreUnavailable)

    def is_conflict(self, error: BaseException) -> bool:
        """Whether `error` says that another writer was in the way: worth some more tries, but not endless ones."""
        return isinstance(error, Contended)

    async def close(self) -> None:
        """Close every connection."""
        await self._store.close()
        await self._engine.dispose()


def _is_passing(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        return of_sqlite(error).is_passing
    cause = error.__cause__ if error is not None else None  # SQLAlchemy wraps the driver's error once more
    return isinstance(cause, Exception) and of_postgres(cause).is_passing


@asynccontextmanager
async def _opened(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    with reaching():
        connection = await engine.connect()
    try:
        yield connection
    finally:
        await connection.close()


def _with_async_driver(url: URL) -> URL:
    backend = url.get_backend_name()
    if backend == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ValueError("a SQLite store is a file: sqlite:///path")
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        return url.set(drivername="sqlite+aiosqlite")
    if backend in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+asyncpg")
    raise ValueError(f"a store is SQLite or PostgreSQL, not {backend}")
