"""What was applied is known: by the floor of its lane for ever, by its id for as long as it may come again further
up.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from chassis.bus.errors import LanesDiffer
from chassis.message import Mark, StreamState
from chassis.store import inbox
from chassis.store.database import Database
from chassis.store.floors import floors_of, open_floors
from chassis.store.inbox import Arrival, InboxReading
from chassis.store.tables import INBOX, INBOX_BEFORE
from contracts.limits import INBOX_DAYS, INBOX_SEQUENCES
from tests.chassis.store.vocabulary import NOON
from tests.support.stores import prepare

STREAM = "IDENTITY"


def at(sequence: int, *, later: timedelta = timedelta(0)) -> Mark:
    """A place: the stream stores a message a second."""
    return Mark(sequence, NOON + timedelta(seconds=sequence) + later)


def arrivals(*sequences: int, lane: int = 0) -> list[Arrival]:
    """Messages m<sequence>."""
    return [Arrival(f"m{sequence}", lane, at(sequence)) for sequence in sequences]


async def opened(
    database: Database, *, lanes: int = 1, stream: str = STREAM, last: int = 1_000_000, numbers: int = 1
) -> dict[int, Mark]:
    async with database.begin() as session:
        return await open_floors(session, StreamState(stream, at(last), numbers), lanes)


async def apply(database: Database, come: Sequence[Arrival], *, reading: InboxReading | None = None) -> set[int]:
    async with database.begin() as session:
        last = max(arrival.place for arrival in come)
        return await inbox.claim(session, reading or InboxReading(STREAM, 1, (0,)), come, last)


async def rows(database: Database) -> int:
    async with database.read() as session:
        return await session.scalar(select(func.count()).select_from(INBOX)) or 0


async def purge(database: Database, now: datetime | None = None) -> int:
    async with database.begin() as session:
        return await inbox.forget(session, now or datetime.now(UTC), 1000)


async def test_what_came_before_is_skipped_also_under_another_number_and_twice_in_a_batch(database: Database) -> None:
    await opened(database)
    assert await apply(database, arrivals(1, 2, 3)) == {1, 2, 3}
    again = [Arrival("m2", 0, at(4)), Arrival("m5", 0, at(5)), Arrival("m5", 0, at(6))]
    assert await apply(database, [*arrivals(2, 3), *again]) == {5}


async def test_the_floor_outlives_the_rows(database: Database) -> None:
    await opened(database)
    await apply(database, arrivals(1, 2, 3))
    await apply(database, arrivals(INBOX_SEQUENCES + 2))
    assert await purge(database) == 2
    assert await rows(database) == 2
    assert await apply(database, arrivals(1, 2, 3, INBOX_SEQUENCES + 2)) == set()


async def test_rows_of_a_lane_that_lags_stay_until_it_has_caught_up(database: Database) -> None:
    await opened(database, lanes=2)
    await apply(database, arrivals(1, lane=1), reading=InboxReading(STREAM, 2, (1,)))
    await apply(database, arrivals(9 * INBOX_SEQUENCES), reading=InboxReading(STREAM, 2, (0,)))
    assert await purge(database) == 0
    assert await apply(database, [Arrival("m1", 1, at(900))], reading=InboxReading(STREAM, 2, (1,))) == set()


async def test_rows_of_captures_and_of_what_comes_on_each_lane_go_by_age(database: Database) -> None:
    await opened(database, stream="CAPTURE")
    await opened(database)
    await apply(database, arrivals(1), reading=InboxReading("CAPTURE", 1, (0,)))
    await apply(database, [Arrival("merged", 0, at(1), is_in_each_lane=True)])
    await apply(database, arrivals(9 * INBOX_SEQUENCES))
    now = datetime.now(UTC)
    assert await purge(database, now + timedelta(days=INBOX_DAYS - 1)) == 0
    assert await purge(database, now + timedelta(days=INBOX_DAYS + 1)) == 2
    assert await rows(database) == 1


async def test_purging_goes_in_small_batches(database: Database) -> None:
    await opened(database)
    await apply(database, arrivals(*range(1, 31)))
    await apply(database, arrivals(9 * INBOX_SEQUENCES))
    async with database.begin() as session:
        assert [await inbox.forget(session, datetime.now(UTC), 20) for _ in range(3)] == [20, 10, 0]


async def test_a_floor_never_goes_back_and_a_batch_of_known_messages_moves_it_too(database: Database) -> None:
    await opened(database)
    await apply(database, arrivals(1, 5))
    await apply(database, arrivals(2, 3))  # a reader that was slow
    async with database.begin() as session:
        assert (await floors_of(session, STREAM))[0].sequence == 5
        await inbox.claim(session, InboxReading(STREAM, 1, (0,)), [], at(8))
        assert (await floors_of(session, STREAM))[0].sequence == 8


async def test_a_rollback_leaves_the_floor_where_it_was(database: Database) -> None:
    await opened(database)

    async def fail() -> None:
        async with database.begin() as session:
            await inbox.claim(session, InboxReading(STREAM, 1, (0,)), arrivals(1, 2), at(2))
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await fail()
    assert await apply(database, arrivals(1, 2)) == {1, 2}


async def test_a_stream_made_anew_counts_from_one_again_and_nothing_of_it_is_swallowed(database: Database) -> None:
    await opened(database, last=3)
    await apply(database, arrivals(1, 2, 3))
    fresh = [Arrival(f"new{number}", 0, at(number, later=timedelta(days=1))) for number in (1, 2)]
    # said again, as its sender did not know that it was lost with the stream
    repeated = Arrival("m3", 0, at(3, later=timedelta(days=1)))
    assert await apply(database, [*fresh, repeated]) == {1, 2}
    assert await apply(database, [*fresh, repeated]) == set()
    assert await apply(database, [Arrival("new4", 0, at(4, later=timedelta(days=1)))]) == {4}


async def test_a_floor_above_the_end_of_its_stream_is_lowered_when_a_lane_opens(database: Database) -> None:
    await opened(database)
    await apply(database, arrivals(1, 500))
    assert (await opened(database, last=20))[0].sequence == 20


async def test_new_lane_numbers_begin_where_a_durable_acknowledged_them_else_at_nothing(database: Database) -> None:
    async with database.begin() as session:
        floors = await open_floors(session, StreamState(STREAM, at(90), 3, {0: 70, 2: 40}), 1)
    assert {lane: mark.sequence for lane, mark in floors.items()} == {0: 70, 1: 0, 2: 40}
    assert await apply(
        database, [*arrivals(70), *arrivals(41, 40, lane=2)], reading=InboxReading(STREAM, 1, (0, 1, 2))
    ) == {41}


async def test_who_runs_with_other_lanes_can_apply_nothing(database: Database) -> None:
    await opened(database, lanes=1)
    await opened(database, lanes=4)
    with pytest.raises(LanesDiffer, match="run with 4 lanes, this process with 1"):
        await apply(database, arrivals(1))
    assert await rows(database) == 0


async def test_rows_of_the_time_before_floors_are_asked_as_well_and_go_by_age(database: Database) -> None:
    old = [
        {"consumer": name, "message_id": name + "1", "claimed_at": datetime.now(UTC)}
        for name in ("scoring", "scoring-0", "scoring-1")
    ]
    async with database.begin() as session:
        await session.execute(insert(INBOX_BEFORE), old)
        before = await inbox.consumers_before(session)
    await opened(database)
    assert before == ("scoring", "scoring-0", "scoring-1")
    come = [
        Arrival(message_id, 0, at(number))
        for number, message_id in enumerate(("scoring1", "scoring-11", "m3"), start=1)
    ]
    assert await apply(database, come, reading=InboxReading(STREAM, 1, (0,), before)) == {3}
    assert await purge(database, datetime.now(UTC) + timedelta(days=INBOX_DAYS + 1)) == 3
    async with database.read() as session:
        assert await inbox.consumers_before(session) == ()


async def test_two_readers_of_one_lane_at_the_same_time_apply_each_message_once(store_url: str) -> None:
    """Pinning is no fence: a reader that was replaced may still be at work."""
    await prepare(store_url)
    async with Database(store_url) as one, Database(store_url) as other:
        await opened(one)
        applied: list[int] = []

        async def read(database: Database, size: int) -> None:
            for first in range(1, 200, size):
                applied.extend(await apply(database, arrivals(*range(first, min(first + size, 200)))))

        await asyncio.gather(read(one, 7), read(other, 11))
        assert sorted(applied) == list(range(1, 200))


# --- random lives of a stream
# ------------------------------------------------------------------------------------------------------------------

_STRIDE = 900  # sequences between two messages: what comes again two messages further up is within what a relay repeats


@dataclass
class Cursor:
    """A durable, as the server keeps it, of one lane: what was acknowledged, and the runs that readers have of it."""

    heard: tuple[int, ...]
    acknowledged: int
    # by reader: its run stands here; -1: it has to begin at the floor
    positions: list[int] = field(default_factory=lambda: [-1, -1])


@dataclass
class Life:
    """A stream, the durables of a service on it, and what the service applied."""

    database: Database
    messages: list[Arrival]
    lanes: int = 1
    cursors: list[Cursor] = field(default_factory=list)
    applied: list[Arrival] = field(default_factory=list)

    async def change_lanes(self, lanes: int) -> None:
        """All durables go; the new ones begin behind the lowest floor of what they hear."""
        self.lanes = lanes
        numbers = 1 + max((message.lane for message in self.messages), default=0)
        floors = await opened(self.database, lanes=lanes, numbers=numbers, last=self.messages[-1].place.sequence)
        self.cursors = []
        for lane in range(lanes):
            heard = tuple(number for number in floors if number % lanes == lane)
            self.cursors.append(Cursor(heard, min(floors[number].sequence for number in heard)))

    async def read(self, lane: int, reader: int, size: int, *, is_acknowledged: bool, dies: bool = False) -> bool:
        """A reader takes the next messages of its run, applies them and (perhaps) acknowledges; false when there was
        nothing.
        """
        cursor = self.cursors[lane % self.lanes]
        if cursor.positions[reader] < 0:
            cursor.positions[reader] = cursor.acknowledged
        batch = [
            one for one in self.messages if one.lane in cursor.heard and one.place.sequence > cursor.positions[reader]
        ][:size]
        if not batch:
            return False
        try:
            async with self.database.begin() as session:
                fresh = await inbox.claim(
                    session, InboxReading(STREAM, self.lanes, cursor.heard), batch, batch[-1].place
                )
                if dies:
                    raise InterruptedError
        except InterruptedError:
            cursor.positions[reader] = -1
            return True
        cursor.positions[reader] = batch[-1].place.sequence
        self.applied += [one for one in batch if one.place.sequence in fresh]
        if is_acknowledged:
            cursor.acknowledged = max(cursor.acknowledged, cursor.positions[reader])
        return True

    async def drain(self) -> None:
        """Whatever is left, by one reader a lane that begins at what was acknowledged."""
        for lane, cursor in enumerate(self.cursors):
            cursor.positions = [-1, -1]
            while await self.read(lane, 0, 4, is_acknowledged=True):
                pass


@st.composite
def streams(draw: st.DrawFn) -> list[Arrival]:
    """Events on up to four lanes; some are said again shortly after, some on every lane."""
    said: list[tuple[str, int]] = []
    for number in range(draw(st.integers(4, 14))):
        kind = draw(st.sampled_from(("plain", "plain", "again", "each")))
        if kind == "again" and said:
            said.append(said[-draw(st.integers(1, min(2, len(said))))])
        elif kind == "each":
            said += [(f"each{number}", lane) for lane in range(4)]
        else:
            said.append((f"m{number}", draw(st.integers(0, 3))))
    return [
        Arrival(message_id, lane, at(index * _STRIDE), message_id.startswith("each"))
        for index, (message_id, lane) in enumerate(said, start=1)
    ]


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("read"),
            st.integers(0, 3),
            st.integers(0, 1),
            st.integers(1, 4),
            st.sampled_from(("acknowledged", "lost", "dies")),
        ),
        st.tuples(st.just("reset"), st.integers(0, 3), st.integers(0, 1)),
        st.tuples(st.just("lanes"), st.sampled_from((1, 2, 3, 4))),
        st.tuples(st.just("purge")),
    ),
    max_size=25,
)


async def live(messages: list[Arrival], steps: list[tuple[object, ...]]) -> list[Arrival]:
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/store.db"
        await prepare(url)
        async with Database(url, durability="normal") as database:
            life = Life(database, messages)
            await life.change_lanes(1)
            for step in steps:
                match step:
                    case ("read", int(lane), int(reader), int(size), outcome):
                        await life.read(
                            lane, reader, size, is_acknowledged=outcome == "acknowledged", dies=outcome == "dies"
                        )
                    case ("reset", int(lane), int(reader)):
                        life.cursors[lane % life.lanes].positions[reader] = -1
                    case ("lanes", int(lanes)):
                        await life.change_lanes(lanes)
                    case ("purge",):
                        await purge(database)
            await life.drain()
            return life.applied


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(messages=streams(), steps=STEPS)
def test_whatever_readers_resets_purges_and_lanes_do_each_message_is_applied_once_and_in_order(
    messages: list[Arrival], steps: list[tuple[object, ...]]
) -> None:
    applied = asyncio.run(live(messages, steps))
    assert sorted(one.message_id for one in applied) == sorted({one.message_id for one in messages})
    for lane in range(4):
        places = [one.place.sequence for one in applied if one.lane == lane]
        assert places == sorted(places)
