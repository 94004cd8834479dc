"""PostgreSQL by asyncpg: a pool of connections, and transactions on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import asyncpg
from sqlalchemy import URL
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from chassis.store.columns import dump_json, load_json
from chassis.store.errors import StoreUnavailable, of_postgres, reaching
from chassis.store.session import Fetched, Session

_CONNECT_SECONDS: Final = 10.0
_TURN_SECONDS: Final = 30.0
_CACHED_STATEMENTS: Final = 512
# jit costs tens of milliseconds on the catalogue queries of drivers and migrations, and these statements are short
_SERVER_SETTINGS: Final = {"jit": "off"}


class PostgresPool:
    """The connections of this process to one database: `size` of them are kept, as many more are opened when all are
    busy.
    """

    def __init__(self, url: URL, size: int) -> None:
        self._options = PGDialect_asyncpg().create_connect_args(url)[1]  # type: ignore[no-untyped-call]
        self._size = size
        self._idle: list[asyncpg.Connection] = []
        self._turns = asyncio.Semaphore(2 * size)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Session]:
        """A write transaction: committed at exit, rolled back when the block raises."""
        async with self._connection() as connection, _transaction(connection, is_reader=False) as session:
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """A transaction that cannot write."""
        async with self._connection() as connection, _transaction(connection, is_reader=True) as session:
            yield session

    glance = read

    async def close(self) -> None:
        """Close every connection that is at rest."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await _closed(connection)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        try:
            async with asyncio.timeout(_TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise StoreUnavailable("no connection to spare") from None
        try:
            connection = self._rested() or await self._opened()
            try:
                yield connection
            finally:
                await self._put_back(connection)
        finally:
            self._turns.release()

    def _rested(self) -> asyncpg.Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                # after a restart of the server they are; the driver knows, and asking it costs no round trip
                return connection
        return None

    async def _opened(self) -> asyncpg.Connection:
        with reaching():
            connection = await asyncpg.connect(
                **self._options,
                timeout=_CONNECT_SECONDS,
                server_settings=_SERVER_SETTINGS,
                statement_cache_size=_CACHED_STATEMENTS,
                max_cached_statement_lifetime=0,
            )
            await connection.set_type_codec(
                "json", encoder=str.encode, decoder=load_json, schema="pg_catalog", format="binary"
            )
            await connection.set_type_codec(
                "jsonb", encoder=_to_jsonb, decoder=_from_jsonb, schema="pg_catalog", format="binary"
            )
        return connection

    async def _put_back(self, connection: asyncpg.Connection) -> None:
        if connection.is_closed() or connection.is_in_transaction() or len(self._idle) >= self._size:
            await _closed(connection)
        else:
            self._idle.append(connection)


class _Driver:
    """One connection inside a transaction."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, values: Sequence[Any]) -> Fetched:
        try:
            records = await self._connection.fetch(sql, *values)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise of_postgres(error) from None
        return records, records[0].keys() if records else ()

    async def fetch_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Fetched:
        answers = [await self.fetch(sql, values) for values in rows]
        return [record for records, _ in answers for record in records], next(
            (keys for records, keys in answers if records), ()
        )

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        try:
            await self._connection.executemany(sql, rows)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise of_postgres(error) from None

    async def pages(self, sql: str, values: Sequence[Any], size: int) -> AsyncIterator[Fetched]:
        try:
            cursor = await self._connection.cursor(sql, *values)
            while records := await cursor.fetch(size):
                yield records, records[0].keys()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise of_postgres(error) from None


@asynccontextmanager
async def _transaction(connection: asyncpg.Connection, *, is_reader: bool) -> AsyncIterator[Session]:
    session = Session(_Driver(connection), "postgresql")
    transaction = connection.transaction(isolation="read_committed", readonly=is_reader)
    with _telling():
        await transaction.start()
    try:
        yield session
        with _telling():
            await (transaction.rollback() if is_reader else transaction.commit())
    except BaseException:
        await _roll_back(connection, transaction)
        raise
    finally:
        session.end()


async def _roll_back(connection: asyncpg.Connection, transaction: Any) -> None:
    if connection.is_closed() or not connection.is_in_transaction():
        return
    try:
        await transaction.rollback()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        connection.terminate()


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise of_postgres(error) from None


async def _closed(connection: asyncpg.Connection) -> None:
    if connection.is_closed():
        return
    if connection.is_in_transaction():
        connection.terminate()  # it was cut off in the middle, and may not answer
        return
    try:
        await connection.close(timeout=_CONNECT_SECONDS)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        connection.terminate()


def _to_jsonb(document: str) -> bytes:
    return b"\x01" + document.encode()  # the version of the format comes first


def _from_jsonb(raw: bytes) -> Any:
    return load_json(raw[1:])


def postgres_engine(url: URL) -> AsyncEngine:
    """An engine of SQLAlchemy's, for migrations and for connections that are held: each is opened anew."""
    return create_async_engine(
        url,
        poolclass=NullPool,
        isolation_level="READ COMMITTED",
        connect_args={"timeout": _CONNECT_SECONDS, "server_settings": _SERVER_SETTINGS},
        hide_parameters=True,  # errors must not quote what people told us
        json_serializer=dump_json,
        json_deserializer=load_json,
    )
