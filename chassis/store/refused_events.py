"""Events that the broker will not have: taken out of the outbox, so that the others go on, and kept until an operator
puts them back.

An event that is put back comes after all that was said meanwhile, under its own id: who had it skips it, all others
take it as they take a dead letter that is replayed, late.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select

from chassis.message import OutMessage
from chassis.store import outbox
from chassis.store.batch import insert_all, one_of
from chassis.store.session import Session
from chassis.store.statements import Row
from chassis.store.tables import OUTBOX, OUTBOX_REFUSED
from contracts.limits import REFUSED_EVENTS

Reasons = Sequence[tuple[int, str]]
"""(id in the outbox, why it was refused), in the order of the ids."""

_WITHOUT_CONTENT: Final = [column for column in OUTBOX_REFUSED.c if column.name not in ("headers", "body")]


async def set_aside(session: Session, reasons: Reasons, now: datetime) -> int:
    """Take these out of the outbox, as far as there is room; answers how many were taken, the first first.

    So many refused events as there is room for are not the events' fault any more: then it is better that all wait.
    """
    room = max(0, REFUSED_EVENTS - await count(session))
    why = dict(reasons[:room])
    if not why:
        return 0
    gone = await session.execute(delete(OUTBOX).where(one_of(OUTBOX.c.id, list(why))).returning(*OUTBOX.c))
    rows = []
    for row in sorted(gone, key=lambda row: int(row.id)):
        kept = {name: value for name, value in row._asdict().items() if name != "id"}
        rows.append(kept | {"number": row.id, "refused_at": now, "reason": why[row.id]})
    await insert_all(session, OUTBOX_REFUSED, rows)
    return len(why)


async def count(session: Session) -> int:
    """How many there are."""
    return int(await session.scalar(select(func.count()).select_from(OUTBOX_REFUSED)) or 0)


async def listed(session: Session) -> Sequence[Row]:
    """All of them, the oldest first, without headers and body."""
    return await session.execute(select(*_WITHOUT_CONTENT).order_by(OUTBOX_REFUSED.c.number))


async def load(session: Session, number: int) -> Row | None:
    """One of them, with headers and body."""
    return (await session.execute(select(OUTBOX_REFUSED).where(OUTBOX_REFUSED.c.number == number))).first()


async def put_back(session: Session, numbers: Collection[int]) -> list[int]:
    """Say these once more, in the order they were said first; answers the numbers that there were."""
    gone = await session.execute(
        delete(OUTBOX_REFUSED).where(one_of(OUTBOX_REFUSED.c.number, sorted(numbers))).returning(OUTBOX_REFUSED)
    )
    rows = sorted(gone, key=lambda row: int(row.number))
    await outbox.append(session, [(row.event_id, OutMessage(row.subject, row.headers, row.body)) for row in rows])
    return [row.number for row in rows]
