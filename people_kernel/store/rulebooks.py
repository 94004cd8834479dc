"""The versions of a rulebook, and which one decides. A version's text never changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Column, Index, Integer, MetaData, Select, String, Table, Text, select, text, update

from chassis.store.batch import insert_or_skip
from chassis.store.columns import UtcDateTime
from chassis.store.session import Session
from chassis.store.statements import Row


class VersionState(StrEnum):
    """How far a version has come. Tested, simulated, approved and retired will stand between and after these."""

    DRAFT = "draft"
    ACTIVE = "active"


def rulebook_table(metadata: MetaData) -> Table:
    """The table `rulebook`; one version decides at a time, whoever activates what at once."""
    is_active = text("state = 'active'")
    return Table(
        "rulebook",
        metadata,
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("digest", String, nullable=False, unique=True),
        Column("state", String, nullable=False),
        Column("document", Text, nullable=False),
        Column("created_at", UtcDateTime, nullable=False),
        Column("created_by", String, nullable=False),
        Column("activated_at", UtcDateTime, nullable=True),
        Column("activated_by", String, nullable=True),
        Index("rulebook_active", "state", unique=True, sqlite_where=is_active, postgresql_where=is_active),
    )


class VersionInfo(NamedTuple):
    """A version without its text."""

    version: int
    digest: str
    state: str

    @property
    def is_active(self) -> bool:
        """Whether it is the one that decides."""
        return self.state == VersionState.ACTIVE.value


@dataclass(frozen=True, slots=True)
class Draft:
    """A new version as it is written."""

    version: int
    digest: str
    document: str
    created_by: str
    created_at: datetime


async def load_states(session: Session, table: Table) -> list[VersionInfo]:
    """All that there are, the first first."""
    rows = await session.execute(select(table.c.version, table.c.digest, table.c.state).order_by(table.c.version))
    return [VersionInfo(row.version, row.digest, row.state) for row in rows]


async def load_decided(session: Session, table: Table) -> list[VersionInfo]:
    """Those that decide, or did at some time: what is stored may name them, and no other. The first first."""
    return [VersionInfo(*row) for row in await session.execute(_deciding(table))]


@lru_cache(maxsize=16)
def _deciding(table: Table) -> Select[Any]:
    return (
        select(table.c.version, table.c.digest, table.c.state)
        .where(table.c.activated_at.is_not(None))
        .order_by(table.c.version)
    )


async def load_all(session: Session, table: Table) -> Sequence[Row]:
    """All versions, the latest first."""
    return await session.execute(select(table).order_by(table.c.version.desc()))


async def load_one(session: Session, table: Table, version: int) -> Row | None:
    """One version."""
    return (await session.execute(select(table).where(table.c.version == version))).first()


async def load_documents(session: Session, table: Table, wanted: Sequence[int]) -> dict[int, str]:
    """Version -> text."""
    rows = await session.execute(select(table.c.version, table.c.document).where(table.c.version.in_(wanted)))
    return {row.version: row.document for row in rows}


async def find_by_digest(session: Session, table: Table, digest: str) -> Row | None:
    """The version with this content."""
    return (await session.execute(select(table).where(table.c.digest == digest))).first()


async def add_draft(session: Session, table: Table, draft: Draft) -> bool:
    """False if another request took the number, or wrote the same content, first."""
    row = {
        "version": draft.version,
        "digest": draft.digest,
        "state": VersionState.DRAFT.value,
        "document": draft.document,
        "created_at": draft.created_at,
        "created_by": draft.created_by,
        "activated_at": None,
        "activated_by": None,
    }
    return bool(await insert_or_skip(session, table, [row]))


async def activate(session: Session, table: Table, version: int, by: tuple[str, datetime]) -> None:
    """`version` decides from now on, and the one that did is a draft again; `by` is who said so and when."""
    await session.execute(
        update(table).where(table.c.state == VersionState.ACTIVE.value).values(state=VersionState.DRAFT.value)
    )
    changed = {"state": VersionState.ACTIVE.value, "activated_by": by[0], "activated_at": by[1]}
    await session.execute(update(table).where(table.c.version == version).values(**changed))
