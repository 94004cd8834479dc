"""Reading a durable consumer continuously, in order, as its only active reader.

Three things the server does that this is built on (each seen on nats-server 2.15.1):

* A pinned consumer (ADR-42) serves one reader until that one has not pulled for `priority_timeout`; an
  outstanding pull is not enough. So pulls are short-lived and repeated, also while nothing is needed; a pull that
  got lost is thereby replaced within the same time.
* Deliveries of a consumer are numbered without gaps. A gap means that someone else was given messages (a reader that
  died with them, or a connection that lost them), and what comes now would be out of order: the consumer is reset to
  its acknowledgement floor (ADR-60), and everything that was not acknowledged comes again, in order. Waiting for
  `ack_wait` instead would let later messages overtake.
* A reset starts the numbering at 1 again and keeps the pin and the outstanding pulls. Another reader may have had it
  done, and read on to just the number that this one waits for: so a run without gaps is one under one pin.

What `next` hands over is thereby complete: all that the lane holds between the acknowledgement floor and the last of it
was handed over, in order. The floors of the inbox rest on that.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from chassis.bus.broker import Broker
from chassis.bus.delivery import Delivery, read_delivery
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.bus.protocol import Raw
from chassis.progress import Progress

log = structlog.get_logger(__name__)

_FIRST_TURN = 1
_PAUSE_SECONDS = 0.25
_LOOKS = 10  # while it lingers, whether messages still come
_NO_PIN = "-"
_WRONG_PIN = "423"
_NO_RESPONDERS = "503"
_CONFLICT = "409"  # consumer deleted, leadership moved, ...


@dataclass(frozen=True, slots=True)
class PullSource:
    """What is read: `durable` of `stream`, at most `window` messages ahead; the pin is lost after `pin_seconds` without
    a pull.
    """

    stream: str
    durable: str
    group: str
    window: int
    pin_seconds: float


class Puller:
    """`restore` is called when the durable consumer is gone; it creates it again."""

    def __init__(self, broker: Broker, source: PullSource, restore: Callable[[], Awaitable[None]]) -> None:
        self._broker = broker
        self._source = source
        self._restore = restore
        self._buffer: deque[Delivery] = deque()
        self._wake = asyncio.Event()  # there is something for next() to do
        self._poke = asyncio.Event()  # there is something for the pulling task to do
        self._is_full = asyncio.Event()  # there is nothing to gather for any more
        self._full_at = source.window
        self._expected = _FIRST_TURN
        self._has_gap = False
        self._is_resetting = False
        self._is_gone = False
        self.absence = Progress()
        """Whether the durable, or its stream, is there to be read."""
        self._pin: str | None = None
        self._least = 0  # no message of the present run stands below this
        self._run_pin: str | None = None  # the pin that the present run of deliveries without gaps began under
        self._used = 0  # messages received since the last pull
        self._received = 0
        self._pending = 0
        self._inbox = ""
        self._subscription: Subscription | None = None
        self._task: asyncio.Task[None] | None = None
        self._forget: Callable[[], None] | None = None

    @property
    def received(self) -> int:
        """How many messages came so far."""
        return self._received

    @property
    def pending(self) -> int:
        """How many the stream holds for this reader beyond what was delivered, as far as is known."""
        return self._pending

    @property
    def pin(self) -> str | None:
        """What the server knows this reader by, while it is the one that is served."""
        return self._pin

    @property
    def buffered(self) -> tuple[Delivery, ...]:
        """What was delivered and not yet handed over."""
        return tuple(self._buffer)

    async def start(self) -> None:
        """Begin to pull. The durable consumer should exist; if it does not, `restore` makes it."""
        self._inbox, self._subscription = await self._broker.listen(self._arrived)
        self._forget = self._broker.when_reconnected(self._reconnected)
        self._task = asyncio.create_task(self._keep_pulling(), name=f"{self._source.durable}: pull")

    async def stop(self, *, leaves_unfinished: bool = False) -> None:
        """Read no more, and let go of the pin so that another reader goes on at once, from the first message that was
        not acknowledged.
        """
        if self._forget is not None:
            self._forget()
            self._forget = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._subscription is not None:
            with contextlib.suppress(NatsError):
                await self._subscription.unsubscribe()
        if self._pin is not None:
            with contextlib.suppress(BrokerUnavailable, ApiRefused):
                if leaves_unfinished or self._buffer:
                    await self._broker.request(f"CONSUMER.RESET.{self._address}", within=1.0)
                await self._broker.request(f"CONSUMER.UNPIN.{self._address}", {"group": self._source.group}, within=1.0)

    async def next(self, most: int) -> list[Delivery]:
        """Wait for messages; up to `most` of what is there, in stream order."""
        while True:
            if self._has_gap and not self._is_gone:
                await self._reset()
            if self._buffer and not self._has_gap:
                break
            self._wake.clear()
            if self._is_gone or not self._has_gap:
                await self._wake.wait()
        if 2 * self._used >= self._source.window:
            await self._pull(self._used)
        return [self._buffer.popleft() for _ in range(min(most, len(self._buffer)))]

    async def gather(self, most: int, seconds: float) -> None:
        """Let messages come for so long, or until there are `most`, or something is amiss."""
        self._full_at = most
        self._is_full.clear()
        if seconds > 0 and len(self._buffer) < most and not self._has_gap:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._is_full.wait()

    async def linger(self, most: int, seconds: float) -> None:
        """As `gather`, for as long as messages come: when none came for a tenth of the time, there is nothing to wait
        for.
        """
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and len(self._buffer) < most and not self._has_gap:
            before = self._received
            await self.gather(most, min(left, seconds / _LOOKS))
            if self._received == before:
                return

    def rewind(self) -> None:
        """Let everything that was not acknowledged come again, in order."""
        self._has_gap = True
        self._wake.set()

    @property
    def _address(self) -> str:
        return f"{self._source.stream}.{self._source.durable}"

    def _arrived(self, wire: Raw) -> None:
        if wire.subject.startswith(self._inbox):
            self._hear_status(wire)
            return
        delivery = read_delivery(wire)
        self._used += 1
        self._received += 1
        self._pending = delivery.pending
        if delivery.pin != self._pin:
            self._pin = delivery.pin
            # pulls that were sent before the pin was known are refused at some later moment: pull with it now
            self._poke.set()
        if self._continues(delivery):
            self._expected += 1
            self._run_pin = delivery.pin
            self._buffer.append(delivery)
        elif not self._is_resetting:
            self._has_gap = True
        if self._has_gap or len(self._buffer) >= self._full_at:
            self._is_full.set()
        self._wake.set()

    def _continues(self, delivery: Delivery) -> bool:
        if self._has_gap or delivery.turn != self._expected or delivery.message.sequence < self._least:
            return False
        return delivery.turn == _FIRST_TURN or delivery.pin == self._run_pin

    def _hear_status(self, wire: Raw) -> None:
        # the token a pull was asked with comes back as the subject's last: an answer to an
        # older pin says nothing about the present one
        status, _, reason = wire.status.partition(" ")
        asked_with = wire.subject.rpartition(".")[2]
        if status == _WRONG_PIN and asked_with == self._pin:
            self._pin = None
            self._poke.set()
        elif status == _NO_RESPONDERS or (status == _CONFLICT and "Deleted" in reason):
            self._is_gone = True
            self.absence.begin()
            self._poke.set()

    async def _reset(self) -> None:
        """Go back to the acknowledgement floor; until the answer is there, messages that do not begin at the beginning
        are leftovers.
        """
        self._buffer.clear()
        self._expected = _FIRST_TURN
        self._has_gap, self._is_resetting, self._least = False, True, 0
        try:
            self._least = (await self._broker.request(f"CONSUMER.RESET.{self._address}")).get("reset_seq", 0)
            # an earlier reset, of which the answer got lost, may have begun lower: its run is another one
            self._has_gap = self._has_gap or bool(self._buffer and self._buffer[0].message.sequence < self._least)
            log.info("consumer.rewound", stream=self._source.stream, consumer=self._source.durable)
        except (BrokerUnavailable, ApiRefused) as error:
            log.warning(
                "consumer.rewind_failed", stream=self._source.stream, consumer=self._source.durable, error=str(error)
            )
            self._has_gap = True
            await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            self._is_resetting = False

    async def _keep_pulling(self) -> None:
        while True:
            self._poke.clear()
            if self._is_gone:
                await self._bring_back()
            await self._pull(self._source.window)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._source.pin_seconds / 3):
                    await self._poke.wait()

    async def _bring_back(self) -> None:
        # before anything else: what is buffered came from a durable that heard perhaps other lanes
        self._has_gap = True
        await asyncio.sleep(_PAUSE_SECONDS)  # "no responders" also comes from a server that is only just starting
        try:
            await self._restore()
        except Exception as error:  # the store may be away too; this task may not end
            self.absence.fail(error)
            log.warning(
                "consumer.restore_failed", stream=self._source.stream, consumer=self._source.durable, error=str(error)
            )
        else:
            self._is_gone = False
            self.absence.rest()
            self._wake.set()

    async def _pull(self, count: int) -> None:
        self._used = 0
        order: dict[str, Any] = {
            "batch": count,
            "expires": int(self._source.pin_seconds * 1e9),
            "group": self._source.group,
        }
        if self._pin is not None:
            order["id"] = self._pin
        await self._broker.send(
            f"$JS.API.CONSUMER.MSG.NEXT.{self._address}",
            orjson.dumps(order),
            reply=f"{self._inbox}.{self._pin or _NO_PIN}",
        )

    async def _reconnected(self) -> None:
        self._pin = None
        self._poke.set()
