"""Durable timers: one per kind and key, fired once, with the effects of their handlers or not at all."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from chassis.store import timers
from chassis.store.database import Database
from chassis.store.tables import INBOX, TIMER
from chassis.store.timer_clock import TimerClock
from chassis.store.timers import Timer
from tests.chassis.store.vocabulary import NOON, claim_ids, running
from tests.support.eventually import eventually
from tests.support.stores import prepare

MINUTE = timedelta(minutes=1)
KINDS = {"wait", "offer"}


class Handler:
    """Fires timers as the chassis does: what it fired is written to the inbox in the same transaction."""

    def __init__(self, database: Database, *, poison: str = "") -> None:
        self.database = database
        self.poison = poison
        self.fired: list[Timer] = []
        self.attempts = 0

    async def process(self, now: datetime, limit: int) -> int:
        async with self.database.begin() as session:
            due = await timers.take_due(session, now, KINDS, limit)
            self.attempts += 1
            await claim_ids(session, "fired", [timer.key for timer in due])
            if any(timer.key == self.poison for timer in due):
                raise ValueError(self.poison)
        self.fired += due
        return len(due)

    @property
    def keys(self) -> list[str]:
        return [timer.key for timer in self.fired]


class Wall:
    """A wall clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


async def set_all(database: Database, *some: Timer) -> None:
    async with database.begin() as session:
        await timers.set_timers(session, some)


async def standing(database: Database) -> set[str]:
    async with database.read() as session:
        return set(await session.scalars(select(TIMER.c.key)))


async def take(database: Database, now: datetime, limit: int = 100) -> list[Timer]:
    async with database.begin() as session:
        return await timers.take_due(session, now, KINDS, limit)


async def test_due_timers_come_earliest_first_and_only_once(database: Database) -> None:
    some = [
        Timer("wait", f"k{minute}", NOON + minute * MINUTE, {"minute": minute, "note": "ü"}) for minute in (3, 1, 2, 9)
    ]
    await set_all(database, *some)
    assert await take(database, NOON) == []
    assert await take(database, NOON + 2 * MINUTE, limit=1) == [some[1]]
    assert await take(database, NOON + 3 * MINUTE) == [some[2], some[0]]
    assert await take(database, NOON + 3 * MINUTE) == []
    assert await standing(database) == {"k9"}


async def test_setting_a_timer_again_replaces_it(database: Database) -> None:
    latest = Timer("wait", "k", NOON + 2 * MINUTE, {"try": 3})
    await set_all(database, Timer("wait", "k", NOON, {"try": 1}))
    await set_all(database, Timer("wait", "k", NOON + MINUTE, {"try": 2}), Timer("offer", "k", NOON), latest)
    assert [timer.kind for timer in await take(database, NOON + MINUTE)] == ["offer"]
    assert await take(database, NOON + 2 * MINUTE) == [latest]


async def test_a_cancelled_timer_does_not_fire(database: Database) -> None:
    await set_all(database, Timer("wait", "a", NOON), Timer("wait", "b", NOON), Timer("offer", "a", NOON))
    async with database.begin() as session:
        await timers.cancel_timer(session, "wait", "a")
        await timers.cancel_timers(session, [("wait", "unknown"), ("offer", "b")])
        await timers.cancel_timers(session, [])
    assert {(timer.kind, timer.key) for timer in await take(database, NOON)} == {("wait", "b"), ("offer", "a")}


async def test_a_handler_may_set_its_own_timer_again(database: Database) -> None:
    await set_all(database, Timer("wait", "k", NOON))
    async with database.begin() as session:
        (timer,) = await timers.take_due(session, NOON, KINDS, 10)
        await timers.set_timer(session, Timer(timer.kind, timer.key, NOON + MINUTE))
    assert await take(database, NOON) == []
    assert len(await take(database, NOON + MINUTE)) == 1


async def test_kinds_without_a_handler_are_left_alone(database: Database) -> None:
    await set_all(database, Timer("unknown", "k", NOON))
    handler = Handler(database)
    async with running(TimerClock(database, KINDS, handler.process, clock=Wall(), poll_seconds=0.01)):
        await set_all(database, Timer("wait", "w", NOON))
        await eventually(lambda: handler.keys == ["w"])
    assert await standing(database) == {"k"}


async def test_the_clock_fires_when_time_comes_and_not_before(database: Database) -> None:
    wall, handler = Wall(), Handler(database)
    clock = TimerClock(database, KINDS, handler.process, clock=wall, poll_seconds=60)
    await set_all(database, *(Timer("wait", f"k{minute}", NOON + minute * MINUTE) for minute in (1, 2, 3)))
    async with running(clock):
        wall.now = NOON + 2 * MINUTE
        clock.wake()
        await eventually(lambda: handler.keys == ["k1", "k2"])
    assert await standing(database) == {"k3"}


async def test_a_timer_fires_on_the_wall_clock_soon_after_it_is_due(database: Database) -> None:
    handler = Handler(database)
    fired_at: list[datetime] = []

    async def process(now: datetime, limit: int) -> int:
        fired_at.append(now)
        return await handler.process(now, limit)

    clock = TimerClock(database, KINDS, process, poll_seconds=60)
    async with running(clock):
        due_at = datetime.now(UTC) + timedelta(seconds=0.2)
        await set_all(database, Timer("wait", "k", due_at))
        clock.wake()
        await eventually(lambda: handler.keys == ["k"])
    assert due_at <= fired_at[0]  # not before, and long before it would have looked again


async def test_a_failing_timer_keeps_its_place_and_holds_up_nobody(database: Database) -> None:
    wall, handler = Wall(), Handler(database, poison="k03")
    keys = [f"k{number:02}" for number in range(20)]
    await set_all(database, *(Timer("wait", key, NOON) for key in keys))
    async with running(TimerClock(database, KINDS, handler.process, clock=wall, poll_seconds=0.02)):
        await eventually(lambda: len(handler.fired) >= 19)
        assert sorted(handler.keys) == [key for key in keys if key != "k03"]
        assert await standing(database) == {"k03"}
        handler.poison = ""
        wall.now = NOON + MINUTE
        await eventually(lambda: handler.keys[-1:] == ["k03"])
    assert handler.fired[-1].due_at == NOON


async def test_a_timer_that_fails_again_and_again_is_told_with_its_reason_and_may_be_retried(
    database: Database,
) -> None:
    wall, handler = Wall(), Handler(database, poison="k")
    await set_all(database, Timer("wait", "k", NOON))
    clock = TimerClock(database, KINDS, handler.process, clock=wall, poll_seconds=0.02)
    async with running(clock):
        for attempts in (1, 2, 3):
            await eventually(partial(has_failed, database, attempts))
            wall.now += MINUTE
            clock.wake()
    async with database.begin() as session:
        assert await timers.failing(session) == [("wait", 1)]
        (row,) = await timers.list_failing(session, 10)
        assert (row.key, row.due_at, row.reason.partition(":")[0]) == ("k", NOON, "ValueError")
        assert await timers.retry_failing(session) == 1
        assert await timers.failing(session) == []
    handler.poison = ""
    async with running(clock := TimerClock(database, KINDS, handler.process, clock=wall, poll_seconds=0.02)):
        await eventually(lambda: handler.keys == ["k"])
        await eventually(lambda: clock.progress.stuck_seconds == 0)


async def has_failed(database: Database, attempts: int) -> bool:
    async with database.read() as session:
        return (await session.scalar(select(TIMER.c.attempts)) or 0) >= attempts


async def test_a_timer_that_is_set_anew_has_not_failed(database: Database) -> None:
    await set_all(database, Timer("wait", "k", NOON))
    async with database.begin() as session:
        for number in range(3):
            await timers.postpone_first(session, NOON + number * MINUTE, KINDS, "ValueError: no")
        assert await timers.failing(session) == [("wait", 1)]
        await timers.set_timer(session, Timer("wait", "k", NOON + MINUTE))
        assert await timers.failing(session) == []
        assert await session.scalar(select(TIMER.c.reason)) is None


async def test_a_timer_is_there_again_when_its_transaction_rolls_back(database: Database) -> None:
    handler = Handler(database, poison="k")
    await set_all(database, Timer("wait", "k", NOON))
    with pytest.raises(ValueError, match="k"):
        await handler.process(NOON, 10)
    assert await standing(database) == {"k"}
    async with database.read() as session:
        assert (await session.execute(select(INBOX))) == []


async def test_two_clocks_fire_each_timer_once(store_url: str) -> None:
    await prepare(store_url)
    stores = [Database(store_url), Database(store_url)]
    handlers = [Handler(store) for store in stores]
    keys = [f"k{number:04}" for number in range(1000)]
    await set_all(stores[0], *(Timer("wait", key, NOON) for key in keys))
    clocks = [
        TimerClock(store, KINDS, handler.process, clock=Wall(), poll_seconds=0.02)
        for store, handler in zip(stores, handlers, strict=True)
    ]
    async with running(clocks[0]), running(clocks[1]):
        await eventually(lambda: len(handlers[0].fired) + len(handlers[1].fired) >= 1000)
    assert sorted(handlers[0].keys + handlers[1].keys) == keys
    for store in stores:
        await store.close()


async def test_a_timer_that_another_is_handling_is_passed_over(postgres_url: str) -> None:
    await prepare(postgres_url)
    async with Database(postgres_url) as database, Database(postgres_url) as other:
        await set_all(database, Timer("wait", "a", NOON), Timer("wait", "b", NOON + MINUTE))
        async with asyncio.timeout(20), database.begin() as session:
            assert [timer.key for timer in await timers.take_due(session, NOON + MINUTE, KINDS, 1)] == ["a"]
            assert [timer.key for timer in await take(other, NOON + MINUTE)] == ["b"]


_names = st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from("abc"))
_actions = st.lists(
    st.one_of(
        st.tuples(st.just("set"), _names, st.integers(0, 5)),
        st.tuples(st.just("cancel"), _names, st.just(0)),
        st.tuples(st.just("take"), st.just(("", "")), st.integers(0, 5)),
    ),
    max_size=25,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=_actions)
async def test_timers_agree_with_a_dictionary(
    database: Database, actions: list[tuple[str, tuple[str, str], int]]
) -> None:
    model: dict[tuple[str, str], int] = {}
    async with database.begin() as session:
        await session.execute(TIMER.delete())
        for action, name, minute in actions:
            if action == "set":
                await timers.set_timer(session, Timer(*name, NOON + minute * MINUTE))
                model[name] = minute
            elif action == "cancel":
                await timers.cancel_timer(session, *name)
                model.pop(name, None)
            else:
                taken = await timers.take_due(session, NOON + minute * MINUTE, KINDS, 100)
                due = sorted((at, name) for name, at in model.items() if at <= minute)
                assert [(timer.due_at, timer.kind, timer.key) for timer in taken] == [
                    (NOON + at * MINUTE, *name) for at, name in due
                ]
                model = {name: at for name, at in model.items() if at > minute}
