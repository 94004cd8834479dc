"""Waiting for all that is under way now, and not for what begins meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Fence:
    """Counts what is under way by generations; each waiter begins a new one."""

    __slots__ = ("_generation", "_left", "_open")

    def __init__(self) -> None:
        self._generation = 0
        self._open: Counter[int] = Counter()
        self._left = asyncio.Event()

    def enter(self) -> int:
        """Something begins; `leave` takes what this answers."""
        self._open[self._generation] += 1
        return self._generation

    def leave(self, generation: int) -> None:
        """It has ended, however."""
        self._open[generation] -= 1
        if generation != self._generation:
            self._left.set()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Something is under way inside the block."""
        generation = self.enter()
        try:
            yield
        finally:
            self.leave(generation)

    async def passed(self) -> None:
        """Returns when all that was under way has ended."""
        last = self._generation
        self._generation += 1
        while any(count for generation, count in self._open.items() if generation <= last):
            self._left.clear()
            await self._left.wait()
        for generation in [one for one in self._open if one <= last]:
            del self._open[generation]
