"""What was committed reaches the broker: in order, at least once, whoever dies on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest
from sqlalchemy import Table, func, select, text

from chassis.message import OutMessage
from chassis.store import outbox
from chassis.store.database import Database
from chassis.store.outbox import Backlog
from chassis.store.relay import Relay
from chassis.store.tables import INBOX, OUTBOX
from tests.chassis.store.vocabulary import Listener, a_message, claim_ids, kill, running, say
from tests.support.eventually import eventually
from tests.support.postgres import PostgresServer
from tests.support.stores import prepare


def has_heard(listener: Listener, count: int) -> bool:
    return len(listener.heard) == count


async def unpublished(database: Database) -> int:
    async with database.read() as session:
        return len(await outbox.waiting(session, 10_000))


async def test_messages_go_out_whole_and_in_order(database: Database) -> None:
    heard: list[OutMessage] = []

    async def publish(messages: Sequence[OutMessage]) -> None:
        heard.extend(messages)

    ids = [f"e{number:04}" for number in range(1200)]
    await say(database, *ids)
    async with running(Relay(database, publish)):
        await eventually(lambda: len(heard) >= len(ids))
    assert heard == [a_message(event_id) for event_id in ids]
    assert await unpublished(database) == 0


async def test_a_wake_publishes_without_waiting_for_the_poll(database: Database) -> None:
    listener = Listener()
    relay = Relay(database, listener.publish, poll_seconds=3600)
    async with running(relay):
        await eventually(lambda: relay.is_active)
        for number in range(20):
            await say(database, f"e{number}")
            relay.wake()
            await eventually(partial(has_heard, listener, number + 1))


async def test_what_nobody_woke_the_relay_for_is_found_by_the_poll(database: Database) -> None:
    listener = Listener()
    relay = Relay(database, listener.publish, poll_seconds=0.05)
    async with running(relay):
        await eventually(lambda: relay.is_active)
        await say(database, "e1")
        await eventually(lambda: listener.heard == ["e1"])


async def test_a_rolled_back_message_is_never_heard(database: Database) -> None:
    listener = Listener()
    with pytest.raises(RuntimeError, match="no"):
        await _say_and_fail(database)
    await say(database, "e2")
    async with running(Relay(database, listener.publish)):
        await eventually(lambda: listener.heard)
    assert listener.heard == ["e2"]


async def _say_and_fail(database: Database) -> None:
    async with database.begin() as session:
        await outbox.append(session, [("e1", a_message("e1"))])
        raise RuntimeError("no")


async def test_a_crash_between_commit_and_publish_loses_nothing(database: Database) -> None:
    reached = asyncio.Event()

    async def hang(_messages: Sequence[OutMessage]) -> None:
        reached.set()
        await asyncio.Event().wait()

    await say(database, "e1", "e2")
    dying = asyncio.create_task(Relay(database, hang).run())
    await reached.wait()
    await kill(dying)
    listener = Listener()
    async with running(Relay(database, listener.publish)):
        await eventually(lambda: len(listener.heard) >= 2)
    assert listener.heard == ["e1", "e2"]


async def test_a_crash_between_publish_and_mark_publishes_again(database: Database) -> None:
    listener = Listener()
    await say(database, "e1", "e2")
    dying = asyncio.create_task(Relay(database, listener.publish).run())
    await eventually(lambda: listener.heard == ["e1", "e2"])
    await kill(dying)
    await say(database, "e3")
    async with running(Relay(database, listener.publish)):
        await eventually(lambda: "e3" in listener.heard)
    assert listener.heard in (["e1", "e2", "e1", "e2", "e3"], ["e1", "e2", "e3"])
    assert await unpublished(database) == 0


async def test_nothing_is_published_twice_while_all_is_well(database: Database) -> None:
    listener = Listener()
    relay = Relay(database, listener.publish)
    async with running(relay):
        for number in range(100):
            await say(database, f"a{number}", f"b{number}")
            relay.wake()
        await eventually(lambda: len(listener.heard) >= 200)
    assert sorted(listener.heard) == sorted(f"{letter}{number}" for letter in "ab" for number in range(100))


async def test_a_broker_that_is_away_is_tried_again_in_order(database: Database) -> None:
    listener = Listener()
    listener.is_away = True
    relay = Relay(database, listener.publish)
    await say(database, "e1")
    async with running(relay):
        await eventually(lambda: listener.refusals >= 2)
        await say(database, "e2")
        assert listener.heard == []
        assert (await relay.backlog()).count == 2
        listener.is_away = False
        await eventually(lambda: listener.heard == ["e1", "e2"])
    assert await relay.backlog() == Backlog(0, None)


async def test_stopping_publishes_what_was_committed_before(database: Database) -> None:
    listener = Listener()
    relay = Relay(database, listener.publish, poll_seconds=3600)
    async with running(relay):
        await eventually(lambda: relay.is_active)
        await say(database, *(f"e{number}" for number in range(700)))
    assert len(listener.heard) == 700
    assert await unpublished(database) == 0


async def test_stopping_does_not_wait_for_a_broker_that_is_away(database: Database) -> None:
    listener = Listener()
    listener.is_away = True
    await say(database, "e1")
    async with asyncio.timeout(60), running(Relay(database, listener.publish)):
        await eventually(lambda: listener.refusals >= 1)
    assert await unpublished(database) == 1


async def test_what_the_broker_has_is_forgotten_and_its_number_never_given_again(database: Database) -> None:
    listener = Listener()
    await say(database, "e1", "e2")
    async with running(Relay(database, listener.publish)):
        await eventually(lambda: is_empty(database, OUTBOX))
    await say(database, "e3")
    async with database.read() as session:
        assert [row.row_id for row in await outbox.waiting(session, 10)] == [3]


async def test_old_claims_are_purged_by_the_relay(database: Database) -> None:
    async with database.begin() as session:
        await claim_ids(session, "CAPTURE", [f"m{number}" for number in range(2500)])
        await session.execute(INBOX.update().values(claimed_at=0))  # 1970
    async with running(Relay(database, Listener().publish, poll_seconds=0.02, purge_seconds=0.05)):
        await eventually(lambda: is_empty(database, INBOX))


async def is_empty(database: Database, table: Table) -> bool:
    async with database.read() as session:
        return not await session.scalar(select(func.count()).select_from(table))


async def test_two_relays_on_postgres_take_turns(postgres_url: str) -> None:
    await prepare(postgres_url)
    stores = [Database(postgres_url), Database(postgres_url)]
    listeners = [Listener(), Listener()]
    relays = [
        Relay(store, listener.publish, poll_seconds=0.1) for store, listener in zip(stores, listeners, strict=True)
    ]
    first = asyncio.create_task(relays[0].run())
    await eventually(lambda: relays[0].is_active)
    second = asyncio.create_task(relays[1].run())
    await say(stores[1], "e1")
    await eventually(lambda: listeners[0].heard == ["e1"])
    assert not relays[1].is_active
    await kill(first)
    await say(stores[1], "e2")
    await eventually(lambda: relays[1].is_active)
    await eventually(lambda: listeners[1].heard[-1:] == ["e2"])
    assert listeners[0].heard == ["e1"]
    await relays[1].stop()
    await second
    for store in stores:
        await store.close()


async def test_a_relay_that_stands_by_passes_its_wake_on(postgres_url: str) -> None:
    await prepare(postgres_url)
    stores = [Database(postgres_url), Database(postgres_url)]
    listener = Listener()
    active, standby = (Relay(store, listener.publish, poll_seconds=3600) for store in stores)
    async with running(active):
        await eventually(lambda: active.is_active)
        async with running(standby):
            await eventually(lambda: _knows_it_stands_by(stores[1]))
            await say(stores[1], "e1")
            standby.wake()
            await eventually(lambda: listener.heard == ["e1"], within=5)
    for store in stores:
        await store.close()


async def _knows_it_stands_by(store: Database) -> bool:
    """Whether two sessions of this database asked for the relay's lock."""
    asked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT"
        " pg_try_advisory_lock%'"
    )
    async with store.read() as session:
        return (await session.scalar(asked) or 0) >= 1


async def test_the_relay_comes_back_with_postgres(postgres_server: PostgresServer) -> None:
    await prepare(postgres_server.url)
    database = Database(postgres_server.url)
    listener = Listener()
    relay = Relay(database, listener.publish, poll_seconds=0.1)
    async with running(relay):
        await say(database, "e1")
        await eventually(lambda: listener.heard == ["e1"])
        await asyncio.to_thread(postgres_server.kill)
        await eventually(lambda: not relay.is_active)
        await asyncio.to_thread(postgres_server.start)
        await say(database, "e2")
        await eventually(lambda: listener.heard[-1:] == ["e2"], within=10)
    await database.close()
