"""Reads events of a stream from a place on, by looking and not by consuming: where a webhook is stands in the gateway's
store, so that NATS holds nothing of it, and no permission over anybody's consumers is needed.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import datetime
from typing import NamedTuple, cast

from chassis.bus.broker import Broker
from chassis.bus.dead_letters import replayed_for
from chassis.bus.errors import ApiRefused
from chassis.bus.inspection import message_at, messages
from chassis.message import Received

Messages = AsyncGenerator[Received, None]


class Extent(NamedTuple):
    """From which message to which a stream goes."""

    first: int
    last: int


class Passage(NamedTuple):
    """What was found, and up to where was looked."""

    found: list[Received]
    position: int


class Wanted(NamedTuple):
    """Messages of `subjects` after number `after` up to `until`, `limit` at most."""

    stream: str
    subjects: tuple[str, ...]
    after: int
    until: int
    limit: int


class StreamReader:
    """Raises BrokerUnavailable while NATS is away."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    @property
    def is_connected(self) -> bool:
        """Whether it is worth asking."""
        return self._broker.is_connected

    async def extents(self, streams: Sequence[str]) -> dict[str, Extent]:
        """How far each goes; those that nobody has laid yet are left out."""
        told = await asyncio.gather(*map(self._extent, streams))
        return {stream: extent for stream, extent in zip(streams, told, strict=True) if extent is not None}

    async def at(self, stream: str, sequence: int) -> Received | None:
        """One message, if it is there."""
        return await message_at(self._broker, stream, sequence)

    async def read(self, wanted: Wanted) -> Passage:
        """In the order of the stream. Costs a question a message found and one a subject, however many others lie
        between.
        """
        found: list[Received] = []
        async with AsyncExitStack() as stack:
            heads = [await stack.enter_async_context(self._messages(wanted, one)) for one in wanted.subjects]
            async for message in await stack.enter_async_context(aclosing(_in_order(heads))):
                if message.sequence > wanted.until:
                    break
                if len(found) == wanted.limit:
                    return Passage(found, found[-1].sequence)
                if replayed_for(message) is None:  # what was sent again for one service was said before
                    found.append(message)
        return Passage(found, wanted.until)

    async def before(self, stream: str, extent: Extent, moment: datetime) -> int:
        """The number of the last message stored before `moment`; halves what is left at each question."""
        low, high = extent.first, extent.last + 1
        while low < high:
            middle = (low + high) // 2
            message = await anext(messages(self._broker, stream, middle, ">"), None)
            if message is None or message.timestamp >= moment:
                high = middle
            else:
                low = message.sequence + 1
        return low - 1

    def _messages(self, wanted: Wanted, subject: str) -> aclosing[Messages]:
        return aclosing(cast(Messages, messages(self._broker, wanted.stream, wanted.after + 1, subject)))

    async def _extent(self, stream: str) -> Extent | None:
        try:
            state = (await self._broker.request(f"STREAM.INFO.{stream}"))["state"]
        except ApiRefused:
            return None
        return Extent(max(1, int(state["first_seq"])), int(state["last_seq"]))


async def _in_order(heads: Sequence[Messages]) -> Messages:
    """Streams of one order, merged."""
    first = await asyncio.gather(*(anext(head, None) for head in heads))
    line = [(message.sequence, place, message) for place, message in enumerate(first) if message is not None]
    heapq.heapify(line)
    while line:
        _, place, message = line[0]
        yield message
        following = await anext(heads[place], None)
        if following is None:
            heapq.heappop(line)
        else:
            heapq.heapreplace(line, (following.sequence, place, following))
