"""An event that the broker will not have: found alone, set aside with the reason, put back by an operator.

Against a real nats-server.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest_asyncio
from sqlalchemy import insert

from chassis.bus.broker import Broker
from chassis.bus.inspection import messages
from chassis.bus.streams import stream_config
from chassis.message import OutMessage
from chassis.store import outbox, refused_events
from chassis.store.database import Database
from chassis.store.relay import Relay
from chassis.store.stuck import main
from chassis.store.tables import OUTBOX_REFUSED
from contracts.limits import REFUSED_EVENTS
from tests.chassis.store.vocabulary import running
from tests.support.eventually import eventually
from tests.support.nats import NatsServer

LARGE = 20_000


@pytest_asyncio.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    broker = await Broker.connect(nats_server.url, "echo")
    yield broker
    await broker.close()


async def say(database: Database, *names: str, large: Sequence[str] = (), owner: str = "echo") -> None:
    """Commit events to the outbox; those of `large` are."""
    async with database.begin() as session:
        for name in names:
            body = name.encode().ljust(LARGE if name in large else 1)
            await outbox.append(session, [(name, OutMessage(f"{owner}.signal.echoed.v1.0", {"ce-id": name}, body))])


async def heard(broker: Broker, stream: str = "ECHO") -> list[str]:
    return [message.headers["ce-id"] async for message in messages(broker, stream)]


async def lay(broker: Broker, stream: str = "ECHO", **limits: Any) -> None:
    await broker.request(f"STREAM.CREATE.{stream}", stream_config(stream, 1) | limits)


async def set_aside(database: Database) -> list[tuple[int, str, str]]:
    async with database.read() as session:
        return [(row.number, row.event_id, row.reason) for row in await refused_events.listed(session)]


async def waiting(database: Database) -> int:
    async with database.read() as session:
        return (await outbox.backlog(session)).count


async def settled(database: Database) -> bool:
    return await waiting(database) == 0


async def operate(url: str, *words: str) -> list[Any]:
    out = io.StringIO()
    assert await main(["--url", url, *words], out) == 0
    return [orjson.loads(line) for line in out.getvalue().splitlines()]


async def test_what_the_stream_refuses_is_set_aside_alone_and_the_rest_goes_on_in_order(
    database: Database, broker: Broker
) -> None:
    await lay(broker, max_msg_size=10_000)
    names = [f"e{number}" for number in range(40)]
    await say(database, *names, large=("e0", "e17", "e39"))
    async with running(Relay(database, broker.publish_batch)):
        await eventually(lambda: settled(database))
    assert in_order_of_first(await heard(broker)) == [name for name in names if name not in ("e0", "e17", "e39")]
    assert [(number, name) for number, name, _ in await set_aside(database)] == [(1, "e0"), (18, "e17"), (40, "e39")]
    assert all("message size exceeds maximum allowed" in reason for _, _, reason in await set_aside(database))


async def test_what_a_smaller_server_refuses_is_put_back_once_a_larger_one_takes_it(
    store_url: str, database: Database
) -> None:
    with NatsServer("max_payload: 8KB") as server:
        broker = await Broker.connect(server.url, "echo")
        await lay(broker)
        await say(database, "e1", "e2", "e3", large=["e2"])
        async with running(Relay(database, broker.publish_batch, poll_seconds=0.05)):
            await eventually(lambda: settled(database))
            assert [line["event_id"] for line in await operate(store_url, "list")] == ["e2"]
            server.kill()
            server.configure("max_payload: 1MB")
            server.start()
            await eventually(lambda: broker.max_payload > LARGE, within=10)
            await say(database, "e4")
            assert await operate(store_url, "put-back", "--all") == [{"put_back": 2}]
            await eventually(lambda: settled(database), within=10)
        assert await heard(broker) == ["e1", "e3", "e4", "e2"]
        assert await set_aside(database) == []
        await broker.close()


async def test_put_back_too_early_it_is_set_aside_again(store_url: str, database: Database, broker: Broker) -> None:
    await lay(broker, max_msg_size=10_000)
    await say(database, "e1", large=["e1"])
    async with running(Relay(database, broker.publish_batch, poll_seconds=0.05)):
        await eventually(lambda: settled(database))
        assert await operate(store_url, "put-back", "1") == [{"put_back": 1}]
        await eventually(lambda: settled(database))
    assert [(number, name) for number, name, _ in await set_aside(database)] == [(2, "e1")]


async def test_a_stream_that_is_full_holds_up_no_other_and_nothing_of_it_is_set_aside(
    database: Database, broker: Broker
) -> None:
    await lay(broker, max_bytes=1_000)
    await lay(broker, "ALERTS")
    relay = Relay(database, broker.publish_batch, poll_seconds=0.05)
    await say(database, "e1", "e2", large=["e1", "e2"])
    await say(database, *(f"a{number}" for number in range(3)), owner="alerts")
    async with running(relay):
        await eventually(lambda: heard_of(broker, "ALERTS", 3))
        await eventually(lambda: [one.what for one in relay.standstills] == ["ECHO"])
        assert "maximum bytes exceeded" in relay.standstills[0].last_error
        await say(database, "a3", owner="alerts")
        await eventually(lambda: heard_of(broker, "ALERTS", 4))
        await broker.request("STREAM.UPDATE.ECHO", stream_config("ECHO", 1))
        await eventually(lambda: settled(database))
    assert await heard(broker) == ["e1", "e2"]
    assert await heard(broker, "ALERTS") == ["a0", "a1", "a2", "a3"]
    assert await set_aside(database) == []


async def heard_of(broker: Broker, stream: str, count: int) -> bool:
    return len(in_order_of_first(await heard(broker, stream))) == count


async def test_while_a_stream_takes_only_part_of_a_handful_it_is_not_given_that_part_again_and_again(
    database: Database, broker: Broker
) -> None:
    await lay(broker, max_bytes=10_000)
    tries = 0

    async def publish(batch: Sequence[OutMessage]) -> None:
        nonlocal tries
        tries += 1
        await broker.publish_batch(batch)

    await say(database, "e1", "e2", "e3", large=["e2"])
    async with running(Relay(database, publish, poll_seconds=0.02)):
        await eventually(lambda: tries >= 7, within=10)
        stored = await heard(broker)
        await broker.request("STREAM.UPDATE.ECHO", stream_config("ECHO", 1))
        await eventually(lambda: settled(database))
    assert len(stored) <= 4  # e1 and e3 once more at the second try
    assert in_order_of_first((await heard(broker))[-2:]) == ["e2", "e3"]


async def test_a_stream_that_is_not_there_yet_is_waited_for(database: Database, broker: Broker) -> None:
    relay = Relay(database, broker.publish_batch, poll_seconds=0.05)
    await say(database, "e1")
    async with running(relay):
        await eventually(lambda: [one.last_error for one in relay.standstills if "no one answers" in one.last_error])
        await lay(broker)
        await eventually(lambda: settled(database))
    assert (await heard(broker), await set_aside(database)) == (["e1"], [])


async def test_so_many_refused_that_there_is_no_room_wait_in_the_outbox_and_are_not_dropped(
    database: Database, broker: Broker
) -> None:
    await lay(broker, max_msg_size=10_000)
    now = datetime.now(UTC)
    old = {
        "event_id": "old",
        "subject": "echo.x.y.v1.0",
        "headers": {},
        "body": b"",
        "created_at": now,
        "refused_at": now,
        "reason": "too large",
    }
    async with database.begin() as session:
        await session.execute(
            insert(OUTBOX_REFUSED), [old | {"number": -number} for number in range(1, REFUSED_EVENTS)]
        )
    await say(database, "e1", "e2", "e3", large=["e1", "e2"])
    relay = Relay(database, broker.publish_batch, poll_seconds=0.05)
    async with running(relay):
        await eventually(lambda: [one for one in relay.standstills if "TooManyRefused" in one.last_error])
        await eventually(lambda: heard_of(broker, "ECHO", 1))
        await eventually(lambda: waits(database, 1))
    async with database.read() as session:
        assert [row.message.headers["ce-id"] for row in await outbox.waiting(session, 10)] == ["e2"]
        assert await refused_events.count(session) == REFUSED_EVENTS


async def waits(database: Database, count: int) -> bool:
    return await waiting(database) == count


def in_order_of_first(names: Sequence[str]) -> list[str]:
    """Without repetitions: of a refused handful the others are sent twice, which receivers skip."""
    return list(dict.fromkeys(names))
