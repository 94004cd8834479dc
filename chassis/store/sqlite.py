"""SQLite by its own driver.

A call runs on the loop where it is known to be short, and in a thread where it may wait: for the
disk, at a commit, or for a long answer.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain, repeat
from typing import Any, Final

from chassis.store.errors import StoreUnavailable, is_busy, of_sqlite, reaching
from chassis.store.session import Fetched, Session
from chassis.store.sqlite_engine import Durability, pragmas
from chassis.store.worker import Worker

_MOST_READERS: Final = 8
_READS_ONLY: Final = "nothing is written where one reads"
_READER_SECONDS: Final = 30.0
_CACHED_STATEMENTS: Final = 512
# seconds between tries to begin; the last again and again
_ASKING_AGAIN: Final = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.05, 0.1)


class SqliteFile:
    """The connections of this process to one file: a writer, one for short reads, some for reads that may take long."""

    def __init__(self, path: str, durability: Durability, busy_seconds: float) -> None:
        self._path = path
        self._durability = durability
        self._busy_seconds = busy_seconds
        self._write_lock = asyncio.Lock()
        self._writer: sqlite3.Connection | None = None
        self._committer = Worker("store: commit")
        self._glance_lock = asyncio.Lock()
        self._glancer: sqlite3.Connection | None = None
        self._readers: list[_Reader] = []  # those at rest
        self._reader_turns = asyncio.Semaphore(_MOST_READERS)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Session]:
        """The one write transaction: statements on the loop, the commit in a thread."""
        async with self._write_lock:
            connection = await self._begun()
            session = Session(_OnLoop(connection), "sqlite")
            try:
                yield session
                await self._commit(connection)
            except BaseException:
                self._roll_back(connection)
                raise
            finally:
                session.end()

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Session]:
        """A read on the loop."""
        async with self._glance_lock:
            if self._glancer is None:
                self._glancer = await self._committer.run(self._open, True)
            connection = self._glancer
            session = Session(_OnLoop(connection), "sqlite")
            connection.execute("BEGIN")
            try:
                yield session
            finally:
                session.end()
                connection.execute("ROLLBACK")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """A read in a thread. Raises StoreUnavailable when all readers are busy for long."""
        try:
            async with asyncio.timeout(_READER_SECONDS):
                await self._reader_turns.acquire()
        except TimeoutError:
            raise StoreUnavailable("no connection to spare") from None
        try:
            reader = self._readers.pop() if self._readers else await self._new_reader()
            session = Session(reader, "sqlite")
            try:
                await reader.begin()
                yield session
            finally:
                session.end()
                await reader.end()
                self._readers.append(reader)
        finally:
            self._reader_turns.release()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """No write transaction of this process runs meanwhile."""
        async with self._write_lock:
            yield

    async def close(self) -> None:
        """Close every connection."""
        readers, self._readers = self._readers, []
        for reader in readers:
            await reader.close()
        connections = [one for one in (self._writer, self._glancer) if one is not None]
        self._writer = self._glancer = None
        for connection in connections:  # the last one of all processes writes the log into the file
            await self._committer.run(connection.close)
        self._committer.close()

    async def _begun(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = await self._committer.run(self._open, False)
        deadline = asyncio.get_running_loop().time() + self._busy_seconds
        for pause in chain(_ASKING_AGAIN, repeat(_ASKING_AGAIN[-1])):
            try:
                self._writer.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if not is_busy(error) or asyncio.get_running_loop().time() + pause > deadline:
                    raise of_sqlite(error) from None
            else:
                break
            await asyncio.sleep(pause)  # another process writes; SQLite itself would wait on the loop
        return self._writer

    async def _commit(self, connection: sqlite3.Connection) -> None:
        try:
            if self._durability == "full":
                await self._committer.run(connection.execute, "COMMIT")
            else:
                connection.execute("COMMIT")  # nothing is synced
        except sqlite3.Error as error:
            raise of_sqlite(error) from None

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except sqlite3.Error:  # whatever is the matter with it, the next transaction gets a new one
            self._writer = None
            connection.close()

    async def _new_reader(self) -> _Reader:
        worker = Worker("store: read")
        try:
            return _Reader(await worker.run(self._open, True), worker)
        except BaseException:
            worker.close()
            raise

    def _open(self, is_reader: bool) -> sqlite3.Connection:
        with reaching():
            connection = sqlite3.connect(
                self._path,
                timeout=self._busy_seconds,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=_CACHED_STATEMENTS,
            )
            for pragma in pragmas(self._durability):
                connection.execute(f"PRAGMA {pragma}")
            # a writer asks for the lock again by itself
            connection.execute("PRAGMA query_only = ON" if is_reader else "PRAGMA busy_timeout = 0")
        return connection


class _OnLoop:
    """Statements that are known to be short."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def fetch(self, sql: str, values: Sequence[Any]) -> Fetched:
        return _fetch(self._connection, sql, values)

    async def fetch_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Fetched:
        try:
            cursor = self._connection.cursor()
            raw = [found for values in rows for found in cursor.execute(sql, values).fetchall()]
        except sqlite3.Error as error:
            raise of_sqlite(error) from None
        return raw, _keys(cursor)

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise of_sqlite(error) from None

    async def pages(self, sql: str, values: Sequence[Any], size: int) -> AsyncIterator[Fetched]:
        try:
            cursor = self._connection.execute(sql, values)
            while raw := cursor.fetchmany(size):
                yield raw, _keys(cursor)
        except sqlite3.Error as error:
            raise of_sqlite(error) from None


class _Reader:
    """Statements that may take long: all in the thread of this connection, interrupted when nobody waits for them any
    more.
    """

    def __init__(self, connection: sqlite3.Connection, worker: Worker) -> None:
        self._connection = connection
        self._worker = worker

    async def begin(self) -> None:
        self._connection.execute("BEGIN")  # no lock is taken before the first read

    async def end(self) -> None:
        self._connection.execute("ROLLBACK")

    async def close(self) -> None:
        await self._worker.run(self._connection.close)
        self._worker.close()

    async def fetch(self, sql: str, values: Sequence[Any]) -> Fetched:
        return await self._worker.run(_fetch, self._connection, sql, values, interrupt=self._connection.interrupt)

    async def fetch_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Fetched:
        raise RuntimeError(_READS_ONLY)

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        raise RuntimeError(_READS_ONLY)

    async def pages(self, sql: str, values: Sequence[Any], size: int) -> AsyncIterator[Fetched]:
        cursor = self._connection.cursor()
        raw = await self._worker.run(_first_page, cursor, sql, values, size, interrupt=self._connection.interrupt)
        while raw:
            yield raw, _keys(cursor)
            raw = await self._worker.run(_next_page, cursor, size, interrupt=self._connection.interrupt)


def _fetch(connection: sqlite3.Connection, sql: str, values: Sequence[Any]) -> Fetched:
    try:
        cursor = connection.execute(sql, values)
        rows = cursor.fetchall()
        return rows, _keys(cursor) if rows else ()
    except sqlite3.Error as error:
        raise of_sqlite(error) from None


def _first_page(cursor: sqlite3.Cursor, sql: str, values: Sequence[Any], size: int) -> list[Any]:
    try:
        return cursor.execute(sql, values).fetchmany(size)
    except sqlite3.Error as error:
        raise of_sqlite(error) from None


def _next_page(cursor: sqlite3.Cursor, size: int) -> list[Any]:
    try:
        return cursor.fetchmany(size)
    except sqlite3.Error as error:
        raise of_sqlite(error) from None


def _keys(cursor: sqlite3.Cursor) -> Sequence[str]:
    return [column[0] for column in cursor.description or ()]
