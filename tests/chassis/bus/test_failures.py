"""What a consumer does about messages that cannot be handled, against a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from chassis.bus.broker import Broker
from chassis.bus.dead_letters import read_dead_letter
from chassis.bus.errors import Unparseable
from chassis.bus.retry_policy import RetryPolicy
from chassis.message import Received
from tests.chassis.bus.builders import (
    QUICK_OUTAGES,
    Applied,
    OutOfReach,
    captures,
    durable_state,
    number_of,
    stored,
    stream_state,
)
from tests.chassis.bus.readers import SPEC, Readers
from tests.support.eventually import eventually
from tests.support.nats import NatsServer


async def test_one_poisonous_message_is_found_and_the_rest_is_applied_once_and_in_order(
    broker: Broker, readers: Readers
) -> None:
    async def choke(batch: Sequence[Received]) -> None:
        if any(number_of(message) == 137 for message in batch):
            raise ValueError("cannot handle\r\n137")

    applied = Applied(choke)
    await broker.publish_batch(captures(300))
    await readers.start(applied)

    await eventually(lambda: len(applied.numbers) == 299)
    assert applied.numbers == [number for number in range(300) if number != 137]
    (letter,) = await stored(broker, "DEAD")
    dead = read_dead_letter(letter.sequence, letter.subject, letter.headers, letter.body)
    assert (dead.service, dead.origin.stream, dead.origin.sequence) == ("scoring", "CAPTURE", 138)
    assert dead.reason == "ValueError: cannot handle 137"
    assert dead.original == captures(300)[137]
    await eventually(lambda: all_acknowledged(broker, 300))


async def test_what_cannot_be_parsed_is_dead_at_once_with_its_reason(broker: Broker, readers: Readers) -> None:
    async def parse(batch: Sequence[Received]) -> None:
        if bad := {
            message.sequence: f"not JSON: {number_of(message)}" for message in batch if number_of(message) in (3, 7)
        }:
            raise Unparseable(bad)

    applied = Applied(parse)
    patient = RetryPolicy(fault_seconds=(3600.0,), outage_seconds=(3600.0,))  # any waiting would time out the test
    await broker.publish_batch(captures(10))
    await readers.start(applied, patience=patient)

    await eventually(lambda: applied.numbers == [0, 1, 2, 4, 5, 6, 8, 9])
    assert [letter.headers["dead-reason"] for letter in await stored(broker, "DEAD")] == ["not JSON: 3", "not JSON: 7"]
    assert applied.calls <= 4


async def test_a_store_out_of_reach_kills_no_message_and_delays_all_of_them(broker: Broker, readers: Readers) -> None:
    outages = 60

    async def reach_store(batch: Sequence[Received]) -> None:
        nonlocal outages
        if outages:
            outages -= 1
            raise OutOfReach

    applied = Applied(reach_store)
    await broker.publish_batch(captures(20))
    await readers.start(applied, patience=QUICK_OUTAGES)

    await eventually(lambda: len(applied.numbers) == 20)
    assert outages == 0
    assert applied.numbers == list(range(20))
    assert (await stream_state(broker, "DEAD"))["messages"] == 0


async def test_the_order_is_kept_when_a_batch_comes_back_after_a_failure(broker: Broker, readers: Readers) -> None:
    """Messages that arrive while a batch is being tried again stay behind it."""
    failures = 5

    async def fail_first(batch: Sequence[Received]) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            await broker.publish_batch(captures(10, start=10 * (5 - failures)))
            raise OutOfReach

    applied = Applied(fail_first)
    await broker.publish_batch(captures(10))
    await readers.start(applied, patience=QUICK_OUTAGES)

    await eventually(lambda: len(applied.numbers) == 60)
    assert applied.numbers == list(range(60))


async def test_dead_letters_wait_for_the_broker_and_the_message_for_its_dead_letter(
    nats_server: NatsServer, broker: Broker, readers: Readers
) -> None:
    killed = False

    async def choke(batch: Sequence[Received]) -> None:
        nonlocal killed
        if not killed:
            killed = True
            nats_server.kill()
            await eventually(lambda: not broker.is_connected)
        raise Unparseable({message.sequence: "no" for message in batch})

    await broker.publish_batch(captures(2))
    await readers.start(choke)
    await eventually(lambda: killed and not broker.is_connected)  # else it may look ready a moment longer
    nats_server.start()

    await eventually(lambda: broker.is_ready)
    await eventually(lambda: all_acknowledged(broker, 2))
    assert {letter.headers["dead-sequence"] for letter in await stored(broker, "DEAD")} == {"1", "2"}


async def test_stop_gives_up_a_batch_that_waits_and_the_successor_gets_all_of_it_at_once(
    broker: Broker, readers: Readers
) -> None:
    failing = asyncio.Event()

    async def away(batch: Sequence[Received]) -> None:
        failing.set()
        raise OutOfReach

    consumer = await readers.start(
        away, patience=RetryPolicy(is_transient=QUICK_OUTAGES.is_transient, outage_seconds=(3600.0,))
    )
    await broker.publish_batch(captures(30))
    await failing.wait()
    await consumer.stop()
    assert await all_came_back(broker)  # to come again at once, and not after three seconds without an acknowledgement

    applied = Applied()
    await readers.start(applied)
    await eventually(lambda: applied.numbers == list(range(30)))


async def all_came_back(broker: Broker) -> bool:
    """Nothing is out, nothing is acknowledged, and nobody holds the lane."""
    state = await durable_state(broker, "CAPTURE", SPEC.durable)
    (group,) = state["priority_groups"]
    return not (state["num_ack_pending"] or state["ack_floor"]["stream_seq"] or group.get("pinned_client_id"))


async def test_a_mistake_of_ours_stops_neither_the_lane_nor_skips_anything(broker: Broker, readers: Readers) -> None:
    """An observer that raises is as good a mistake as any."""

    class Broken:
        def __init__(self) -> None:
            self.failures = 2

        def batch_handled(self, stream: str, consumer: str, size: int, seconds: float) -> None:
            if self.failures:
                self.failures -= 1
                raise RuntimeError("broken")

        def batch_failed(self, stream: str, consumer: str, size: int, error: Exception) -> None: ...
        def message_died(self, stream: str, consumer: str, subject: str, reason: str) -> None: ...

    applied = Applied()
    await broker.publish_batch(captures(10))
    await readers.start(applied, observer=Broken())

    await eventually(lambda: all_acknowledged(broker, 10))
    assert applied.numbers == list(range(10))


async def all_acknowledged(broker: Broker, count: int) -> bool:
    state = await durable_state(broker, "CAPTURE", SPEC.durable)
    return bool(state["num_ack_pending"] == 0 and state["ack_floor"]["stream_seq"] == count)
