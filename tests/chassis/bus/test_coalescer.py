"""Group commit of concurrent callers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from chassis.bus.broker import Broker
from chassis.bus.coalescer import Coalescer
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
        self._turns: asyncio.Queue[Exception | None] = asyncio.Queue()

    async def publish_batch(self, messages: Sequence[OutMessage], *, whole: bool = False) -> None:
        self.batches.append(messages)
        self.wholes.append(whole)
        outcome = await self._turns.get()
        if outcome is not None:
            raise outcome

    def finish(self, outcome: Exception | None = None) -> None:
        """Let one batch end."""
        self._turns.put_nowait(outcome)


def publishing(coalescer: Coalescer, *sizes: int) -> list[asyncio.Task[None]]:
    """One caller for each of `sizes`, in this order."""
    return [asyncio.create_task(coalescer.publish(captures(size, start=1000 * number))) for number, size in enumerate(sizes)]


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
    coalescer = Coalescer(disk)
    first = publishing(coalescer, 1)
    await eventually(lambda: disk.batches)
    others = publishing(coalescer, 300, 200, 300, 700, 1)
    await eventually(lambda: coalescer.waiting == 1501)
    for _ in range(5):
        disk.finish()
    await asyncio.gather(*first, *others)

    assert [len(batch) for batch in disk.batches] == [1, 500, 300, 700, 1]


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

    assert [(len(batch), whole) for batch, whole in zip(disk.batches, disk.wholes, strict=True)] == [(2, False), (3, True)]


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


async def test_every_acknowledged_capture_survives_kill_9_and_no_callers_messages_are_torn(nats_server: NatsServer, broker: Broker) -> None:
    """Sixty callers publish triples while the server is killed twice; a triple that was refused is not tried again."""
    coalescer = Coalescer(broker)
    acknowledged: list[int] = []
    refused: list[int] = []

    async def keep_publishing(caller: int) -> None:
        for turn in range(60):
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
