"""Loops in the background: what they wait on, and how they outlive every failure of their turns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog


class WakeSignal:
    """Says that there is work, or that the loop is to end. Wakes are not counted: many while the loop is busy are one.

    Closing it wakes too, once and for all.
    """

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        """Whether the loop is to end."""
        return self._closed.is_set()

    def wake(self) -> None:
        """There is work."""
        self._woken.set()

    def close(self) -> None:
        """Finish what is there and end."""
        self._closed.set()
        self._woken.set()

    async def rest(self, seconds: float) -> bool:
        """Wait for work, at most `seconds`; answers whether there is some. A wake since the last rest counts."""
        was_woken = await _wait(self._woken, seconds)
        if not self.is_closed:
            self._woken.clear()
        return was_woken

    async def pause(self, seconds: float) -> None:
        """Wait `seconds` whatever comes, after a failure; only closing cuts it short."""
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


log = structlog.get_logger(__name__)


class RetryLoop:
    """Takes turns until its signal is closed; a turn that fails is tried again after a pause that grows.

    `failure` names the log event.
    """

    def __init__(self, wake_signal: WakeSignal, failure: str) -> None:
        self._wake_signal = wake_signal
        self._failure = failure
        self._running = 0
        self._ended = asyncio.Event()

    async def run(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Take turns until stopped."""
        self._running += 1
        failures = 0
        try:
            while not self._wake_signal.is_closed:
                try:
                    await turn()
                    failures = 0
                except Exception as error:  # mostly the store that is away; whatever it is, the loop goes on
                    failures += 1
                    log.warning(self._failure, error=repr(error), failures=failures)
                    await self._wake_signal.pause(backoff(failures))
        finally:
            self._running -= 1
            self._ended.set()

    async def stop(self) -> None:
        """Close the signal and wait for the turn in hand."""
        self._wake_signal.close()
        if self._running:
            await self._ended.wait()
