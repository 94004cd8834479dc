"""One lane, read in order and in batches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import nats
import pytest
from nats.aio.msg import Msg

from chassis.bus.broker import Broker
from chassis.bus.consumer import Consumer, ConsumerSpec
from chassis.message import OutMessage, Received
from tests.chassis.bus.builders import Applied, a_capture, captures, durable_state
from tests.chassis.bus.readers import SPEC, Readers
from tests.support.eventually import eventually
from tests.support.nats import NatsServer


async def test_everything_is_handled_once_in_order_in_batches_and_acknowledged(
    broker: Broker, readers: Readers
) -> None:
    await broker.publish_batch(captures(2000))
    applied = Applied()
    await readers.start(applied)

    await eventually(lambda: len(applied.numbers) == 2000)
    await broker.publish_batch(captures(10, start=2000))
    await eventually(lambda: len(applied.numbers) == 2010)

    assert applied.numbers == list(range(2010))
    assert sum(applied.batches) == 2010
    assert 1 < max(applied.batches) <= 250
    await eventually(lambda: is_acknowledged(broker, 2010))


async def test_a_handler_sees_the_message_as_it_was_sent_and_where_it_stands(broker: Broker, readers: Readers) -> None:
    seen: list[Received] = []

    async def handle(batch: Sequence[Received]) -> None:
        seen.extend(batch)

    await readers.start(handle)
    await broker.publish_batch([OutMessage("capture.x.0", {"ce-id": "a", "name": "Zoë"}, b"body"), *captures(1)])
    await eventually(lambda: len(seen) == 2)

    message = seen[0]
    assert (message.subject, message.headers, message.body) == ("capture.x.0", {"ce-id": "a", "name": "Zoë"}, b"body")
    assert (message.stream, message.sequence, message.delivered) == ("CAPTURE", 1, 1)
    assert message.timestamp.tzinfo is not None


async def test_only_the_subjects_asked_for_are_read(broker: Broker, readers: Readers) -> None:
    applied = Applied()
    await readers.start(applied, ConsumerSpec("scoring", "CAPTURE", ("capture.a.*", "capture.b.*")))
    await broker.publish_batch(
        [OutMessage(f"capture.{word}.0", {"ce-id": str(at)}, str(at).encode()) for at, word in enumerate("abcab")]
    )

    await eventually(lambda: is_acknowledged(broker, 5))
    assert applied.numbers == [0, 1, 3, 4]


async def test_each_lane_reads_its_own_messages_in_order(broker: Broker, readers: Readers) -> None:
    lanes = [Applied() for _ in range(4)]
    for lane, applied in enumerate(lanes):
        await readers.start(applied, ConsumerSpec("scoring", "CAPTURE", (f"capture.*.*.*.{lane}",), lane=lane, lanes=4))
    await broker.publish_batch(
        [message for number in range(400) for message in captures(1, start=number, lane=number % 4)]
    )

    await eventually(lambda: sum(len(applied.numbers) for applied in lanes) == 400)
    assert [applied.numbers for applied in lanes] == [list(range(lane, 400, 4)) for lane in range(4)]
    assert {name["name"] for name in await consumers_of(broker)} == {"scoring-0", "scoring-1", "scoring-2", "scoring-3"}


async def test_two_services_each_hear_everything(broker: Broker, readers: Readers) -> None:
    one, other = Applied(), Applied()
    await readers.start(one)
    await readers.start(other, ConsumerSpec("metrics", "CAPTURE", ("capture.>",)))
    await broker.publish_batch(captures(300))

    await eventually(lambda: len(one.numbers) == len(other.numbers) == 300)


class Slow(Applied):
    """Takes `seconds` for its first batch, and writes down when each one ended."""

    def __init__(self, seconds: float) -> None:
        super().__init__(self._take_time)
        self.ended = 0
        self._seconds = seconds

    async def _take_time(self, batch: Sequence[Received]) -> None:
        await asyncio.sleep(self._seconds if self.calls == 1 else 0)
        self.ended += 1


def rests_of(consumer: Consumer) -> list[float]:
    """For how long it lets messages gather after each batch, from now on."""
    rests: list[float] = []
    gather = consumer._puller.gather

    async def rest(most: int, seconds: float) -> None:
        rests.append(seconds)
        await gather(most, seconds)

    consumer._puller.gather = rest  # type: ignore[method-assign]
    return rests


async def publish_singly(broker: Broker, first: int, last: int) -> None:
    for number in range(first, last + 1):
        await broker.publish_batch(captures(1, start=number))


@pytest.mark.parametrize("most", [10.0, 0.05])
async def test_a_reader_rests_as_long_as_its_last_batch_took_within_bounds(
    broker: Broker, readers: Readers, most: float
) -> None:
    """A message that comes alone waits for nobody; what comes while it is applied, and while its reader rests, shares
    the next batch.
    """
    applied = Slow(0.4)
    rests = rests_of(
        await readers.start(applied, ConsumerSpec("metrics", "CAPTURE", ("capture.>",), rest_seconds=most))
    )
    await publish_singly(broker, 0, 0)
    await eventually(lambda: applied.calls)
    await publish_singly(broker, 1, 3)
    await eventually(lambda: applied.ended)
    await publish_singly(broker, 4, 5)

    await eventually(lambda: len(applied.numbers) == 6)
    assert applied.numbers == list(range(6))
    assert applied.batches == [1, 5] if most > 1 else rests[0] == most


async def test_who_lingers_gathers_while_more_comes(broker: Broker, readers: Readers) -> None:
    applied = Applied()
    await readers.start(applied, ConsumerSpec("metrics", "CAPTURE", ("capture.>",), linger_seconds=2.0))
    await publish_singly(broker, 0, 0)
    await eventually(lambda: applied.batches == [1])  # alone: it waits for nobody

    await publish_singly(broker, 1, 5)
    await eventually(lambda: len(applied.numbers) == 6)
    assert applied.batches == [1, 5]


async def test_who_lingers_goes_on_when_nothing_comes_any_more(broker: Broker, readers: Readers) -> None:
    applied = Applied()
    looks = rests_of(
        await readers.start(applied, ConsumerSpec("metrics", "CAPTURE", ("capture.>",), linger_seconds=4.0))
    )
    await publish_singly(broker, 0, 0)
    await eventually(lambda: len(applied.numbers) == 1)
    await publish_singly(broker, 1, 1)
    await eventually(lambda: len(applied.numbers) == 2)
    # no rest, and then, for a tenth of the time each, one look that saw the second message come and one that saw none
    assert 2 <= len(looks) < 10


async def test_who_lingers_goes_on_when_a_batch_is_full(broker: Broker, readers: Readers) -> None:
    applied = Applied()
    await readers.start(
        applied, ConsumerSpec("metrics", "CAPTURE", ("capture.>",), batch_size=10, linger_seconds=3600.0)
    )
    await publish_singly(broker, 0, 0)
    await eventually(lambda: applied.batches == [1])
    await publish_singly(broker, 1, 10)
    await eventually(lambda: applied.batches == [1, 10])


async def test_a_backlog_does_not_wait_for_company(broker: Broker, readers: Readers) -> None:
    await broker.publish_batch(captures(95))
    applied = Applied()
    await readers.start(
        applied, ConsumerSpec("metrics", "CAPTURE", ("capture.>",), batch_size=10, linger_seconds=3600.0)
    )

    await eventually(lambda: len(applied.numbers) == 95)
    assert applied.numbers == list(range(95))


async def test_while_a_batch_is_applied_the_next_one_comes(broker: Broker, readers: Readers) -> None:
    release = asyncio.Event()

    async def wait(batch: Sequence[Received]) -> None:
        await release.wait()

    applied = Applied(wait)
    await broker.publish_batch(captures(100))
    await readers.start(applied, ConsumerSpec("scoring", "CAPTURE", ("capture.>",), batch_size=10))
    await eventually(lambda: applied.calls == 1)
    try:
        await eventually(lambda: are_out(broker, 20))
    finally:
        release.set()
    await eventually(lambda: len(applied.numbers) == 100)
    assert applied.numbers == list(range(100))
    assert set(applied.batches[1:-1]) == {10}
    await eventually(lambda: is_acknowledged(broker, 100))


async def test_with_a_backlog_batches_are_full_though_it_comes_in_pieces(broker: Broker, readers: Readers) -> None:
    async def work(batch: Sequence[Received]) -> None:
        time.sleep(0.01)  # noqa: ASYNC251 - nothing is read meanwhile

    await broker.publish_batch([a_capture(number, size=2_000) for number in range(2000)])
    applied = Applied(work)
    await readers.start(applied, ConsumerSpec("scoring", "CAPTURE", ("capture.>",), batch_size=100))

    await eventually(lambda: len(applied.numbers) == 2000, within=10)
    assert len(applied.batches) <= 24, applied.batches


async def test_a_reader_that_stood_still_goes_on_in_order_though_all_it_held_comes_again(
    broker: Broker, readers: Readers
) -> None:
    """It says nothing for longer than the server waits, with a batch in hand and another behind it."""
    applied = Applied(stand_still_once())
    await broker.publish_batch(captures(40))
    await readers.start(applied, ConsumerSpec("scoring", "CAPTURE", ("capture.>",), batch_size=10))

    await eventually(lambda: len(applied.numbers) == 40, within=15)
    assert applied.numbers == list(range(40))
    await eventually(lambda: is_acknowledged(broker, 40), within=15)


async def test_who_is_quick_sends_no_sign_of_life(nats_server: NatsServer, broker: Broker, readers: Readers) -> None:
    signs: list[str] = []

    async def see(message: Msg) -> None:
        signs.append(message.data.decode())

    watching = await nats.connect(nats_server.url)
    await watching.subscribe("$JS.ACK.CAPTURE.scoring.>", cb=see)
    applied = Applied(lambda batch: asyncio.sleep(0.3))
    await readers.start(applied)
    began = time.monotonic()
    while time.monotonic() - began < 2.5:  # something is always in hand, and nothing for long
        await broker.publish_batch(captures(1, start=len(applied.numbers)))
        await asyncio.sleep(0.05)
    await eventually(lambda: len(signs) >= len(applied.numbers))
    assert set(signs) == {"+ACK"}
    await watching.close()


async def test_a_stream_that_does_not_exist_yet_is_waited_for(broker: Broker, readers: Readers) -> None:
    applied = Applied()
    consumer = await readers.start(applied, ConsumerSpec("metrics", "NURTURE", ("nurture.>",)))
    assert not consumer.is_ready

    await broker.ensure_streams(["NURTURE"])
    await broker.publish_batch([OutMessage("nurture.x.0", {"ce-id": "a"}, b"1")])
    await eventually(lambda: applied.numbers == [1])
    assert consumer.is_ready


async def test_a_reconnect_resumes_reading_at_once_and_in_order(
    nats_server: NatsServer, broker: Broker, readers: Readers
) -> None:
    applied = Applied()
    consumer = await readers.start(applied)
    await broker.publish_batch(captures(100))
    await eventually(lambda: len(applied.numbers) == 100)

    for round_ in (1, 2):
        nats_server.kill()
        await eventually(lambda: not broker.is_connected)
        is_poked = consumer._puller._poke
        seen: list[bool] = []

        async def see(is_poked: asyncio.Event = is_poked, seen: list[bool] = seen) -> None:
            seen.append(is_poked.is_set())

        forget = broker.when_reconnected(see)
        nats_server.start()
        await eventually(lambda: broker.is_ready)
        assert seen[-1]  # it pulls because of the reconnect, and not when it would have pulled anyway
        forget()
        await broker.publish_batch(captures(100, start=100 * round_))
        await eventually(lambda round_=round_: len(applied.numbers) == 100 * (round_ + 1))  # type: ignore[misc]

    assert applied.numbers == list(range(300))


async def test_a_server_killed_in_the_middle_of_the_stream_costs_neither_messages_nor_their_order(
    nats_server: NatsServer, broker: Broker, readers: Readers
) -> None:
    await broker.publish_batch(captures(3000))
    applied = Applied(yield_often)
    await readers.start(applied)
    await eventually(lambda: len(applied.numbers) > 500)
    nats_server.kill()
    assert len(applied.numbers) < 3000, "too late: nothing was left to lose"
    await eventually(lambda: not broker.is_connected)
    nats_server.start()

    await eventually(lambda: len(applied.numbers) == 3000, within=15)
    assert applied.numbers == list(range(3000))
    await eventually(lambda: is_acknowledged(broker, 3000), within=10)


async def test_a_durable_that_was_deleted_is_made_again_and_reading_goes_on(broker: Broker, readers: Readers) -> None:
    applied = Applied()
    await readers.start(applied)
    await broker.publish_batch(captures(10))
    await eventually(lambda: len(applied.numbers) == 10)

    await broker.request(f"CONSUMER.DELETE.CAPTURE.{SPEC.durable}")
    await broker.publish_batch(captures(10, start=10))
    await eventually(lambda: len(applied.numbers) == 20)
    assert applied.numbers == list(range(20))


async def test_a_slow_batch_is_not_given_to_anyone_again(broker: Broker, readers: Readers) -> None:
    """Longer than the server waits for an acknowledgement: the consumer says meanwhile that it is at work."""
    calls: list[list[int]] = []

    async def handle(batch: Sequence[Received]) -> None:
        calls.append([message.sequence for message in batch])
        if len(calls) == 1:
            await eventually(lambda: durable_is_overdue(began), within=10)

    began = asyncio.get_running_loop().time()
    await broker.publish_batch(captures(5))
    await readers.start(handle)
    await eventually(lambda: is_acknowledged(broker, 5), within=10)
    await broker.publish_batch(captures(1))
    await eventually(lambda: is_acknowledged(broker, 6))

    assert [sequence for call in calls for sequence in call] == [1, 2, 3, 4, 5, 6]
    assert (await durable_state(broker, "CAPTURE", "scoring"))["num_redelivered"] == 0


async def test_stop_finishes_the_batch_in_hand(broker: Broker, readers: Readers) -> None:
    release = asyncio.Event()
    taken: list[int] = []
    handled: list[int] = []

    async def handle(batch: Sequence[Received]) -> None:
        taken.extend(message.sequence for message in batch)
        await release.wait()
        handled.extend(message.sequence for message in batch)

    consumer = await readers.start(handle)
    await broker.publish_batch(captures(5))
    await eventually(lambda: taken)
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.wait((stopping,), timeout=0.1)
    assert not stopping.done()

    release.set()
    await stopping
    assert handled == taken == list(range(1, len(taken) + 1))
    await eventually(lambda: has_floor(broker, len(taken)))
    assert not consumer.is_ready


async def test_an_idle_consumer_stops_though_nothing_comes_and_twice_is_quiet(broker: Broker, readers: Readers) -> None:
    consumer = await readers.start(Applied())
    await eventually(lambda: consumer.is_ready)
    await consumer.stop()
    await consumer.stop()
    assert not consumer.is_ready


class Watching:
    """An observer that writes down."""

    def __init__(self) -> None:
        self.handled: list[tuple[str, str, int]] = []

    def batch_handled(self, stream: str, consumer: str, size: int, seconds: float) -> None:
        assert seconds >= 0
        self.handled.append((stream, consumer, size))

    def batch_failed(self, stream: str, consumer: str, size: int, error: Exception) -> None:
        raise AssertionError("nothing fails here")

    def message_died(self, stream: str, consumer: str, subject: str, reason: str) -> None:
        raise AssertionError("nothing dies here")


async def test_the_observer_sees_batches(broker: Broker, readers: Readers) -> None:
    await broker.publish_batch(captures(1000))
    watching = Watching()
    await readers.start(Applied(), observer=watching)

    await eventually(lambda: sum(size for _, _, size in watching.handled) == 1000)
    assert {(stream, consumer) for stream, consumer, _ in watching.handled} == {("CAPTURE", "scoring")}


async def is_acknowledged(broker: Broker, count: int) -> bool:
    """Everything up to `count` is acknowledged."""
    state = await durable_state(broker, "CAPTURE", "scoring")
    return bool(state["num_ack_pending"] == 0 and state["ack_floor"]["stream_seq"] >= count)


async def has_floor(broker: Broker, sequence: int) -> bool:
    """Just this far everything is acknowledged."""
    floor: int = (await durable_state(broker, "CAPTURE", "scoring"))["ack_floor"]["stream_seq"]
    return floor == sequence


async def are_out(broker: Broker, count: int) -> bool:
    """So many are delivered and not acknowledged."""
    return bool((await durable_state(broker, "CAPTURE", "scoring"))["num_ack_pending"] == count)


def stand_still_once() -> Callable[[Sequence[Received]], Awaitable[None]]:
    has_stood = False

    async def stand(batch: Sequence[Received]) -> None:
        nonlocal has_stood
        if not has_stood:
            has_stood = True
            await asyncio.sleep(0.5)  # the next batch is there
            time.sleep(3.5)  # noqa: ASYNC251 - so that nothing else of the process runs either

    return stand


async def consumers_of(broker: Broker) -> list[dict[str, str]]:
    answer = await broker.request("CONSUMER.LIST.CAPTURE")
    found: list[dict[str, str]] = answer["consumers"]
    return found


async def yield_often(batch: Sequence[Received]) -> None:
    for _ in batch:
        await asyncio.sleep(0)


def durable_is_overdue(began: float) -> bool:
    return asyncio.get_running_loop().time() - began > 3.5
