"""The versions of the scoring rulebook, and which one decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.store.batch import insert_or_skip
from rulebook.shelf import State
from services.scoring.store.records import table
from services.scoring.store.tables import RulebookRow

RULEBOOK = table(RulebookRow)


async def versions(session: AsyncSession) -> dict[int, str]:
    """Version -> state, of all that there are."""
    rows = await session.execute(select(RULEBOOK.c.version, RULEBOOK.c.state))
    return {row.version: row.state for row in rows}


async def all_rulebooks(session: AsyncSession) -> Sequence[Row[Any]]:
    """All versions, the latest first."""
    return (await session.execute(select(RULEBOOK).order_by(RULEBOOK.c.version.desc()))).all()


async def load_rulebook(session: AsyncSession, version: int) -> Row[Any] | None:
    """One version."""
    return (await session.execute(select(RULEBOOK).where(RULEBOOK.c.version == version))).first()


async def documents(session: AsyncSession, wanted: Sequence[int]) -> dict[int, str]:
    """Version -> text."""
    rows = await session.execute(select(RULEBOOK.c.version, RULEBOOK.c.document).where(RULEBOOK.c.version.in_(wanted)))
    return {row.version: row.document for row in rows}


async def find_by_digest(session: AsyncSession, digest: str) -> Row[Any] | None:
    """The version with this content."""
    return (await session.execute(select(RULEBOOK).where(RULEBOOK.c.digest == digest))).first()


@dataclass(frozen=True, slots=True)
class Draft:
    """A new version as it is written."""

    version: int
    digest: str
    document: str
    created_by: str
    created_at: datetime


async def add_draft(session: AsyncSession, draft: Draft) -> bool:
    """False if another request took the number, or wrote the same content, first."""
    row = {
        "version": draft.version,
        "digest": draft.digest,
        "state": State.DRAFT.value,
        "document": draft.document,
        "created_at": draft.created_at,
        "created_by": draft.created_by,
        "activated_at": None,
        "activated_by": None,
    }
    return bool(await insert_or_skip(session, RULEBOOK, [row]))


async def activate(session: AsyncSession, version: int, by: str, at: datetime) -> None:
    """`version` decides from now on, and the one that did is a draft again."""
    await session.execute(update(RULEBOOK).where(RULEBOOK.c.state == State.ACTIVE.value).values(state=State.DRAFT.value))
    changed = {"state": State.ACTIVE.value, "activated_at": at, "activated_by": by}
    await session.execute(update(RULEBOOK).where(RULEBOOK.c.version == version).values(**changed))
