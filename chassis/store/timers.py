"""Durable alarm clocks: one per (kind, key), set, replaced and cancelled in the transaction of what they follow
from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Column, Select, String, bindparam, delete, func, select, text, tuple_, update

from chassis.store.background import backoff
from chassis.store.batch import upsert
from chassis.store.session import Session
from chassis.store.statements import Row
from chassis.store.tables import FAILING_ATTEMPTS, TIMER

_LONGEST_DELAY_SECONDS = 3600.0
_LONGEST_REASON = 1000
_IS_FAILING = text(f"attempts >= {FAILING_ATTEMPTS}")  # as the index has it, or SQLite would not use it


_CANCEL = delete(TIMER).where(
    TIMER.c.kind == bindparam("kind_", type_=String), TIMER.c.key == bindparam("key_", type_=String)
)


@dataclass(frozen=True, slots=True)
class Timer:
    """`payload` is handed back to the handler of `kind` at `due_at` (aware) or soon after."""

    kind: str
    key: str
    due_at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)


async def set_timer(session: Session, timer: Timer) -> None:
    """Set one; it replaces the one of the same kind and key."""
    await set_timers(session, [timer])


async def set_timers(session: Session, timers: Iterable[Timer]) -> None:
    """Set many in one statement; of several with the same kind and key the last one counts."""
    rows = {
        (timer.kind, timer.key): {
            "kind": timer.kind,
            "key": timer.key,
            "due_at": timer.due_at,
            "fire_at": timer.due_at,
            "attempts": 0,
            "payload": dict(timer.payload),
            "reason": None,
        }
        for timer in timers
    }
    await upsert(session, TIMER, list(rows.values()))


async def cancel_timer(session: Session, kind: str, key: str) -> None:
    """Forget one; nothing happens if there is none."""
    await cancel_timers(session, [(kind, key)])


async def cancel_timers(session: Session, names: Collection[tuple[str, str]]) -> None:
    """Forget many by (kind, key)."""
    await session.execute(_CANCEL, [{"kind_": kind, "key_": key} for kind, key in sorted(set(names))])


async def take_due(session: Session, now: datetime, kinds: Collection[str], limit: int) -> list[Timer]:
    """Remove and answer up to `limit` timers of `kinds` that are due, earliest first.

    If `session` rolls back they are there again. Timers that another
    transaction is taking are passed over (PostgreSQL).
    """
    # a CTE, since a locking subquery may be run more than once inside IN
    due = _due(now, kinds, limit).with_for_update(skip_locked=True).cte("due")
    taken = delete(TIMER).where(tuple_(TIMER.c.kind, TIMER.c.key).in_(select(due.c.kind, due.c.key)))
    rows = await session.execute(taken.returning(TIMER.c.kind, TIMER.c.key, TIMER.c.due_at, TIMER.c.payload))
    return sorted(
        (Timer(row.kind, row.key, row.due_at, row.payload) for row in rows),
        key=lambda timer: (timer.due_at, timer.kind, timer.key),
    )


async def next_due(session: Session, kinds: Collection[str]) -> datetime | None:
    """When the earliest timer of `kinds` is to fire."""
    moment: datetime | None = await session.scalar(
        select(func.min(TIMER.c.fire_at)).where(TIMER.c.kind.in_(sorted(kinds)))
    )
    return moment


class Overdue(NamedTuple):
    """How many timers ought to have fired by now, and for how long the first of them has waited."""

    many: int
    late_seconds: float


async def overdue(session: Session, now: datetime, kinds: Collection[str], most: int) -> Overdue:
    """Of `kinds`, counted up to `most`.

    One whose handler failed is late from when it is to be tried again.
    """
    if not kinds:
        return Overdue(0, 0.0)
    late = select(TIMER.c.fire_at).where(TIMER.c.kind.in_(sorted(kinds)), TIMER.c.fire_at <= now)
    rows = late.order_by(TIMER.c.fire_at).limit(most).subquery()
    found = (
        await session.execute(
            select(func.count().label("rows"), func.min(rows.c.fire_at).label("first")).select_from(rows)
        )
    ).one()
    return Overdue(found.rows, 0.0 if found.first is None else max(0.0, (now - found.first).total_seconds()))


async def postpone_first(
    session: Session, now: datetime, kinds: Collection[str], reason: str
) -> tuple[str, str] | None:
    """Let the first due timer wait for another try, longer each time, so that those behind it go on; answers its (kind,
    key).

    Its `due_at` stays: handlers decide by when it was due, not by when they managed.
    """
    columns = (TIMER.c.kind, TIMER.c.key, TIMER.c.attempts)
    first = (
        await session.execute(_due(now, kinds, 1).with_only_columns(*columns).with_for_update(skip_locked=True))
    ).first()
    if first is None:
        return None
    delay = timedelta(seconds=backoff(first.attempts + 1, first=1.0, most=_LONGEST_DELAY_SECONDS))
    one = (TIMER.c.kind == first.kind) & (TIMER.c.key == first.key)
    await session.execute(
        update(TIMER)
        .where(one)
        .values(fire_at=now + delay, attempts=first.attempts + 1, reason=reason[:_LONGEST_REASON])
    )
    return first.kind, first.key


async def failing(session: Session) -> list[tuple[str, int]]:
    """How many timers of each kind failed so often that they count as set aside.

    They are still tried, an hour apart at most.
    """
    counted = select(TIMER.c.kind, func.count()).where(_IS_FAILING).group_by(TIMER.c.kind).order_by(TIMER.c.kind)
    return [(kind, count) for kind, count in await session.execute(counted)]


async def list_failing(session: Session, limit: int) -> Sequence[Row]:
    """The first `limit` of these: kind, key, due_at, fire_at, attempts, reason."""
    columns: list[Column[Any]] = [TIMER.c[name] for name in ("kind", "key", "due_at", "fire_at", "attempts", "reason")]
    return await session.execute(
        select(*columns).where(_IS_FAILING).order_by(TIMER.c.kind, TIMER.c.due_at).limit(limit)
    )


async def retry_failing(session: Session) -> int:
    """Have all of these fire now, and count their failures anew; answers how many there are."""
    again = update(TIMER).where(_IS_FAILING).values(fire_at=TIMER.c.due_at, attempts=0)
    return len(await session.execute(again.returning(TIMER.c.key)))


def _due(now: datetime, kinds: Collection[str], limit: int) -> Select[Any]:
    is_due = TIMER.c.kind.in_(sorted(kinds)) & (TIMER.c.fire_at <= now)
    return (
        select(TIMER.c.kind, TIMER.c.key)
        .where(is_due)
        .order_by(TIMER.c.fire_at, TIMER.c.due_at, TIMER.c.kind, TIMER.c.key)
        .limit(limit)
    )
