"""A loop in the background that outlives every failure of its turns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from chassis.store.bell import Bell, backoff

log = structlog.get_logger(__name__)


class Patrol:
    """Takes turns until its bell is closed; a turn that fails is tried again after a pause that grows. `failure` names the log event."""

    def __init__(self, bell: Bell, failure: str) -> None:
        self._bell = bell
        self._failure = failure
        self._running = 0
        self._ended = asyncio.Event()

    async def run(self, turn: Callable[[], Awaitable[None]]) -> None:
        """Take turns until stopped."""
        self._running += 1
        failures = 0
        try:
            while not self._bell.is_closed:
                try:
                    await turn()
                    failures = 0
                except Exception as error:  # mostly the store that is away; whatever it is, the loop goes on
                    failures += 1
                    log.warning(self._failure, error=repr(error), failures=failures)
                    await self._bell.pause(backoff(failures))
        finally:
            self._running -= 1
            self._ended.set()

    async def stop(self) -> None:
        """Close the bell and wait for the turn in hand."""
        self._bell.close()
        if self._running:
            await self._ended.wait()
