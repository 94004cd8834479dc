"""Up to where each lane of a stream was applied: one row a stream and lane number, moved in the transaction of the
effects.

The number is the one in the message's subject, not the reader's: how many lanes a service
reads in may change, and the floors hold.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, BigInteger, Integer, Select, String, bindparam, select, text, update
from sqlalchemy.types import TypeEngine

from chassis.bus.errors import LanesDiffer
from chassis.message import Mark, StreamState
from chassis.store.batch import insert_or_skip
from chassis.store.columns import UtcDateTime, dump_json
from chassis.store.session import Session
from chassis.store.tables import INBOX_FLOOR

_AMONG = {"sqlite": "lane IN (SELECT value FROM json_each(:numbers))", "postgresql": "lane = ANY(:numbers)"}
_LISTS: dict[str, TypeEngine[Any]] = {"sqlite": String(), "postgresql": ARRAY(Integer)}
# by hand, because each batch runs them: put together by SQLAlchemy they take twice the time
_LOCK = {
    dialect: text(f"SELECT lane, lanes, sequence, stored_at FROM inbox_floor WHERE stream = :stream AND {among}{lock}")  # noqa: S608 - our own words
    .bindparams(bindparam("numbers", type_=_LISTS[dialect]))
    .columns(lane=Integer, lanes=Integer, sequence=BigInteger, stored_at=UtcDateTime)
    for (dialect, among), lock in zip(_AMONG.items(), ("", " ORDER BY lane FOR UPDATE"), strict=True)
}
_MOVE = {
    dialect: text(
        f"UPDATE inbox_floor SET sequence = :sequence, stored_at = :stored_at WHERE stream = :stream AND {among}"  # noqa: S608
    ).bindparams(
        bindparam("numbers", type_=_LISTS[dialect]),
        bindparam("stored_at", type_=UtcDateTime),
        bindparam("sequence", type_=BigInteger),
    )
    for dialect, among in _AMONG.items()
}


class Floor(NamedTuple):
    """How far one lane number was applied, and with how many lanes the service runs."""

    mark: Mark
    lanes: int


async def open_floors(session: Session, stream: StreamState, lanes: int, numbers: int = 1) -> dict[int, Mark]:
    """The floors of all lane numbers there are, for a service that runs with `lanes` from now on.

    `numbers`: so many lane numbers there are at least. One that was never heard begins where a durable acknowledged it
    (a store of before floors, or a new one), else at 0; at the end, if the stream holds nothing under it. A floor
    higher than the stream is lowered to its end: the stream was made anew or set back.
    """
    found = await _read(session, _of(stream.name).with_for_update())
    known = max(lanes, numbers, stream.lanes, 1 + max(found, default=-1))
    missing = [lane for lane in range(known) if lane not in found]
    await insert_or_skip(session, INBOX_FLOOR, [_new_row(stream, lane, lanes) for lane in missing])
    high = (INBOX_FLOOR.c.stream == stream.name, INBOX_FLOOR.c.sequence > stream.last.sequence)
    await session.execute(update(INBOX_FLOOR).where(*high).values(sequence=stream.last.sequence))
    await session.execute(
        update(INBOX_FLOOR).where(INBOX_FLOOR.c.stream == stream.name, INBOX_FLOOR.c.lanes != lanes).values(lanes=lanes)
    )
    return await floors_of(session, stream.name)


async def floors_of(session: Session, stream: str) -> dict[int, Mark]:
    """Up to where each lane number of `stream` was applied."""
    return {lane: floor.mark for lane, floor in (await _read(session, _of(stream))).items()}


async def lock(session: Session, stream: str, numbers: Collection[int], lanes: int) -> dict[int, Floor]:
    """The floors of these lane numbers, for this transaction alone: another reader of one of them waits (PostgreSQL;
    SQLite has one writer).

    Raises LanesDiffer when the service runs with another number than `lanes`.
    """
    rows = await session.execute(_LOCK[_dialect(session)], {"stream": stream, "numbers": _listed(session, numbers)})
    found = {lane: Floor(Mark(sequence, stored_at), run_with) for lane, run_with, sequence, stored_at in rows}
    for floor in found.values():
        if floor.lanes != lanes:
            raise LanesDiffer(lanes, floor.lanes)
    return found


async def move(session: Session, stream: str, locked: Mapping[int, Floor], last: Mark) -> None:
    """All that is heard up to `last` is applied now."""
    moves: dict[Mark, list[int]] = {}
    for lane, floor in locked.items():
        if (moved := _moved(floor.mark, last)) != floor.mark:
            moves.setdefault(moved, []).append(lane)
    for moved, numbers in moves.items():
        values = {
            "stream": stream,
            "numbers": _listed(session, numbers),
            "sequence": moved.sequence,
            "stored_at": moved.stored_at,
        }
        await session.execute(_MOVE[_dialect(session)], values)


def covers(floor: Floor | None, place: Mark) -> bool:
    """Whether what stands at `place` was applied.

    A younger message with a lower number is another one: the stream was made anew or set back.
    """
    return floor is not None and place.sequence <= floor.mark.sequence and place.stored_at <= floor.mark.stored_at


def _moved(floor: Mark, last: Mark) -> Mark:
    if last.sequence > floor.sequence:
        return Mark(last.sequence, max(floor.stored_at, last.stored_at))
    return last if last.stored_at > floor.stored_at else floor


def _dialect(session: Session) -> str:
    return session.dialect


def _listed(session: Session, numbers: Collection[int]) -> str | list[int]:
    return dump_json(list(numbers)) if _dialect(session) == "sqlite" else list(numbers)


def _of(stream: str) -> Select[Any]:
    columns = (INBOX_FLOOR.c.lane, INBOX_FLOOR.c.lanes, INBOX_FLOOR.c.sequence, INBOX_FLOOR.c.stored_at)
    return select(*columns).where(INBOX_FLOOR.c.stream == stream).order_by(INBOX_FLOOR.c.lane)


async def _read(session: Session, statement: Select[Any]) -> dict[int, Floor]:
    return {
        lane: Floor(Mark(sequence, stored_at), lanes)
        for lane, lanes, sequence, stored_at in await session.execute(statement)
    }


def _new_row(stream: StreamState, lane: int, lanes: int) -> dict[str, object]:
    sequence = stream.acknowledged.get(lane, 0) if lane < stream.lanes else stream.last.sequence
    return {
        "stream": stream.name,
        "lane": lane,
        "lanes": lanes,
        "sequence": sequence,
        "stored_at": stream.last.stored_at,
    }
