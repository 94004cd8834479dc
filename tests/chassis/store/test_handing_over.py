"""The relay is handed what was said: the store is read when that is not enough, and what the broker has is forgotten
along with other writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chassis.store import outbox
from chassis.store.database import Database
from chassis.store.relay import Relay
from chassis.store.relay_queue import MOST_ROWS
from chassis.store.session import Session
from tests.chassis.store.vocabulary import Listener, a_message, kill, running, say, say_to
from tests.support.eventually import eventually
from tests.support.stores import prepare


class WatchedDatabase(Database):
    """Counts the looks at the store."""

    looks = 0

    @asynccontextmanager
    async def glance(self) -> AsyncIterator[Session]:
        self.looks += 1
        async with super().glance() as session:
            yield session


async def rows_left(database: Database) -> int:
    async with database.read() as session:
        return len(await outbox.waiting(session, 10_000))


async def test_what_is_handed_over_is_published_without_a_look_at_the_store(store_url: str) -> None:
    await prepare(store_url)
    listener = Listener()
    async with WatchedDatabase(store_url) as database:
        relay = Relay(database, listener.publish, poll_seconds=3600, forget_seconds=3600)
        async with running(relay):
            await eventually(lambda: relay.is_active and database.looks == 1)
            for number in range(20):
                await say_to(relay, database, f"a{number}", f"b{number}")
                await eventually(lambda so_many=2 * number + 2: len(listener.heard) == so_many)  # type: ignore[misc]
            assert database.looks == 1
    assert listener.heard == [f"{letter}{number}" for number in range(20) for letter in "ab"]


async def test_after_a_failed_publish_nothing_is_overtaken_and_nothing_said_twice(database: Database) -> None:
    listener = Listener()
    relay = Relay(database, listener.publish, poll_seconds=3600)
    async with running(relay):
        await say_to(relay, database, "e0")
        await eventually(lambda: listener.heard == ["e0"])
        listener.is_away = True
        await say_to(relay, database, "e1", "e2")
        await eventually(lambda: listener.refusals >= 2)
        await say_to(relay, database, "e3")
        listener.is_away = False
        await say_to(relay, database, "e4")
        await eventually(lambda: len(listener.heard) >= 5)
    assert listener.heard == ["e0", "e1", "e2", "e3", "e4"]
    assert await rows_left(database) == 0


async def test_more_than_is_kept_in_memory_is_read_from_the_store_in_order(database: Database) -> None:
    listener = Listener()
    listener.is_away = True
    relay = Relay(database, listener.publish, poll_seconds=3600)
    ids = [f"e{number:05}" for number in range(MOST_ROWS + 600)]
    async with running(relay):
        await say_to(relay, database, ids[0])
        await eventually(lambda: listener.refusals >= 1)
        for begin in range(1, len(ids), 300):
            await say_to(relay, database, *ids[begin : begin + 300])
        listener.is_away = False
        await eventually(lambda: len(listener.heard) >= len(ids), within=15)
    assert listener.heard == ids


async def test_what_the_broker_has_is_forgotten_in_the_next_transaction(database: Database) -> None:
    listener = Listener()
    relay = Relay(database, listener.publish, poll_seconds=3600, forget_seconds=3600)
    async with running(relay):
        await say_to(relay, database, "e1", "e2")
        await eventually(lambda: listener.heard == ["e1", "e2"])
        assert await rows_left(database) == 2
        await say_to(relay, database)
        assert await rows_left(database) == 0
        assert (await relay.backlog()).count == 0


async def test_marks_of_a_transaction_that_failed_ride_in_a_later_one(database: Database) -> None:
    listener = Listener()
    relay = Relay(database, listener.publish, poll_seconds=0.02, forget_seconds=3600)
    async with running(relay):
        await say_to(relay, database, "e1")
        await eventually(lambda: listener.heard == ["e1"])
        with pytest.raises(RuntimeError, match="no"):
            await _say_and_fail(relay, database)
        assert await rows_left(database) == 1
        await say_to(relay, database, "e2")
        await eventually(lambda: listener.heard == ["e1", "e2"])
        assert await rows_left(database) == 1
    assert listener.heard == ["e1", "e2"]
    assert await rows_left(database) == 0


async def _say_and_fail(relay: Relay, database: Database) -> None:
    with relay.ride() as ride:
        async with database.begin() as session:
            ride.said = await outbox.append(session, [("lost", a_message("lost"))])
            await ride.write(session)
            raise RuntimeError("no")


async def test_what_was_committed_before_its_writer_was_cut_off_is_published(database: Database) -> None:
    listener = Listener()
    relay = Relay(database, listener.publish, poll_seconds=3600)
    async with running(relay):
        await say_to(relay, database, "e1")
        await eventually(lambda: listener.heard == ["e1"])
        with pytest.raises(RuntimeError, match="cut off"):
            await _say_and_be_cut_off(relay, database)
        await eventually(lambda: listener.heard == ["e1", "e2"])


async def _say_and_be_cut_off(relay: Relay, database: Database) -> None:
    with relay.ride() as ride:
        async with database.begin() as session:
            ride.said = await outbox.append(session, [("e2", a_message("e2"))])
        raise RuntimeError("cut off after the commit")


async def test_what_others_wrote_is_found_beside_what_is_handed_over(database: Database) -> None:
    listener = Listener()
    relay = Relay(database, listener.publish, poll_seconds=0.05)
    async with running(relay):
        await say_to(relay, database, "e1")
        await eventually(lambda: listener.heard == ["e1"])
        await say(database, "e2")  # an operator's tool puts it back
        await eventually(lambda: listener.heard == ["e1", "e2"])
        await say_to(relay, database, "e3")
        await eventually(lambda: listener.heard == ["e1", "e2", "e3"])


async def test_of_two_processes_on_postgres_one_publishes_what_both_say(postgres_url: str) -> None:
    await prepare(postgres_url)
    stores = [Database(postgres_url), Database(postgres_url)]
    listeners = [Listener(), Listener()]
    relays = [
        Relay(store, listener.publish, poll_seconds=0.2) for store, listener in zip(stores, listeners, strict=True)
    ]
    first = asyncio.create_task(relays[0].run())
    await eventually(lambda: relays[0].is_active)
    second = asyncio.create_task(relays[1].run())

    async def speak(who: int, numbers: range) -> None:
        for number in numbers:
            await say_to(relays[who], stores[who], f"{who}-{number:03}")

    await asyncio.gather(speak(0, range(40)), speak(1, range(40)))
    await eventually(lambda: len(listeners[0].heard) == 80)
    assert not listeners[1].heard
    for who in (0, 1):
        own = [event_id for event_id in listeners[0].heard if event_id.startswith(f"{who}-")]
        assert own == [f"{who}-{number:03}" for number in range(40)]
    await kill(first)  # with marks that were not written down yet, perhaps
    await speak(1, range(40, 60))
    await eventually(lambda: relays[1].is_active)
    await eventually(
        lambda: [one for one in listeners[1].heard if one >= "1-040"] == [f"1-{number:03}" for number in range(40, 60)]
    )
    await relays[1].stop()
    await second
    assert await rows_left(stores[1]) == 0
    for store in stores:
        await store.close()
