"""Several readers of one lane: one at a time, and the next goes on where the last one died."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from chassis.bus.broker import Broker
from tests.chassis.bus.builders import HANG, Applied, a_capture, captures, durable_state
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
    """With a short backlog there is room for later messages to overtake; with a long one the victim holds all that may be out."""
    applied = Applied()
    await readers.start(applied, SMALL, broker=other)
    await broker.publish_batch([*captures(2, start=5), HANG, *captures(backlog, start=7)])
    await eventually(lambda: victim.is_hanging)
    await victim.kill()
    killed = time.monotonic()
    await broker.publish_batch(captures(5, start=7 + backlog))

    await eventually(lambda: applied.numbers[-1:] == [11 + backlog], within=10)
    assert time.monotonic() - killed < 4.0
    assert_goes_on(applied.numbers, [5, 6, -1, *range(7, 12 + backlog)])


async def test_a_restarted_reader_goes_on_in_order_from_what_was_not_acknowledged(broker: Broker, victim: ReaderProcess, readers: Readers) -> None:
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

    await first.stop()
    await broker.publish_batch(captures(50, start=50))
    await eventually(lambda: two.numbers == list(range(50, 100)), within=1.0)


def assert_goes_on(numbers: list[int], published: list[int]) -> None:
    """`numbers` is the end of `published`, from the message that was never finished or (not acknowledged either) shortly before."""
    assert -1 in numbers
    assert numbers == published[-len(numbers) :]
