"""Which messages were applied already: those up to the floor of their lane, and above it those whose ids were claimed.

Both are written in the transaction of the effects. A floor answers for as long as the stream can bring its messages
again; a row is needed only for what may come again further up, under the same id (docs/decisions/0015).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    String,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    text,
    tuple_,
)

from chassis.bus.streams import is_from_outside
from chassis.clock import wall_clock
from chassis.message import Mark
from chassis.store import floors
from chassis.store.batch import one_of
from chassis.store.columns import dump_json
from chassis.store.session import Session
from chassis.store.tables import INBOX, INBOX_BEFORE, INBOX_FLOOR
from contracts.limits import INBOX_DAYS, INBOX_SEQUENCES

# by hand beside `batch.insert_or_skip`: only these values differ from row to row, and sending nothing else
# makes the hottest statement cost a third
_CLAIM_SQLITE = text(
    "INSERT INTO inbox (stream, message_id, lane, sequence, claimed_at) SELECT :stream, value ->> 0, value ->> 1, value"
    " ->> 2, value ->> 3 FROM json_each(:rows) WHERE true ON CONFLICT DO NOTHING RETURNING message_id"
).bindparams(bindparam("stream", type_=String), bindparam("rows", type_=String))
_CLAIM_POSTGRES = text(
    "INSERT INTO inbox (stream, message_id, lane, sequence, claimed_at) SELECT :stream, batch.* "
    "FROM unnest(:ids, :lanes, :sequences, :moments) AS batch ON CONFLICT DO NOTHING RETURNING message_id"
).bindparams(
    bindparam("stream", type_=String),
    bindparam("ids", type_=ARRAY(String)),
    bindparam("lanes", type_=ARRAY(Integer)),
    bindparam("sequences", type_=ARRAY(BigInteger)),
    bindparam("moments", type_=ARRAY(BigInteger)),
)


@dataclass(frozen=True, slots=True)
class InboxReading:
    """Who reads: the lane numbers `heard` on subjects of `stream`, for a service that runs with `lanes`.

    `before`: durables of the time before floors whose rows are asked as well.
    """

    stream: str
    lanes: int
    heard: tuple[int, ...]
    before: tuple[str, ...] = ()


class Arrival(NamedTuple):
    """A message that came. `is_in_each_lane`: the same id comes on several lanes, of which some may lag far behind."""

    message_id: str
    lane: int
    place: Mark
    is_in_each_lane: bool = False


async def claim(session: Session, reading: InboxReading, arrivals: Sequence[Arrival], last: Mark) -> set[int]:
    """The sequences of those of `arrivals` that were not applied before; they are, once `session` commits.

    `last` is the highest place of the batch: all that is heard up to there was applied before or is in this batch, so
    the floors move there. Raises LanesDiffer when the service is run with another number of lanes by now.
    """
    locked = await floors.lock(
        session, reading.stream, {*reading.heard, *(arrival.lane for arrival in arrivals)}, reading.lanes
    )
    above = [arrival for arrival in arrivals if not floors.covers(locked.get(arrival.lane), arrival.place)]
    fresh = await remember(session, reading, above)
    await floors.move(session, reading.stream, {lane: locked[lane] for lane in reading.heard if lane in locked}, last)
    return fresh


async def remember(session: Session, reading: InboxReading, arrivals: Sequence[Arrival]) -> set[int]:
    """Claim by id alone, whatever the floor says: the sequences of those that no row knew."""
    # the same message may be in the batch twice
    first_with = {arrival.message_id: arrival for arrival in reversed(arrivals)}
    if reading.before and first_with:
        for message_id in await _known_before(session, reading.before, first_with.keys()):
            del first_with[message_id]
    if not first_with:
        return set()
    # in one order: two that claim the same ids wait for each other and do not deadlock
    arrived = [first_with[message_id] for message_id in sorted(first_with)]
    return {first_with[message_id].place.sequence for message_id in await _insert(session, reading.stream, arrived)}


async def consumers_before(session: Session) -> tuple[str, ...]:
    """The durables that rows of the time before floors are left of."""
    found: list[str] = []
    statement = select(func.min(INBOX_BEFORE.c.consumer))  # one step in the index a name, however many rows
    while (
        name := await session.scalar(statement.where(INBOX_BEFORE.c.consumer > found[-1]) if found else statement)
    ) is not None:
        found.append(name)
    return tuple(found)


async def knows(session: Session, reading: InboxReading, message_id: str) -> bool:
    """Whether a row, of now or before, knows the id."""
    row = select(INBOX.c.message_id).where(INBOX.c.stream == reading.stream, INBOX.c.message_id == message_id)
    if await session.scalar(row) is not None:
        return True
    return bool(reading.before) and bool(await _known_before(session, reading.before, [message_id]))


async def forget(session: Session, now: datetime, limit: int) -> int:
    """Forget up to `limit` rows of each kind that nothing can bring again (`contracts.limits`); answers how many went
    of the kind with most.
    """
    earliest = now - timedelta(days=INBOX_DAYS)
    gone = [await _forget_aged(session, earliest, limit), await _forget_before(session, earliest, limit)]
    streams = await session.scalars(select(INBOX_FLOOR.c.stream).distinct())
    for stream in streams:
        if not is_from_outside(stream):  # all of its rows go by age, and there are too many to look at
            gone.append(await _forget_passed(session, stream, limit))
    return max(gone)


async def _known_before(session: Session, consumers: Collection[str], message_ids: Collection[str]) -> set[str]:
    where = (one_of(INBOX_BEFORE.c.consumer, consumers), one_of(INBOX_BEFORE.c.message_id, message_ids))
    return set(await session.scalars(select(INBOX_BEFORE.c.message_id).where(*where)))


async def _insert(session: Session, stream: str, arrived: Sequence[Arrival]) -> Sequence[str]:
    now = int(wall_clock().timestamp())
    goes_by_age = is_from_outside(stream)
    moments = [now if goes_by_age or one.is_in_each_lane else None for one in arrived]
    if session.dialect == "postgresql":
        values: dict[str, Any] = {
            "ids": [one.message_id for one in arrived],
            "lanes": [one.lane for one in arrived],
            "sequences": [one.place.sequence for one in arrived],
            "moments": moments,
        }
        return await session.scalars(_CLAIM_POSTGRES, {"stream": stream} | values)
    rows = [
        (one.message_id, one.lane, one.place.sequence, moment) for one, moment in zip(arrived, moments, strict=True)
    ]
    return await session.scalars(_CLAIM_SQLITE, {"stream": stream, "rows": dump_json(rows)})


async def _forget_aged(session: Session, earliest: datetime, limit: int) -> int:
    old = select(INBOX.c.stream, INBOX.c.message_id).where(INBOX.c.claimed_at < int(earliest.timestamp())).limit(limit)
    return await _delete(session, old)


async def _forget_passed(session: Session, stream: str, limit: int) -> int:
    # a row goes by the floor of its own lane: others may be far ahead
    at_floor = (INBOX_FLOOR.c.stream == INBOX.c.stream) & (INBOX_FLOOR.c.lane == INBOX.c.lane)
    is_passed = INBOX.c.sequence <= INBOX_FLOOR.c.sequence - INBOX_SEQUENCES
    passed = select(INBOX.c.stream, INBOX.c.message_id).join(INBOX_FLOOR, at_floor)
    return await _delete(
        session, passed.where(INBOX.c.stream == stream, INBOX.c.claimed_at.is_(None), is_passed).limit(limit)
    )


async def _delete(session: Session, chosen: Any) -> int:
    gone = await session.execute(
        delete(INBOX).where(tuple_(INBOX.c.stream, INBOX.c.message_id).in_(chosen)).returning(INBOX.c.lane)
    )
    return len(gone)


async def _forget_before(session: Session, earliest: datetime, limit: int) -> int:
    is_old = INBOX_BEFORE.c.claimed_at < earliest
    place: ColumnElement[Any]
    if session.dialect == "postgresql":
        place = literal_column("ctid")
        oldest = select(place).select_from(INBOX_BEFORE).where(is_old).limit(limit)
    else:  # rowids grow with time
        place = literal_column("rowid")
        oldest = select(place).select_from(INBOX_BEFORE).order_by(place).limit(limit)
    gone = await session.execute(
        delete(INBOX_BEFORE).where(place.in_(oldest), is_old).returning(INBOX_BEFORE.c.consumer)
    )
    return len(gone)
