"""One service's store: write transactions, reads that never commit, and which errors pass by themselves."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal, Self

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from chassis.store.documents import dump_json, load_json
from chassis.store.sqlite import Durability, Use, sqlite_engine

Dialect = Literal["sqlite", "postgresql"]

_CONNECT_SECONDS = 10.0

# SQLite's primary result codes that a later try can turn into success: BUSY, LOCKED, NOMEM, IOERR, FULL, CANTOPEN, PROTOCOL
_SQLITE_PASSING = frozenset({5, 6, 7, 10, 13, 14, 15})
# SQLSTATE classes: connection, transaction rollback (serialization, deadlock), resources, lock not available, operator intervention, system
_POSTGRES_PASSING = ("08", "40", "53", "55P03", "57P", "58")
_POSTGRES_READ_ONLY = "25006"  # a standby answered: the primary is being changed


class StoreUnavailable(Exception):
    """The store cannot be reached, or has no connection to spare; nothing was begun."""


class Contended(Exception):
    """Another writer was at the same rows; nothing is saved, and the same work may well succeed when it is done again. If it does not, again and
    again, it is the data that contradicts itself."""


class Database:
    """The store at `url`: `sqlite:///path`, or `postgresql://user:password@host/name` (`?host=/directory` for a unix socket).

    `durability` matters on SQLite: "full" syncs at each commit; "normal" may lose the last commits at a power cut (not at a crash)
    and is for stores whose inputs can be replayed. `busy_seconds` is how long a writer waits there for one of another process.
    Use one Database per process and store, from one event loop.
    """

    def __init__(self, url: str, *, durability: Durability = "full", pool_size: int = 10, busy_seconds: float = 15.0) -> None:
        address = _with_async_driver(make_url(url))
        self.dialect: Dialect = "sqlite" if address.get_backend_name() == "sqlite" else "postgresql"
        if self.dialect == "sqlite":
            engines = {use: sqlite_engine(address, use, durability, busy_seconds) for use in Use}
            self._writer, self._reader, self._glancer = engines[Use.WRITE], engines[Use.READ], engines[Use.GLANCE]
        else:
            self._writer = _postgres_engine(address, pool_size)
            self._reader = self._glancer = self._writer.execution_options(postgresql_readonly=True)
        self._write_lock = asyncio.Lock()
        self._writing: set[asyncio.Task[Any] | None] = set()  # tasks that are in a write transaction, or wait for one

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A write transaction: commits at exit, rolls back when the block raises. Raises StoreUnavailable when it cannot begin.

        On SQLite one write transaction runs at a time and others in this process wait their turn; one inside another would wait for ever,
        and is refused on both stores (RuntimeError).
        """
        task = asyncio.current_task()
        if task in self._writing:
            raise RuntimeError("a write transaction is already open in this task")
        self._writing.add(task)
        try:
            async with self._turn(), self._session(self._writer) as session:
                yield session
                await session.commit()
        finally:
            self._writing.discard(task)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one moment on SQLite, committed rows on PostgreSQL, and cannot write. Raises StoreUnavailable."""
        async with self._session(self._reader) as session:
            yield session

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[AsyncSession]:
        """`read` for a few rows by an index: on SQLite it runs on the loop, and another glance waits until this one ends."""
        async with self._session(self._glancer) as session:
            yield session

    @asynccontextmanager
    async def standing_connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection outside any transaction, held for long: for locks and notices that belong to a session. Raises StoreUnavailable."""
        async with _opened(self._writer) as connection:
            yield await connection.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A bare write connection whose transactions are the caller's to begin; migrations use it. Raises StoreUnavailable."""
        async with self._turn(), _opened(self._writer) as connection:
            yield connection

    def is_transient(self, error: BaseException) -> bool:
        """Whether `error` says that the store is away or was busy: the same work may succeed later, unchanged."""
        if isinstance(error, StoreUnavailable | PoolTimeout | DisconnectionError):
            return True
        if not isinstance(error, DBAPIError):
            return False
        if error.connection_invalidated:
            return True
        cause = error.orig
        if isinstance(cause, sqlite3.Error):
            return (getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF in _SQLITE_PASSING
        state = getattr(cause, "sqlstate", None) or ""
        return state == _POSTGRES_READ_ONLY or state.startswith(_POSTGRES_PASSING)

    def is_conflict(self, error: BaseException) -> bool:
        """Whether `error` says that another writer was in the way: worth some more tries, but not endless ones."""
        return isinstance(error, Contended)

    async def close(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        if self.dialect == "sqlite":
            await self._reader.dispose()
            await self._glancer.dispose()

    def _turn(self) -> AbstractAsyncContextManager[Any]:
        return self._write_lock if self.dialect == "sqlite" else nullcontext()

    @asynccontextmanager
    async def _session(self, engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
        async with AsyncSession(engine, expire_on_commit=False) as session:
            with _opening():
                await session.connection()  # begins now: what goes wrong here is the store's fault, not the caller's
            yield session


@asynccontextmanager
async def _opened(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    with _opening():
        connection = await engine.connect()
    try:
        yield connection
    finally:
        await connection.close()


@contextmanager
def _opening() -> Iterator[None]:
    # drivers raise the operating system's errors when they cannot connect; here they can mean nothing else
    try:
        yield
    except (OSError, TimeoutError, PoolTimeout, DisconnectionError) as error:
        raise StoreUnavailable(str(error) or type(error).__name__) from error


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


def _postgres_engine(url: URL, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        isolation_level="READ COMMITTED",
        # jit costs tens of milliseconds on the catalogue queries of drivers and migrations, and these statements are short
        connect_args={"timeout": _CONNECT_SECONDS, "server_settings": {"jit": "off"}},
        hide_parameters=True,  # errors must not quote what people told us
        json_serializer=dump_json,
        json_deserializer=load_json,
    )

    def on_checkout(connection: Any, _record: Any, _proxy: Any) -> None:
        # after a restart of the server the pool is full of dead connections; the driver knows, and asking it costs no round trip
        if connection.driver_connection.is_closed():
            raise DisconnectionError("the server has closed this connection")

    event.listen(engine.sync_engine, "checkout", on_checkout)
    return engine
