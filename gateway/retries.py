"""Patience with a service that restarts: what could not be sent, or may be asked again, is tried again for a moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp

Answer = TypeVar("Answer")
Attempt = Callable[[aiohttp.ClientTimeout], Awaitable[Answer]]

_PAUSE_SECONDS = 0.1
_LEAST_SECONDS = 0.05
_LOST = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


class Retries:
    """`seconds`: so long after a service was found away it is waited for, by whoever asks; then it is down, and nobody
    waits for it before it has answered once more.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._away_since: dict[str, float] = {}

    async def ask(
        self, upstream: str, attempt: Attempt[Answer], may_repeat: Callable[[], bool], within: float
    ) -> Answer:
        """What `attempt` answers, which is made again while that does no harm, for `within` seconds at most.

        A refused connection carried nothing. One that was cut may have: then only what `may_repeat` is asked again.
        Raises what the last attempt raised.
        """
        end = time.monotonic() + within
        while True:
            try:
                answer = await attempt(aiohttp.ClientTimeout(total=max(_LEAST_SECONDS, end - time.monotonic())))
            except aiohttp.ClientError as error:
                is_harmless = isinstance(error, aiohttp.ClientConnectorError) or may_repeat()
                if not (is_harmless and isinstance(error, _LOST) and self._is_awaited(upstream, end)):
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                self._away_since.pop(upstream, None)
                return answer

    def _is_awaited(self, upstream: str, end: float) -> bool:
        now = time.monotonic()
        since = self._away_since.setdefault(upstream, now)
        return now + _PAUSE_SECONDS < min(since + self._seconds, end)
