"""How handlers, commands and routes read and write: statements of SQLAlchemy Core, run on the driver, rows back.

And who decides first where several may at once: locks that last as long as the transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Executable, text

from chassis.store.statements import COMPILERS, DialectName, Rows, Values

Fetched = tuple[Sequence[Any], Iterable[str]]
"""A driver's rows, and the names of their columns."""

_NO_VALUES: Values = {}


class Driver(Protocol):
    """One connection inside a transaction."""

    async def fetch(self, sql: str, values: Sequence[Any]) -> Fetched:
        """Run one statement and read all it answers."""
        ...

    async def fetch_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> Fetched:
        """Run a statement once for each row of values and read all they answer."""
        ...

    async def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement that answers nothing once for each row of values."""
        ...

    def pages(self, sql: str, values: Sequence[Any], size: int) -> AsyncIterator[Fetched]:
        """Run one statement and read what it answers `size` rows at a time."""
        ...


class Session:
    """One transaction. A statement that is built once, with values by name, is compiled once and looked up by itself:

        _KNOWN = select(FRAGMENT).where(among(FRAGMENT.c.fragment_id, "ids"))
        rows = await session.execute(_KNOWN, {"ids": fragment_ids})

    One that is put together anew each time works as well; it costs what putting it together and finding its shape cost.
    """

    __slots__ = ("_compiler", "_driver", "_is_open", "dialect")

    def __init__(self, driver: Driver, dialect: DialectName) -> None:
        self.dialect = dialect
        self._driver = driver
        self._compiler = COMPILERS[dialect]
        self._is_open = True

    async def execute(self, statement: Executable, values: Values | Sequence[Values] = _NO_VALUES) -> Rows:
        """Run it with `values` by name; with a list of them once for each (all have the same names).

        Raises StoreError.
        """
        self._check_open()
        if isinstance(values, Mapping):
            prepared = self._compiler.prepare(statement, values)
            sql, bound = prepared.bind(values)
            raw, keys = await self._driver.fetch(sql, bound)
            return prepared.shape.rows(raw, keys)
        return await self._execute_many(statement, values)

    async def scalars(self, statement: Executable, values: Values = _NO_VALUES) -> list[Any]:
        """The first column of all rows."""
        return [row[0] for row in await self.execute(statement, values)]

    async def scalar(self, statement: Executable, values: Values = _NO_VALUES) -> Any:
        """The first column of the first row; None when there is no row."""
        rows = await self.execute(statement, values)
        return rows[0][0] if rows else None

    async def pages(self, statement: Executable, size: int, values: Values = _NO_VALUES) -> AsyncIterator[Rows]:
        """What it answers, `size` rows at a time: for more than fits in memory, or would keep others waiting."""
        self._check_open()
        prepared = self._compiler.prepare(statement, values)
        sql, bound = prepared.bind(values)
        async for raw, keys in self._driver.pages(sql, bound, size):
            yield prepared.shape.rows(raw, keys)

    def end(self) -> None:
        """The transaction is over: what comes later would be in none."""
        self._is_open = False

    async def _execute_many(self, statement: Executable, rows: Sequence[Values]) -> Rows:
        if not rows:
            return Rows()
        prepared = self._compiler.prepare(statement, rows[0], is_many=True)
        sql, bound = prepared.bind_many(rows)
        if getattr(statement, "_returning", ()):
            return prepared.shape.rows(*await self._driver.fetch_many(sql, bound))
        await self._driver.run_many(sql, bound)
        return Rows()

    def _check_open(self) -> None:
        if not self._is_open:
            raise RuntimeError("the transaction of this session is over")


async def lock(session: Session, ids: Collection[str]) -> bool:
    """Lets one shard, stream or request at a time decide about these people or fragments, known or not, until the
    transaction ends.

    Needless on SQLite, which has one writer: answers whether there was anything to lock,
    so that what was read before may be old.
    """
    if session.dialect != "postgresql":
        return False
    await session.execute(_LOCK, {"ids": sorted(ids)})
    return True


async def try_lock(session: Session, ids: Collection[str]) -> bool:
    """The same without waiting, for whoever holds what the others may wait for: false if anybody else decides about one
    of these now.
    """
    if session.dialect != "postgresql":
        return True
    return bool(await session.scalar(_TRY, {"ids": sorted(ids)}))


_LOCK = text(
    "SELECT count(pg_advisory_xact_lock(k)) FROM"
    " (SELECT DISTINCT hashtextextended(i, 7) AS k FROM unnest(CAST(:ids AS text[])) AS i ORDER BY k) AS keys"
)
_TRY = text(
    "SELECT coalesce(bool_and(pg_try_advisory_xact_lock(k)), true) FROM"
    " (SELECT DISTINCT hashtextextended(i, 7) AS k FROM unnest(CAST(:ids AS text[])) AS i ORDER BY k) AS keys"
)
