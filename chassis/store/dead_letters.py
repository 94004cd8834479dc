"""What this service gave up, by where each message first stood; a replay is applied once by it, after however long."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, update

from chassis.store.batch import insert_or_skip, rows_by, upsert
from chassis.store.session import Session
from chassis.store.tables import DEAD_LETTER


class Letter(NamedTuple):
    """A message that was given up.

    `origin` names it for good: stream, sequence and moment of its first coming. `is_settled`: a copy of it on another
    lane was applied, or was given up itself.
    """

    origin: str
    message_id: str
    subject: str
    reason: str
    is_settled: bool = False


async def set_aside(session: Session, letters: Sequence[Letter], died_at: datetime) -> None:
    """Note `letters`; of one that died before, the new reason."""
    rows = {letter.origin: _row(letter, died_at, died_at if letter.is_settled else None) for letter in letters}
    await upsert(session, DEAD_LETTER, list(rows.values()), update=("reason", "died_at"))


async def noted(session: Session, origins: Collection[str]) -> dict[str, bool]:
    """Those of `origins` that were given up, and whether a replay was applied since."""
    rows = await session.execute(
        rows_by(DEAD_LETTER.c.origin, DEAD_LETTER.c.origin, DEAD_LETTER.c.replayed_at), {"keys": origins}
    )
    return {origin: replayed_at is not None for origin, replayed_at in rows}


async def waiting(session: Session, most: int) -> int:
    """How many wait for their replay, counted up to `most`. No index helps: there are few letters, or should be."""
    rows = select(DEAD_LETTER.c.origin).where(DEAD_LETTER.c.replayed_at.is_(None)).limit(most).subquery()
    return int(await session.scalar(select(func.count()).select_from(rows)) or 0)


async def take_replay(session: Session, origin: str, at: datetime) -> bool:
    """Whether the letter waits for its replay; it does not any more, once `session` commits."""
    where = (DEAD_LETTER.c.origin == origin, DEAD_LETTER.c.replayed_at.is_(None))
    return (
        await session.scalar(update(DEAD_LETTER).where(*where).values(replayed_at=at).returning(DEAD_LETTER.c.origin))
        is not None
    )


async def take_unnoted_replay(session: Session, letter: Letter, at: datetime) -> bool:
    """As `take_replay`, of a letter from before they were noted: the first replay writes the note, unless it died as
    well.
    """
    return await take_replay(session, letter.origin, at) or bool(
        await insert_or_skip(session, DEAD_LETTER, [_row(letter, at, at)])
    )


def _row(letter: Letter, died_at: datetime, replayed_at: datetime | None) -> dict[str, object]:
    row = {"origin": letter.origin, "message_id": letter.message_id, "subject": letter.subject, "reason": letter.reason}
    return {**row, "died_at": died_at, "replayed_at": replayed_at}
