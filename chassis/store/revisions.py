"""Where a store stands in its chains of migrations, beside what this code knows of them.

A store may be older than the code (it is migrated, or awaited), and newer: then the code goes on, as long as no
migration has taken away what it needs. A migration that does says so (`contract`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
from alembic import op
from sqlalchemy import Column, MetaData, Select, String, Table, select

from chassis.store.database import Database
from chassis.store.errors import StoreError
from chassis.store.tables import COMPATIBILITY

CHASSIS: Final = "chassis.store.migrations"
_NO_SUCH_TABLE: Final = "no such table"


class UnknownRevision(Exception):
    """The store was migrated beyond what this version can work with; migrations only go forward."""


@dataclass(frozen=True, slots=True)
class Position:
    """Of one chain: the revision the store is `at` ("": none), the newest that this code knows, and the oldest `known`
    that the store still serves ("": any).
    """

    chain: str
    at: str
    known: str
    serves_from: str = ""

    @property
    def is_behind(self) -> bool:
        """Whether the store lacks what this code needs."""
        return self.at < self.known

    def __str__(self) -> str:
        return f"{self.chain} is at {self.at or 'nothing'}, and {self.known} is needed"


async def positions(database: Database, package: str | None) -> list[Position]:
    """One a chain. Raises UnknownRevision for a store that this code may not touch, and what the store fails with."""
    found = [await _position(database, name) for name in chains(package)]
    for one in found:
        _check(one)
    return found


async def _position(database: Database, chain: str) -> Position:
    applied, known = await _rows(database, _applied(chain)), newest(chain)
    at = max(applied, default="")
    if at <= known:
        return Position(chain, at, known)
    marks = await _rows(
        database, select(COMPATIBILITY.c.serves_from).where(COMPATIBILITY.c.chain == version_table(chain))
    )
    return Position(chain, at, known, max(marks, default=""))


def _check(position: Position) -> None:
    is_foreign = position.at and position.at <= position.known and position.at not in revisions(position.chain)
    if is_foreign:
        raise UnknownRevision(f"the store has {position.at} of {position.chain}, which this version does not know")
    if position.serves_from > position.known:
        raise UnknownRevision(
            f"the store is at {position.at} of {position.chain} and serves versions that know"
            f" {position.serves_from}; this one knows {position.known}: run a newer version"
        )


async def _rows(database: Database, statement: Select[Any]) -> Sequence[str]:
    try:
        async with database.glance() as session:
            return list(await session.scalars(statement))
    except StoreError as error:
        if _NO_SUCH_TABLE in str(error) or isinstance(error.orig, asyncpg.UndefinedTableError):
            return ()
        raise


def contract(serves_from: str) -> None:
    """In a migration that takes away: code that knows less than revision `serves_from` of its chain cannot work with
    the store any more, and is refused from now on.
    """
    table = op.get_context().version_table
    op.execute(COMPATIBILITY.delete().where(COMPATIBILITY.c.chain == table))
    op.execute(COMPATIBILITY.insert().values(chain=table, serves_from=serves_from))


def newest(package: str) -> str:
    """The last revision of `package`, by the names of its files: `0003_what_changed.py`."""
    return max(revisions(package))


def chains(package: str | None) -> list[str]:
    """The chassis's chain, and that of `package`."""
    return [CHASSIS] if package in (None, CHASSIS) else [CHASSIS, str(package)]


def version_table(package: str) -> str:
    """Where the store says which revision of `package` it is at."""
    return "chassis_version" if package == CHASSIS else "version"


def versions_folder(package: str) -> Path:
    """The folder of the revisions of `package`, none of which is imported for it: a name may come from anywhere.

    Raises ModuleNotFoundError.
    """
    first, *rest = package.split(".")
    if all(part.isidentifier() for part in (first, *rest)):
        for place in _places(first):
            folder = Path(place, *rest, "versions")
            if folder.is_dir():
                return folder
    raise ModuleNotFoundError(f"{package} is not a package of migrations")


def _places(package: str) -> Sequence[str]:
    try:
        found = importlib.util.find_spec(package)
    except ValueError:  # what runs as the main module says nothing of itself
        return ()
    return (found.submodule_search_locations if found else None) or ()


def revisions(package: str) -> set[str]:
    """All that `package` has."""
    return {path.name.partition("_")[0] for path in versions_folder(package).glob("[0-9]*_*.py")}


def _applied(package: str) -> Select[Any]:
    table = Table(version_table(package), MetaData(), Column("version_num", String))
    return select(table.c.version_num)
