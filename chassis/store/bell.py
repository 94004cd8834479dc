"""What a loop in the background waits on: a ring that says there is work, or that it is to end."""

from __future__ import annotations

import asyncio


class Bell:
    """Rings are not counted: many of them while the loop is busy are one. Closing it rings too, once and for all."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        """Whether the loop is to end."""
        return self._closed.is_set()

    def ring(self) -> None:
        """There is work."""
        self._rung.set()

    def close(self) -> None:
        """Finish what is there and end."""
        self._closed.set()
        self._rung.set()

    async def rest(self, seconds: float) -> bool:
        """Wait for a ring, at most `seconds`; answers whether it rang. A ring since the last rest counts."""
        rang = await _wait(self._rung, seconds)
        if not self.is_closed:
            self._rung.clear()
        return rang

    async def pause(self, seconds: float) -> None:
        """Wait `seconds` whoever rings, after a failure; only closing cuts it short."""
        await _wait(self._closed, seconds)


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await event.wait()
    except TimeoutError:
        return False
    return True


def backoff(failures: int, *, first: float = 0.05, most: float = 5.0) -> float:
    """Seconds to wait after `failures` (1, 2, ...) in a row: doubling from `first` up to `most`."""
    return float(min(most, first * 2 ** min(failures - 1, 32)))
