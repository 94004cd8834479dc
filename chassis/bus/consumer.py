"""One lane of a stream, read by one service: in order, in batches, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import structlog

from chassis.bus.broker import Broker
from chassis.bus.dead_letters import dead_letter_of
from chassis.bus.delivery import Delivery
from chassis.bus.durables import Applier, lay, survey
from chassis.bus.durables import ConsumerSpec as ConsumerSpec
from chassis.bus.errors import BrokerUnavailable, LanesDiffer
from chassis.bus.observer import Observer, Unobserved
from chassis.bus.puller import Puller, PullSource
from chassis.bus.retry_policy import RetryPolicy
from chassis.bus.settlement import Outlets, Settler, Stopped
from chassis.bus.starvation import ReaderState, Starvation
from chassis.clock import wall_clock
from chassis.endings import end_tasks
from chassis.message import Received
from chassis.progress import Progress, describe

log = structlog.get_logger(__name__)

_GROUP = "lane"
_NANOSECONDS = 1_000_000_000
_PIN_SECONDS = 2.0  # a reader that does not pull for this long may be replaced
_ACK_WAIT_SECONDS = 3.0
"""Short, so that what a killed reader held (it may be all that `max_ack_pending` allows) soon comes to the next one.

A reader that is merely slow says every second that it is at work.
"""
_IN_PROGRESS_SECONDS = _ACK_WAIT_SECONDS / 3
_RETRY_SECONDS = 0.5
# that a batch which is not full yet waits for what the server is about to send:
# small batches cost as much as large ones
_UNDERWAY_SECONDS = 0.005
_AHEAD = 2
"""Batches that may be out: while one is applied, the next one comes. With one alone, its first few
acknowledgements let the first few of the next one come, which then went ahead as a batch of their own. What comes
back, because a reader died or stood still, comes behind what is out already: the puller sees the gap or the other pin,
and has the server begin again in order.
"""


class Consumer:
    """Hands batches to `applier`, which applies each in one transaction, and acknowledges what was applied.

    Acknowledgements are explicit, one a message: "all up to here" would also acknowledge what a predecessor took
    and never finished. They cost about a tenth of the throughput. The applier may see a message again; it must
    skip what it has applied (the inbox does).
    """

    def __init__(
        self,
        broker: Broker,
        spec: ConsumerSpec,
        applier: Applier,
        *,
        patience: RetryPolicy | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._broker = broker
        self._spec = spec
        self._applier = applier
        self._patience = _also_for_lanes(patience or RetryPolicy())
        self._observer = observer or Unobserved()
        self._puller = Puller(broker, _source(spec), self._create_durable)
        outlets = Outlets(self._acknowledge, self._set_aside, self._pause)
        self._settler = Settler((spec.stream, spec.durable), self._apply, self._patience, outlets, self._observer)
        self._starvation = Starvation(broker, f"{spec.stream}.{spec.durable}", self._standing)
        self._in_hand: Sequence[Delivery] = ()
        self._is_stopping = asyncio.Event()
        self._is_ready = False
        self._refusal: str | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    @property
    def spec(self) -> ConsumerSpec:
        """What is read."""
        return self._spec

    @property
    def is_ready(self) -> bool:
        """The durable consumer exists and the lane is being read (or stood by for)."""
        return self._is_ready and self._refusal is None and not any(task.done() for task in self._tasks)

    @property
    def is_served(self) -> bool:
        """The server gives this reader what comes; others of the same lane stand by."""
        return self._puller.pin is not None

    @property
    def refusal(self) -> str | None:
        """Why this process may not read, when the service is run with another number of lanes."""
        return self._refusal

    @property
    def progress(self) -> Progress:
        """Whether what is in hand gets settled."""
        return self._settler.progress

    @property
    def absence(self) -> Progress:
        """Whether the stream and the durable are there to be read."""
        return self._puller.absence

    @property
    def starvation(self) -> Progress:
        """Whether it is given what waits for it."""
        return self._starvation.progress

    async def start(self) -> None:
        """Begin to read, in the background. A stream that does not exist yet is waited for."""
        name = f"{self._spec.stream}/{self._spec.durable}"
        work = {"read": self._run(), "in progress": self._keep_alive(), "starvation": self._starvation.watch()}
        self._tasks = tuple(asyncio.create_task(task, name=f"{name}: {what}") for what, task in work.items())

    async def stop(self) -> None:
        """Finish the batch in hand, acknowledge it and let another reader go on.

        A batch that waits to be tried again is given up.
        """
        if not self._tasks:
            return
        self._is_stopping.set()
        reading, *others = self._tasks
        if not self._in_hand:
            reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await end_tasks(*others)
        self._is_ready = False
        self._tasks = ()
        await self._puller.stop(leaves_unfinished=bool(self._in_hand))

    async def _run(self) -> None:
        await self._prepare()
        while not self._is_stopping.is_set():
            self._in_hand = await self._puller.next(self._spec.batch_size)
            is_behind = len(self._in_hand) == self._spec.batch_size or self._in_hand[-1].pending > 0
            began = time.monotonic()
            try:
                await self._settler.settle(self._in_hand)
            except Stopped:
                return
            except Exception as error:
                # a mistake of ours: the lane may stand still, but it may not die, and nothing may be skipped
                self.progress.fail(error)
                log.error("consumer.failed", stream=self._spec.stream, consumer=self._spec.durable, error=repr(error))
                await asyncio.sleep(_RETRY_SECONDS)
                self._puller.rewind()
            self._in_hand = ()
            if self._puller.pending:
                await self._puller.gather(self._spec.batch_size, _UNDERWAY_SECONDS)
            elif not is_behind:
                await self._rest(time.monotonic() - began)

    async def _rest(self, took: float) -> None:
        """As long as the last batch took, within bounds: who is busy half of the time takes more at once the busier the
        machine is.
        """
        await self._puller.gather(self._spec.batch_size, min(took, self._spec.rest_seconds))
        await self._puller.linger(self._spec.batch_size, self._spec.linger_seconds)

    def _standing(self) -> ReaderState:
        return ReaderState(
            self._puller.received, bool(self._in_hand or self._puller.buffered or not self._is_ready), self._puller.pin
        )

    async def _prepare(self) -> None:
        while True:
            try:
                await self._create_durable()
                break
            except Exception as error:
                # NATS or the store is away, or another process runs with other lanes: whatever it is, it may pass
                self.progress.fail(error)
                log.warning(
                    "consumer.waiting", stream=self._spec.stream, consumer=self._spec.durable, reason=describe(error)
                )
                await asyncio.sleep(_RETRY_SECONDS)
        self.progress.rest()
        await self._puller.start()
        self._is_ready = True

    async def _create_durable(self) -> None:
        with self._noting_refusal():
            found = await survey(self._broker, self._spec)
            opening = await self._applier.open(found.stream)
        await lay(self._broker, self._spec, found, opening, _durable_config(self._spec))

    async def _apply(self, batch: Sequence[Received]) -> None:
        with self._noting_refusal():
            await self._applier.apply(batch)

    @contextlib.contextmanager
    def _noting_refusal(self) -> Iterator[None]:
        try:
            yield
        except LanesDiffer as refusal:
            self._refusal = str(refusal)
            raise
        self._refusal = None

    async def _keep_alive(self) -> None:
        before: set[str] = set()
        while True:
            await asyncio.sleep(_IN_PROGRESS_SECONDS)
            held = {delivery.reply for delivery in (*self._in_hand, *self._puller.buffered)}
            if overdue := held & before:  # most is gone before that, and the server waits for three times as long
                await self._broker.signal(overdue, b"+WPI")
            before = held

    async def _acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        # one that gets lost is no harm: the message comes again and is skipped
        is_handing_over = self._is_stopping.is_set()
        await self._broker.signal(
            [delivery.reply for delivery in (deliveries[:-1] if is_handing_over else deliveries)], b"+ACK"
        )
        if is_handing_over:  # a reset that overtook the acknowledgements would undo them
            with contextlib.suppress(BrokerUnavailable):
                await self._broker.confirm(deliveries[-1].reply, b"+ACK")

    async def _set_aside(self, dead: Sequence[tuple[Received, str]]) -> None:
        # the letter first: should we die in between, the message comes again, dies again,
        # and the server knows the letter by its id
        now = wall_clock()
        for message, reason in dead:
            # alone: an atomic batch with one letter that is there already would be refused as a whole
            await self._broker.publish_batch(
                [dead_letter_of(message, self._spec.service, reason, now, self._broker.max_payload)]
            )
        while True:
            try:
                await self._applier.set_aside(dead)
                return
            except Exception as error:
                if not self._patience.is_transient(error):
                    raise
                log.warning(
                    "burial.delayed", stream=self._spec.stream, consumer=self._spec.durable, reason=describe(error)
                )
                await self._pause(_RETRY_SECONDS)

    async def _pause(self, seconds: float) -> None:
        if not self._is_stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._is_stopping.wait()
        if self._is_stopping.is_set():
            raise Stopped


def _source(spec: ConsumerSpec) -> PullSource:
    return PullSource(
        stream=spec.stream,
        durable=spec.durable,
        group=_GROUP,
        window=_AHEAD * spec.batch_size,
        pin_seconds=_PIN_SECONDS,
    )


def _also_for_lanes(patience: RetryPolicy) -> RetryPolicy:
    """A service that is run with other lanes by somebody else has nothing against the messages: they wait."""
    return replace(patience, is_transient=lambda error: isinstance(error, LanesDiffer) or patience.is_transient(error))


def _durable_config(spec: ConsumerSpec) -> dict[str, Any]:
    """The JetStream configuration of the durable consumer, as its API takes it, but for where it begins and what it
    hears.
    """
    return {
        "durable_name": spec.durable,
        "name": spec.durable,
        "ack_policy": "explicit",
        "ack_wait": int(_ACK_WAIT_SECONDS * _NANOSECONDS),
        "max_deliver": -1,
        "max_ack_pending": _AHEAD * spec.batch_size,
        "priority_groups": [_GROUP],
        "priority_policy": "pinned_client",
        "priority_timeout": int(_PIN_SECONDS * _NANOSECONDS),
    }
