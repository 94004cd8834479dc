"""Group commit of concurrent callers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

import pytest

from chassis.bus import coalescer as coalescing
from chassis.bus.broker import Broker
from chassis.bus.coalescer import Coalescer, Told
from chassis.bus.errors import BrokerUnavailable, Overloaded, PublishRefused
from chassis.message import OutMessage
from tests.chassis.bus.builders import a_capture, bodies, captures
from tests.support.eventually import eventually
from tests.support.nats import NatsServer


class SlowDisk:
    """A publisher whose batches end when and how the test says."""

    max_payload = 1_048_576

    def __init__(self) -> None:
        self.batches: list[Sequence[OutMessage]] = []
        self.wholes: list[bool] = []
        self._underway: deque[Told] = deque()
        self._outcomes: deque[Exception | None] = deque()

    def put_batch(self, messages: Sequence[OutMessage], told: Told, *, size: int, whole: bool = False) -> None:
        self.batches.append(messages)
        self.wholes.append(whole)
        self._underway.append(told)
        self._go_on()

    def finish(self, outcome: Exception | None = None) -> None:
        """Let one batch end."""
        self._outcomes.append(outcome)
        self._go_on()

    def end_one(self) -> None:
        """Let the first of those under way end now, as the connection does it."""
        self._underway.popleft()(None)

    def _go_on(self) -> None:
        if self._underway and self._outcomes:
            asyncio.get_running_loop().call_soon(self._underway.popleft(), self._outcomes.popleft())


def publishing(coalescer: Coalescer, *sizes: int) -> list[asyncio.Task[None]]:
    """One caller for each of `sizes`, in this order."""
    return [
        asyncio.create_task(coalescer.publish(captures(size, start=1000 * number))) for number, size in enumerate(sizes)
    ]


async def test_who_comes_during_a_flush_shares_the_next_one() -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk)
    first = publishing(coalescer, 1)
    await eventually(lambda: disk.batches)
    others = publishing(coalescer, 2, 3, 4)
    await eventually(lambda: coalescer.waiting == 9)

    disk.finish()
    await asyncio.gather(*first)
    assert not any(task.done() for task in others)
    disk.finish()
    await asyncio.gather(*others)

    assert [len(batch) for batch in disk.batches] == [1, 9]


async def test_a_caller_is_never_split_over_two_batches() -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk, most_flights=1)
    first = publishing(coalescer, 1)
    await eventually(lambda: disk.batches)
    others = publishing(coalescer, 300, 200, 300, 700, 1)
    await eventually(lambda: coalescer.waiting == 1501)
    for _ in range(5):
        disk.finish()
    await asyncio.gather(*first, *others)

    assert [len(batch) for batch in disk.batches] == [1, 500, 300, 700, 1]


async def test_a_second_batch_goes_ahead_when_half_full_and_no_third() -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk)
    callers = publishing(coalescer, 1)
    await eventually(lambda: disk.batches)
    callers += publishing(coalescer, 249)
    await eventually(lambda: coalescer.waiting == 249)
    await asyncio.sleep(0.05)
    assert [len(batch) for batch in disk.batches] == [1]
    callers += publishing(coalescer, 1)
    await eventually(lambda: [len(batch) for batch in disk.batches] == [1, 250])
    callers += publishing(coalescer, 300, 7)
    await eventually(lambda: coalescer.waiting == 307)
    await asyncio.sleep(0.05)
    assert len(disk.batches) == 2
    for _ in range(3):
        disk.finish()
    await asyncio.gather(*callers)

    assert [len(batch) for batch in disk.batches] == [1, 250, 307]


async def test_a_batch_leaves_with_the_put_that_fills_it_and_the_next_with_the_confirmation() -> None:
    """Neither waits for its turn of the loop, which may take as long as the server does for a batch."""
    disk = SlowDisk()
    coalescer = Coalescer(disk)
    told: list[Exception | None] = []
    coalescer.put(captures(249), told.append)
    assert not disk.batches
    coalescer.put(captures(1, start=249), told.append)
    assert [len(batch) for batch in disk.batches] == [250]
    for number in (1, 2):
        coalescer.put(captures(250, start=1000 * number), told.append)
    assert [len(batch) for batch in disk.batches] == [250, 250]
    disk.end_one()
    assert told == [None, None]
    assert [len(batch) for batch in disk.batches] == [250, 250, 250]
    disk.end_one()
    disk.end_one()
    assert told == [None] * 4


async def test_a_publisher_that_fails_at_once_is_told_of_later() -> None:
    class Away(SlowDisk):
        def put_batch(self, messages: Sequence[OutMessage], told: Told, *, size: int, whole: bool = False) -> None:
            self.batches.append(messages)
            raise BrokerUnavailable("away")

    disk = Away()
    coalescer = Coalescer(disk)
    told: list[Exception | None] = []
    for number in range(4):
        coalescer.put(captures(250, start=1000 * number), told.append)
    assert told == []
    await coalescer.close()
    assert [str(failure) for failure in told] == ["away"] * 4
    assert [len(batch) for batch in disk.batches] == [250, 250, 500]


async def test_a_few_large_messages_fill_a_batch_as_well() -> None:
    disk = SlowDisk()
    disk.max_payload = 8_000_000
    coalescer = Coalescer(disk)
    callers = publishing(coalescer, 1)
    await eventually(lambda: disk.batches)
    callers += [asyncio.create_task(coalescer.publish([a_capture(number, size=2_000_000)])) for number in range(2)]
    await eventually(lambda: [len(batch) for batch in disk.batches] == [1, 2])
    disk.finish()
    disk.finish()
    await asyncio.gather(*callers)


async def test_who_comes_as_the_last_flights_end_is_not_left_waiting() -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk)
    callers = publishing(coalescer, 1)
    await eventually(lambda: disk.batches)
    callers += publishing(coalescer, 250)
    await eventually(lambda: len(disk.batches) == 2)
    for _ in range(100):
        disk.finish()
    for number in range(40):  # at every step of the ending
        await asyncio.sleep(0)
        callers += [asyncio.create_task(coalescer.publish(captures(1, start=10_000 + number)))]
    async with asyncio.timeout(60):
        await asyncio.gather(*callers)


class TimedDisk(SlowDisk):
    """Takes a tenth of a second for a batch."""

    def put_batch(self, messages: Sequence[OutMessage], told: Told, *, size: int, whole: bool = False) -> None:
        self.batches.append(messages)
        asyncio.get_running_loop().call_later(0.1, told, None)


class Clock:
    """The coalescer's; by it a batch may take hours, and so may the rest behind it."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(coalescing, "time", clock)
    return clock


HOURS = 7200.0


async def test_who_is_answered_together_is_waited_for_a_moment() -> None:
    """Nine callers who come again as soon as they are answered, a millisecond apart: they travel together from
    then on.
    """
    disk = TimedDisk()
    coalescer = Coalescer(disk, most_rest_seconds=1.0)

    async def comes_again(number: int) -> None:
        for turn in range(4):
            await coalescer.publish(captures(1, start=100 * number + turn))
            await asyncio.sleep(0.0002 * number)

    await asyncio.gather(*(comes_again(number) for number in range(9)))
    assert [len(batch) for batch in disk.batches] == [9] * 4


async def test_a_batch_that_is_half_full_rests_no_longer(clock: Clock) -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk, most_rest_seconds=HOURS)
    first = publishing(coalescer, *[1] * 240)
    await eventually(lambda: disk.batches)
    clock.now += HOURS  # and half as long a rest
    disk.finish()
    await asyncio.gather(*first)
    waiting = publishing(coalescer, *[1] * 249)
    await eventually(lambda: coalescer.waiting == 249)
    assert len(disk.batches) == 1
    disk.finish()
    await asyncio.gather(*waiting, *publishing(coalescer, 1))
    assert [len(batch) for batch in disk.batches] == [240, 250]


async def test_nobody_rests_while_half_a_batch_waits(clock: Clock) -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk, most_flights=1, most_rest_seconds=HOURS)
    first = publishing(coalescer, 1, 1)
    await eventually(lambda: disk.batches)
    waiting = publishing(coalescer, *[1] * 250)
    await eventually(lambda: coalescer.waiting == 250)
    clock.now += HOURS
    disk.finish()
    await asyncio.gather(*first)
    disk.finish()
    await asyncio.gather(*waiting)


async def test_batches_of_which_none_lands_are_noticed_and_idleness_is_not(clock: Clock) -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk)
    clock.now += 100
    assert coalescer.stuck_seconds == 0
    callers = publishing(coalescer, 1)
    await eventually(lambda: disk.batches)
    clock.now += 7
    assert coalescer.stuck_seconds == 7
    disk.finish()
    await asyncio.gather(*callers)
    assert coalescer.stuck_seconds == 0


async def test_close_rests_no_longer(clock: Clock) -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk, most_rest_seconds=HOURS)
    first = publishing(coalescer, 1, 1)
    await eventually(lambda: disk.batches)
    clock.now += HOURS
    disk.finish()
    await asyncio.gather(*first)
    late = publishing(coalescer, 1)
    await eventually(lambda: coalescer.waiting == 1)
    disk.finish()
    await coalescer.close()
    assert late[0].done()


async def test_who_is_alone_waits_for_nobody(clock: Clock) -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk, most_rest_seconds=HOURS)
    for number in range(4):
        alone = publishing(coalescer, 2)
        await eventually(lambda so_many=number + 1: len(disk.batches) == so_many)  # type: ignore[misc]
        clock.now += HOURS
        disk.finish()
        await asyncio.gather(*alone)


async def test_who_is_told_by_a_call_hears_once_and_a_mistake_of_one_harms_no_other() -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk)
    told: list[tuple[str, Exception | None]] = []

    def stumbles(failure: Exception | None) -> None:
        told.append(("stumbles", failure))
        raise RuntimeError("a mistake of the caller's")

    coalescer.put(captures(1), stumbles)
    coalescer.put(captures(1, start=1), lambda failure: told.append(("goes on", failure)))
    coalescer.put([], lambda failure: told.append(("has nothing", failure)))
    assert told == [("has nothing", None)]
    disk.finish()
    await eventually(lambda: len(told) == 3)
    assert told[1:] == [("stumbles", None), ("goes on", None)]


async def test_what_one_caller_gave_stays_whole_and_single_messages_may_go_one_by_one() -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk)
    await asyncio.wait(singles := publishing(coalescer, 1, 1), timeout=0)
    await eventually(lambda: disk.batches)
    pair = publishing(coalescer, 1, 2)
    await eventually(lambda: coalescer.waiting == 3)
    disk.finish()
    disk.finish()
    await asyncio.gather(*singles, *pair)

    assert [(len(batch), whole) for batch, whole in zip(disk.batches, disk.wholes, strict=True)] == [
        (2, False),
        (3, True),
    ]


async def test_a_failure_reaches_every_caller_of_its_batch_and_no_other() -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk)
    first = publishing(coalescer, 1)
    await eventually(lambda: disk.batches)
    doomed = publishing(coalescer, 1, 1)
    await eventually(lambda: coalescer.waiting == 2)
    disk.finish()
    await eventually(lambda: len(disk.batches) == 2)
    last = publishing(coalescer, 1)
    await eventually(lambda: coalescer.waiting == 1)
    disk.finish(BrokerUnavailable("away"))
    disk.finish()

    outcomes = await asyncio.gather(*first, *doomed, *last, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), BrokerUnavailable, BrokerUnavailable, type(None)]


async def test_an_unforeseen_error_leaves_nobody_waiting() -> None:
    disk = SlowDisk()
    callers = publishing(Coalescer(disk), 1)
    disk.finish(RuntimeError("surprise"))

    with pytest.raises(BrokerUnavailable, match="surprise"):
        await callers[0]


async def test_more_than_may_wait_is_refused_and_what_waits_is_not_harmed() -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk, most_waiting=10)
    first = publishing(coalescer, 1)
    await eventually(lambda: disk.batches)
    waiting = publishing(coalescer, 9)
    await eventually(lambda: coalescer.waiting == 9)

    with pytest.raises(Overloaded):
        await coalescer.publish(captures(2))
    await asyncio.gather(*publishing(coalescer, 0))

    disk.finish()
    disk.finish()
    await asyncio.gather(*first, *waiting)


async def test_more_bytes_than_may_wait_are_refused_and_there_is_room_again_when_they_are_stored() -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk, most_bytes=10_000)
    first = publishing(coalescer, 1)
    await eventually(lambda: disk.batches)
    large = asyncio.create_task(coalescer.publish([a_capture(1, size=50_000)]))  # nobody is ahead of it
    await eventually(lambda: coalescer.waiting == 1)

    with pytest.raises(Overloaded):
        await coalescer.publish([a_capture(2, size=10)])

    disk.finish()
    await asyncio.gather(*first)
    await eventually(lambda: coalescer.waiting == 0)
    small = asyncio.create_task(coalescer.publish([a_capture(3, size=10)]))
    disk.finish()
    disk.finish()
    await asyncio.gather(large, small)


async def test_a_caller_who_hangs_up_does_not_stop_the_others() -> None:
    disk = SlowDisk()
    coalescer = Coalescer(disk)
    impatient, patient = publishing(coalescer, 1, 1)
    await eventually(lambda: disk.batches)
    impatient.cancel()
    disk.finish()
    disk.finish()

    await patient
    assert impatient.cancelled()


async def test_a_message_that_cannot_be_sent_harms_its_own_caller_only(broker: Broker) -> None:
    coalescer = Coalescer(broker)
    good, bad = coalescer.publish([a_capture(1)]), coalescer.publish([a_capture(2, size=broker.max_payload)])

    outcomes = await asyncio.gather(good, bad, return_exceptions=True)

    assert outcomes[0] is None
    assert isinstance(outcomes[1], PublishRefused)
    assert await bodies(broker, "CAPTURE") == [b"1"]


async def test_close_waits_for_what_was_accepted(broker: Broker) -> None:
    coalescer = Coalescer(broker)
    callers = publishing(coalescer, 10, 10, 10)
    await asyncio.wait(callers, timeout=0)
    await coalescer.close()

    assert all(task.done() for task in callers)
    assert len(await bodies(broker, "CAPTURE")) == 30


async def test_every_acknowledged_capture_survives_kill_9_and_no_callers_messages_are_torn(
    nats_server: NatsServer, broker: Broker
) -> None:
    """Sixty callers publish triples while the server is killed twice; a triple that was refused is not tried again."""
    coalescer = Coalescer(broker)
    acknowledged: list[int] = []
    refused: list[int] = []

    async def keep_publishing(caller: int) -> None:
        for turn in range(30):
            start = 1000 * caller + 3 * turn
            try:
                await coalescer.publish(captures(3, start=start))
                acknowledged.append(start)
            except BrokerUnavailable:
                refused.append(start)
                await eventually(lambda: broker.is_ready, within=20)

    callers = asyncio.gather(*(keep_publishing(caller) for caller in range(60)))
    for _ in range(2):
        before = len(acknowledged)
        await eventually(lambda before=before: len(acknowledged) > before + 300)  # type: ignore[misc]
        nats_server.kill()
        await eventually(lambda: not broker.is_connected)
        nats_server.start()
    await callers

    stored = [int(body) for body in await bodies(broker, "CAPTURE")]
    assert refused, "the server was never missed: the test proves nothing"
    assert set(acknowledged) <= set(stored)
    for start in {number - number % 1000 % 3 for number in stored}:
        at = stored.index(start)
        assert stored[at : at + 3] == [start, start + 1, start + 2]
