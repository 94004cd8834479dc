"""Several readers of one lane: one at a time, and the next goes on where the last one died."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chassis.bus.broker import Broker
from chassis.bus.delivery import Delivery
from chassis.bus.puller import Puller, PullSource
from tests.chassis.bus.builders import HANG, Applied, a_capture, captures, durable_state, number_of
from tests.chassis.bus.readers import SMALL, ReaderProcess, Readers
from tests.support.eventually import eventually
from tests.support.nats import NatsServer


@pytest.fixture
async def victim(nats_server: NatsServer, broker: Broker) -> AsyncIterator[ReaderProcess]:
    """A reader in a process of its own that has read the first five captures."""
    process = await ReaderProcess.start(nats_server.url)
    await broker.publish_batch(captures(5))
    await eventually(lambda: process.numbers == [0, 1, 2, 3, 4], within=10)
    yield process
    await process.kill()


@pytest.fixture
async def other(nats_server: NatsServer) -> AsyncIterator[Broker]:
    """A connection of its own for the second reader: a pin belongs to a reader, not to a process."""
    connection = await Broker.connect(nats_server.url, "other")
    yield connection
    await connection.close()


async def test_of_two_readers_only_one_reads(broker: Broker, other: Broker, readers: Readers) -> None:
    one, two = Applied(), Applied()
    first = await readers.start(one)
    await broker.publish_batch(captures(1))
    await eventually(lambda: one.numbers)
    second = await readers.start(two, broker=other)
    await eventually(lambda: first.is_ready and second.is_ready)
    for number in range(1, 200):
        await broker.publish_batch([a_capture(number)])

    await eventually(lambda: len(one.numbers) + len(two.numbers) == 200)
    assert (one.numbers, two.numbers) == (list(range(200)), [])
    assert (await durable_state(broker, "CAPTURE", "scoring"))["num_redelivered"] == 0


async def test_a_reader_that_has_nothing_to_do_keeps_its_place(broker: Broker, other: Broker, readers: Readers) -> None:
    """Longer than the server lets a reader be silent."""
    one, two = Applied(), Applied()
    await readers.start(one)
    await broker.publish_batch(captures(1))
    await eventually(lambda: one.numbers)
    await readers.start(two, broker=other)
    began = time.monotonic()
    await eventually(lambda: time.monotonic() - began > 3.0)
    await broker.publish_batch(captures(1, start=1))

    await eventually(lambda: len(one.numbers) + len(two.numbers) == 2)
    assert (one.numbers, two.numbers) == ([0, 1], [])


@pytest.mark.parametrize("backlog", [3, 200])
async def test_when_the_reader_is_killed_the_other_goes_on_in_order_from_what_was_not_acknowledged(
    broker: Broker, victim: ReaderProcess, other: Broker, readers: Readers, backlog: int
) -> None:
    """With a short backlog there is room for later messages to overtake; with a long one the victim holds all that may
    be out.
    """
    applied = Applied()
    await readers.start(applied, SMALL, broker=other)
    await broker.publish_batch([*captures(2, start=5), HANG, *captures(backlog, start=7)])
    await eventually(lambda: victim.is_hanging)
    await victim.kill()
    await broker.publish_batch(captures(5, start=7 + backlog))

    await eventually(lambda: applied.numbers[-1:] == [11 + backlog], within=10)
    assert_goes_on(applied.numbers, [5, 6, -1, *range(7, 12 + backlog)])


async def test_a_restarted_reader_goes_on_in_order_from_what_was_not_acknowledged(
    broker: Broker, victim: ReaderProcess, readers: Readers
) -> None:
    await broker.publish_batch([*captures(2, start=5), HANG])
    await eventually(lambda: victim.is_hanging)
    await victim.kill()
    applied = Applied()
    await readers.start(applied, SMALL)
    await broker.publish_batch(captures(5, start=7))

    await eventually(lambda: applied.numbers[-1:] == [11], within=10)
    assert_goes_on(applied.numbers, [5, 6, -1, *range(7, 12)])


async def test_a_reader_that_stops_hands_over_at_once(broker: Broker, other: Broker, readers: Readers) -> None:
    one, two = Applied(), Applied()
    first = await readers.start(one)
    await broker.publish_batch(captures(50))
    await eventually(lambda: len(one.numbers) == 50)
    second = await readers.start(two, broker=other)
    await eventually(lambda: second.is_ready)

    pin = await pinned_reader(broker)
    await first.stop()
    assert await pinned_reader(broker) != pin  # let go, and not lost after two seconds without a pull
    await broker.publish_batch(captures(50, start=50))
    await eventually(lambda: two.numbers == list(range(50, 100)))


class Mutable(Broker):
    """A connection whose pulls get lost while it is mute."""

    is_mute = False

    async def send(self, subject: str, body: bytes = b"", reply: str = "") -> bool:
        return False if self.is_mute and ".MSG.NEXT." in subject else await super().send(subject, body, reply)


LANE = PullSource(stream="CAPTURE", durable="scoring", group="lane", window=10, pin_seconds=0.5)


@asynccontextmanager
async def pulling(server: NatsServer) -> AsyncIterator[tuple[Mutable, Puller]]:
    async def restore() -> None:
        raise AssertionError("the durable is there")

    broker = await Mutable.connect(server.url, "reader")
    puller = Puller(broker, LANE, restore)
    await puller.start()
    yield broker, puller
    await puller.stop()
    await broker.close()


async def pinned_reader(broker: Broker) -> str | None:
    (group,) = (await durable_state(broker, "CAPTURE", "scoring"))["priority_groups"]
    pin: str | None = group.get("pinned_client_id")
    return pin


async def is_pinned_otherwise(broker: Broker, pin: str | None) -> bool:
    return await pinned_reader(broker) != pin


async def taken(puller: Puller, count: int) -> list[Delivery]:
    async with asyncio.timeout(60):
        found: list[Delivery] = []
        while len(found) < count:
            found += await puller.next(count - len(found))
        return found


async def test_a_reader_that_is_pinned_again_where_its_count_left_off_skips_nothing_of_what_another_holds(
    nats_server: NatsServer, broker: Broker
) -> None:
    """The other reader had the deliveries counted anew, to just the number that this one waits for."""
    config = {
        "durable_name": "scoring",
        "name": "scoring",
        "ack_policy": "explicit",
        "filter_subjects": ["capture.>"],
        "ack_wait": 60_000_000_000,
    }
    pinned = {"priority_groups": ["lane"], "priority_policy": "pinned_client", "priority_timeout": 500_000_000}
    await broker.request(
        "CONSUMER.CREATE.CAPTURE.scoring", {"stream_name": "CAPTURE", "action": "", "config": config | pinned}
    )
    async with pulling(nats_server) as (first_line, first), pulling(nats_server) as (second_line, second):
        second_line.is_mute = True
        await broker.publish_batch(captures(2))
        for delivery in await taken(first, 2):
            await first_line.confirm(delivery.reply, b"+ACK")

        pin = await pinned_reader(broker)
        first_line.is_mute, second_line.is_mute = True, False
        await eventually(lambda: is_pinned_otherwise(broker, pin), within=5)
        await broker.publish_batch(captures(2, start=2))
        held = await taken(second, 2)
        assert [delivery.turn for delivery in held] == [1, 2]  # counted anew

        pin = await pinned_reader(broker)
        first_line.is_mute, second_line.is_mute = False, True
        await eventually(lambda: is_pinned_otherwise(broker, pin), within=5)
        await broker.publish_batch(captures(1, start=4))
        assert [number_of(delivery.message) for delivery in await taken(first, 3)] == [2, 3, 4]


def assert_goes_on(numbers: list[int], published: list[int]) -> None:
    """`numbers` is the end of `published`, from the message that was never finished or (not acknowledged either)
    shortly before.
    """
    assert -1 in numbers
    assert numbers == published[-len(numbers) :]
