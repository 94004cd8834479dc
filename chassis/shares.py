"""The lanes of a service, spread over its processes.

A lane is read by whoever came first, and the others stand by. So one process could have all lanes, and would have them
after the others were restarted. Here it gives one after the other away, until it has no more than its share.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Sequence

import structlog

from chassis.bus.consumer import Consumer
from chassis.bus.durables import ConsumerSpec
from chassis.runtime import Runtime
from chassis.store.presence import presence

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 2.0
_AWAY_SECONDS = 1.0
"""For so long a lane that was given away is left to the others; then this process stands by for it again."""


class LaneShares:
    """`make` a reader anew for a lane that was given away. `runtime.consumers` are those that read or stand by."""

    def __init__(self, runtime: Runtime, make: Callable[[ConsumerSpec], Consumer]) -> None:
        self._runtime, self._make = runtime, make
        self._leaving = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """In the background. A SQLite store has one process, which reads everything."""
        if self._runtime.database.dialect == "postgresql":
            self._task = asyncio.create_task(self._run(), name=f"{self._runtime.name}: shares")

    async def stop(self) -> None:
        """What is half given away is finished."""
        self._leaving.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not await self._left_within(_LOOK_SECONDS):
            try:
                await self._share()
            except Exception as error:  # mostly the store that is away
                log.warning("shares.unknown", error=repr(error))

    async def _share(self) -> None:
        async with presence(self._runtime.database) as count:
            while not await self._left_within(_LOOK_SECONDS):
                await self._look(count)

    async def _look(self, count: Callable[[], Awaitable[int]]) -> None:
        processes = max(1, await count())
        for consumer in surplus(self._runtime.consumers, processes):
            log.info("lane.given_away", lane=f"{consumer.spec.stream}/{consumer.spec.lane}", processes=processes)
            self._runtime.consumers = [one for one in self._runtime.consumers if one is not consumer]
            await consumer.stop()
            is_leaving = await self._left_within(_AWAY_SECONDS)
            if not is_leaving:
                again = self._make(consumer.spec)
                self._runtime.consumers = [*self._runtime.consumers, again]
                await again.start()

    async def _left_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._leaving.wait()
        return self._leaving.is_set()


def surplus(consumers: Sequence[Consumer], processes: int) -> list[Consumer]:
    """One lane of each stream of which more are read here than an equal share of `processes`."""
    read: dict[str, list[Consumer]] = {}
    for consumer in consumers:
        if consumer.is_served:
            read.setdefault(consumer.spec.stream, []).append(consumer)
    return [mine[-1] for mine in read.values() if len(mine) > math.ceil(mine[-1].spec.lanes / processes)]
