"""A store of PostgreSQL: frozen by a lock on its outbox, held by a repeatable read, copied by COPY in binary.

Its schema is not copied: our own migrations make it, up to the revision that was noted. The locks are those of a
session and go with it, however it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from graphlib import TopologicalSorter
from typing import Any, Final

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from backup.archive import ArchiveReader, ArchiveWriter, Sink
from backup.manifest import StorePart, TablePart
from backup.store import VERSION_TABLES, StoreBusy
from chassis.store.migrate import migrate

_CONNECT_SECONDS: Final = 10.0
_FORGOTTEN: Final = "8s"  # a freeze whose process does not answer any more is ended by the server
_FREEZE: Final = "LOCK TABLE outbox IN SHARE MODE"
"""One table, the last that a transaction which says something writes: who holds others and waits for it, waits for a
moment, and we wait for nobody who waits for us.
"""
_TABLES: Final = """
SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
GROUP BY c.relname ORDER BY c.relname
"""
_REFERENCES: Final = """
SELECT conrelid::regclass::text AS name, confrelid::regclass::text AS other
FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema()::regnamespace AND conrelid <> confrelid
"""
_SEQUENCES: Final = """
SELECT c.relname AS name FROM pg_class c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'S' ORDER BY c.relname
"""
_DROP: Final = """
SELECT 'DROP TABLE ' || string_agg(quote_ident(relname), ', ') || ' CASCADE' FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
"""


class PostgresHeld:
    """The store of service `name` at `url`, whose own migrations are in `package`."""

    def __init__(self, name: str, url: str, package: str) -> None:
        self.name = name
        self._url = url
        self._package = package
        self._writer: Any = None
        self._reader: Any = None

    async def open(self) -> None:
        self._writer, self._reader = await connected(self._url), await connected(self._url)
        await self._writer.execute(f"SET idle_in_transaction_session_timeout = '{_FORGOTTEN}'")
        await self._reader.execute("SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0")

    async def freeze(self, seconds: float) -> None:
        await self._writer.execute("BEGIN")
        try:
            await self._writer.execute(f"SET LOCAL lock_timeout = {int(seconds * 1000)}")
            await self._writer.execute(_FREEZE)
        except asyncpg.LockNotAvailableError as error:
            raise StoreBusy(f"{self.name}: {error} for {seconds:.1f} s") from None

    async def hold(self) -> None:
        await self._reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        await self._reader.execute("SELECT 1")  # the first statement fixes what is seen

    async def drop(self) -> None:
        if self._reader is not None and self._reader.is_in_transaction():
            await self._reader.execute("ROLLBACK")

    async def thaw(self) -> None:
        if self._writer is not None and self._writer.is_in_transaction():
            await self._writer.execute("ROLLBACK")

    async def copy(self, archive: ArchiveWriter) -> StorePart:
        tables = []
        for row in await self._reader.fetch(_TABLES):
            part = TablePart(f"stores/{self.name}/{row['name']}.copy.gz", row["name"], tuple(row["columns"]))
            await archive.add(part.member, partial(_copy_out, self._reader, part), is_packed=True)
            tables.append(part)
        return StorePart(
            "postgresql",
            self._reader.get_settings().server_version,
            {chain or self._package: await self._revision(table) for table, chain in VERSION_TABLES.items()},
            tables=tuple(tables),
            sequences={row["name"]: await self._sequence(row["name"]) for row in await self._reader.fetch(_SEQUENCES)},
        )

    async def _revision(self, table: str) -> str:
        return str(await self._reader.fetchval(f"SELECT version_num FROM {table}"))  # noqa: S608 - our own words

    async def _sequence(self, name: str) -> tuple[int, bool]:
        # not of the moment that is held, but later at most: numbers may be missing, and none is given twice
        row = await self._reader.fetchrow(f'SELECT last_value, is_called FROM "{name}"')  # noqa: S608
        return row["last_value"], row["is_called"]

    async def close(self) -> None:
        for connection in (self._writer, self._reader):
            if connection is not None:
                connection.terminate()


class PostgresRestored:
    """The store of service `name` at `url`, whose user may make tables."""

    def __init__(self, name: str, url: str, package: str) -> None:
        self.name = name
        self._url = url
        self._package = package

    async def occupied(self) -> str:
        """Migrated is not occupied: a row is, that no migration wrote."""
        connection = await connected(self._url)
        try:
            for row in await connection.fetch(_TABLES):
                if row["name"] not in VERSION_TABLES and await _has_rows(connection, row["name"]):
                    return f"table {row['name']} of the database of {self.name}"
        finally:
            await connection.close()
        return ""

    async def clear(self) -> None:
        connection = await connected(self._url)
        try:
            statement = await connection.fetchval(_DROP)
            if statement:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def fill(self, archive: ArchiveReader, part: StorePart) -> None:
        """The schema as it was then, and all rows in one transaction."""
        await self.clear()  # a schema of a later revision, perhaps
        await migrate(self._url, self._package, part.revisions)
        connection = await connected(self._url)
        try:
            async with connection.transaction():
                await connection.execute("TRUNCATE " + ", ".join(f'"{table.name}"' for table in part.tables))
                for table in await _in_order(connection, part.tables):
                    await connection.copy_to_table(
                        table.name, source=archive.read(table.member), columns=table.columns, format="binary"
                    )
                for name, (last, is_called) in part.sequences.items():
                    await connection.execute("SELECT setval($1::text::regclass, $2, $3)", f'"{name}"', last, is_called)
            await connection.execute("ANALYZE")  # the first questions are not to be answered by reading everything
        finally:
            await connection.close()


async def connected(url: str) -> Any:
    """A connection of its own to the database at `url`."""
    options = PGDialect_asyncpg().create_connect_args(make_url(url))[1]  # type: ignore[no-untyped-call]
    return await asyncpg.connect(**options, timeout=_CONNECT_SECONDS, server_settings={"jit": "off"})


async def _copy_out(connection: Any, table: TablePart, sink: Sink) -> None:
    columns = ", ".join(f'"{column}"' for column in table.columns)
    await connection.copy_from_query(f'SELECT {columns} FROM "{table.name}"', output=sink, format="binary")  # noqa: S608


async def _has_rows(connection: Any, table: str) -> bool:
    return bool(await connection.fetchval(f'SELECT EXISTS (SELECT 1 FROM "{table}")'))  # noqa: S608


async def _in_order(connection: Any, tables: Sequence[TablePart]) -> list[TablePart]:
    """Those that others refer to first."""
    known = {table.name: table for table in tables}
    order = TopologicalSorter({name: set[str]() for name in known})
    for row in await connection.fetch(_REFERENCES):
        order.add(row["name"], row["other"])
    return [known[name] for name in order.static_order() if name in known]
