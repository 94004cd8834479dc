"""Group commit: callers that publish at the same time share one atomic batch, and so one flush to disk."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chassis.bus.batches import MOST_BYTES, MOST_MESSAGES, check_publishable, size_of
from chassis.bus.errors import BrokerUnavailable, Overloaded
from chassis.message import OutMessage
from contracts.limits import WAITING_BYTES, WAITING_MESSAGES


class Publisher(Protocol):
    """What the coalescer needs of a Broker."""

    @property
    def max_payload(self) -> int: ...

    async def publish_batch(self, messages: Sequence[OutMessage], *, whole: bool = False) -> None: ...


@dataclass(slots=True)
class _Caller:
    messages: Sequence[OutMessage]
    size: int
    done: asyncio.Future[None]


class Coalescer:
    """`publish` returns when the caller's messages are on disk. While one batch is under way the next one gathers; nobody waits for company.

    What waits is bounded by number and by bytes; a caller that nobody is ahead of is always taken.
    """

    def __init__(self, broker: Publisher, *, most_waiting: int = WAITING_MESSAGES, most_bytes: int = WAITING_BYTES) -> None:
        self._broker = broker
        self._most_waiting = most_waiting
        self._most_bytes = most_bytes
        self._waiting: deque[_Caller] = deque()
        self._count = 0  # messages waiting
        self._size = 0  # bytes waiting
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many messages wait for their turn."""
        return self._count

    async def publish(self, messages: Sequence[OutMessage]) -> None:
        """Raises Overloaded (nothing was sent), PublishRefused (nothing was sent) or BrokerUnavailable (may or may not be stored).

        Up to 500 messages of one stream are stored whole or not at all; they share that fate with others' only in that it is one batch.
        """
        if not messages:
            return
        size = sum(map(size_of, messages))
        if self._waiting and (self._count + len(messages) > self._most_waiting or self._size + size > self._most_bytes):
            raise Overloaded(f"{self._count} messages of {self._size} bytes wait to be stored")
        for message in messages:
            check_publishable(message, self._broker.max_payload)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Caller(messages, size, done))
        self._count += len(messages)
        self._size += size
        if self._task is None:
            self._task = asyncio.create_task(self._flush(), name="coalescer")
        await done

    async def close(self) -> None:
        """Wait until what was accepted is stored or has failed."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def _flush(self) -> None:
        try:
            while self._waiting:
                await self._publish_turn(self._take_turn())
        finally:
            self._task = None

    async def _publish_turn(self, callers: Sequence[_Caller]) -> None:
        failure: Exception | None = None
        try:
            whole = any(len(caller.messages) > 1 for caller in callers)  # single messages cannot be torn: few of them may go one by one
            await self._broker.publish_batch([message for caller in callers for message in caller.messages], whole=whole)
        except BrokerUnavailable as error:
            failure = error
        except Exception as error:  # whatever it was: nobody may be left waiting, and nobody told that all is well
            failure = BrokerUnavailable(f"the batch failed: {error!r}")
        for caller in callers:
            _tell(caller.done, failure)

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


def _tell(done: asyncio.Future[None], failure: Exception | None) -> None:
    if done.done():  # the caller hung up
        return
    if failure is None:
        done.set_result(None)
    else:
        # an exception of its own for each: one object raised in many tasks would gather all their tracebacks
        done.set_exception(BrokerUnavailable(str(failure)))
