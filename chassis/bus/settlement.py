"""Seeing a batch through to its end: applied, or the bad message found and set aside, and everything acknowledged in
order.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from chassis.bus.delivery import Delivery
from chassis.bus.errors import BrokerUnavailable
from chassis.bus.observer import Observer
from chassis.bus.retry_policy import Dead, Done, Halve, Retry, RetryPolicy, Tries, outcome_of
from chassis.message import Received
from chassis.progress import Progress, describe

log = structlog.get_logger(__name__)

Handle = Callable[[Sequence[Received]], Awaitable[None]]


class Stopped(Exception):
    """The consumer stops; what was not acknowledged is left for its successor."""


@dataclass(frozen=True, slots=True)
class Outlets:
    """What a settler does to the world.

    `set_aside` copies messages to the dead letters and may raise BrokerUnavailable; `pause` may raise Stopped.
    """

    acknowledge: Callable[[Sequence[Delivery]], Awaitable[None]]
    set_aside: Callable[[Sequence[tuple[Received, str]]], Awaitable[None]]
    pause: Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Part:
    deliveries: Sequence[Delivery]
    tries: Tries = field(default_factory=Tries)


class Settler:
    """Settles the batches of one lane, one after the other."""

    def __init__(
        self, lane: tuple[str, str], handle: Handle, patience: RetryPolicy, outlets: Outlets, observer: Observer
    ) -> None:
        self._lane = lane  # stream, consumer
        self._handle = handle
        self._patience = patience
        self._outlets = outlets
        self._observer = observer
        self.progress = Progress()

    async def settle(self, deliveries: Sequence[Delivery]) -> None:
        """Returns when each of `deliveries` is applied or dead, and acknowledged.

        Raises Stopped when told so while waiting.
        """
        self.progress.begin()
        stack = [_Part(deliveries)]
        while stack:
            part = stack.pop()
            error = await self._try(part)
            match outcome_of(
                error, [delivery.message.sequence for delivery in part.deliveries], part.tries, self._patience
            ):
                case Done():
                    await self._outlets.acknowledge(part.deliveries)
                    self.progress.advance()
                case Retry(after_seconds, tries):
                    await self._outlets.pause(after_seconds)
                    stack.append(replace(part, tries=tries))
                case Halve(tries):
                    middle = len(part.deliveries) // 2
                    stack += [_Part(part.deliveries[middle:], tries), _Part(part.deliveries[:middle], tries)]
                case Dead(reasons):
                    await self._set_aside(
                        [delivery for delivery in part.deliveries if delivery.message.sequence in reasons], reasons
                    )
                    if rest := [delivery for delivery in part.deliveries if delivery.message.sequence not in reasons]:
                        stack.append(_Part(rest))
        self.progress.rest()

    async def _try(self, part: _Part) -> Exception | None:
        began = time.perf_counter()
        try:
            await self._handle([delivery.message for delivery in part.deliveries])
        except Exception as error:
            self.progress.fail(error)
            self._observer.batch_failed(*self._lane, len(part.deliveries), error)
            log.warning(
                "batch.failed",
                stream=self._lane[0],
                consumer=self._lane[1],
                size=len(part.deliveries),
                error=describe(error),
            )
            return error
        self._observer.batch_handled(*self._lane, len(part.deliveries), time.perf_counter() - began)
        return None

    async def _set_aside(self, deliveries: Sequence[Delivery], reasons: Mapping[int, str]) -> None:
        dead = [(delivery.message, reasons[delivery.message.sequence]) for delivery in deliveries]
        waits = itertools.chain(self._patience.outage_seconds, itertools.repeat(self._patience.outage_seconds[-1]))
        while True:
            try:
                await self._outlets.set_aside(dead)
                break
            except BrokerUnavailable as error:  # not acknowledged before the copy is on disk
                self.progress.fail(error)
                log.warning("burial.delayed", stream=self._lane[0], consumer=self._lane[1], reason=str(error))
                await self._outlets.pause(next(waits))
        for message, reason in dead:
            self._observer.message_died(*self._lane, message.subject, reason)
            log.error(
                "message.died", stream=self._lane[0], consumer=self._lane[1], sequence=message.sequence, reason=reason
            )
        await self._outlets.acknowledge(deliveries)
        self.progress.advance()
