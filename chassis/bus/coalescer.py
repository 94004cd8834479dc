"""Group commit: callers that publish at the same time share one atomic batch, and so one flush to disk."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import structlog

from chassis.bus.batches import MOST_BYTES, MOST_MESSAGES, check_publishable
from chassis.bus.errors import BrokerUnavailable, Overloaded
from chassis.fence import Fence
from chassis.message import OutMessage
from contracts.limits import WAITING_BYTES, WAITING_MESSAGES

_REST_PART = 0.5
_MOST_REST_SECONDS = 0.004
"""After a batch of several callers the next gathers for half the time that it took, unless it is half full
before: who was answered comes again, and to the server a batch of fifty messages is little more than one of
five. A caller who is alone waits for nobody.
"""
log = structlog.get_logger(__name__)

Told = Callable[[Exception | None], None]
"""Called once, from the loop: with None when the messages are on disk, else with what went wrong."""


class BatchSink(Protocol):
    """What the coalescer needs of a Broker."""

    @property
    def max_payload(self) -> int: ...

    def put_batch(self, messages: Sequence[OutMessage], told: Told, *, size: int, whole: bool = False) -> None: ...


class _Caller(NamedTuple):
    messages: Sequence[OutMessage]
    size: int
    told: Told
    generation: int


class Coalescer:
    """`publish` returns when the caller's messages are on disk, `put` calls back.

    While one batch is under way the next one gathers.

    A second batch goes ahead of the first one's confirmation when it would be half full: the server stays busy while we
    read what came meanwhile. It goes from within the `put` that fills it, and the next from within the confirmation: a
    turn of a busy loop takes as long as the server does for a batch, and whatever waited for its turn would leave the
    server without work. What waits is bounded by number and by bytes; a caller that nobody is ahead of is always taken.
    """

    def __init__(
        self,
        broker: BatchSink,
        *,
        most_waiting: int = WAITING_MESSAGES,
        most_bytes: int = WAITING_BYTES,
        most_flights: int = 2,
        most_rest_seconds: float = _MOST_REST_SECONDS,
    ) -> None:
        self._broker = broker
        self._most_waiting = most_waiting
        self._most_bytes = most_bytes
        self._waiting: deque[_Caller] = deque()
        self._count = 0  # messages waiting
        self._size = 0  # bytes waiting
        self._most_flights = most_flights
        self._most_rest_seconds = most_rest_seconds
        self._flights = 0
        self._moved_at = 0.0  # when a batch landed last, or the first of those under way took off
        self._landed = asyncio.Event()
        self._rest: asyncio.Handle | None = None
        self._under_way = Fence()

    @property
    def waiting(self) -> int:
        """How many messages wait for their turn."""
        return self._count

    @property
    def stuck_seconds(self) -> float:
        """For how long batches have been under way without any of them landing; 0 while none is."""
        return time.monotonic() - self._moved_at if self._flights else 0.0

    async def publish(self, messages: Sequence[OutMessage]) -> None:
        """Raises Overloaded (nothing was sent), PublishRefused (nothing was sent) or BrokerUnavailable (may or may not
        be stored).

        Up to 500 messages of one stream are stored whole or not at all; they share that fate
        with others' only in that it is one batch.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.put(messages, partial(_settle, done))
        await done

    def put(self, messages: Sequence[OutMessage], told: Told) -> None:
        """As `publish`, without a task that waits: `told` is called, unless this raises Overloaded or PublishRefused.

        It need not raise anything.
        """
        if not messages:
            told(None)
            return
        most = self._broker.max_payload
        size = sum([check_publishable(message, most) for message in messages])
        if self._waiting and (self._count + len(messages) > self._most_waiting or self._size + size > self._most_bytes):
            raise Overloaded(f"{self._count} messages of {self._size} bytes wait to be stored")
        self._waiting.append(_Caller(messages, size, told, self._under_way.enter()))
        self._count += len(messages)
        self._size += size
        if self._is_half_full:
            if self._flights < self._most_flights:
                self._take_off()
        elif not self._flights and self._rest is None:
            # with who else comes in this turn of the loop
            self._rest = asyncio.get_running_loop().call_soon(self._end_rest)

    async def close(self) -> None:
        """Wait until what was accepted is stored or has failed."""
        while self._flights or self._waiting:
            if not self._flights:
                self._end_rest()
            self._landed.clear()
            await self._landed.wait()

    async def passed(self) -> None:
        """Returns when all that was accepted until now is stored or has failed, whatever else comes meanwhile."""
        await self._under_way.passed()

    @property
    def _is_half_full(self) -> bool:
        """What waits would fill half a batch."""
        return self._count >= MOST_MESSAGES // 2 or self._size >= MOST_BYTES // 2

    def _take_off(self) -> None:
        callers, now = self._take_turn(), time.monotonic()
        if not self._flights:
            self._moved_at = now
        self._flights += 1
        land = partial(self._land, callers, now)
        messages = [message for caller in callers for message in caller.messages]
        # single messages cannot be torn: few of them may go one by one
        whole = any(len(caller.messages) > 1 for caller in callers)
        try:
            self._broker.put_batch(messages, land, size=sum([caller.size for caller in callers]), whole=whole)
        except Exception as error:
            # whatever it was: nobody may be left waiting, nor hear of it before `put` has returned
            asyncio.get_running_loop().call_soon(land, error)

    def _land(self, callers: Sequence[_Caller], began: float, failure: Exception | None) -> None:
        if failure is not None and not isinstance(failure, BrokerUnavailable):  # nobody may be told that all is well
            failure = BrokerUnavailable(f"the batch failed: {failure!r}")
        for caller in callers:
            _tell(caller.told, failure)
            self._under_way.leave(caller.generation)
        self._flights -= 1
        self._landed.set()
        self._moved_at = now = time.monotonic()
        if len(callers) > 1 and not self._is_half_full:
            self._begin_rest(min((now - began) * _REST_PART, self._most_rest_seconds))
            return
        while self._waiting and (self._flights < self._most_flights if self._is_half_full else not self._flights):
            self._take_off()

    def _begin_rest(self, seconds: float) -> None:
        if self._rest is not None:
            self._rest.cancel()
        self._rest = asyncio.get_running_loop().call_later(seconds, self._end_rest)

    def _end_rest(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        if self._waiting and not self._flights:
            self._take_off()

    def _take_turn(self) -> list[_Caller]:
        """As many whole callers as fit into one batch, at least one."""
        turn = [self._waiting.popleft()]
        count, size = len(turn[0].messages), turn[0].size
        while self._waiting:
            following = self._waiting[0]
            if count + len(following.messages) > MOST_MESSAGES or size + following.size > MOST_BYTES:
                break
            turn.append(self._waiting.popleft())
            count, size = count + len(following.messages), size + following.size
        self._count -= count
        self._size -= size
        return turn


def _tell(told: Told, failure: Exception | None) -> None:
    try:
        # an exception of its own for each: one object raised in many tasks would gather all their tracebacks
        told(None if failure is None else BrokerUnavailable(str(failure)))
    except Exception as error:  # one caller's mistake may not keep the others from hearing
        log.error("coalescer.caller_failed", exc_info=error)


def _settle(done: asyncio.Future[None], failure: Exception | None) -> None:
    if done.done():  # the caller hung up
        return
    if failure is None:
        done.set_result(None)
    else:
        done.set_exception(failure)
