"""How something that works in the background is getting on: since when it has had work and got nowhere, and what
stopped it last.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Progress:
    """Told by the one who works: `begin`, then `advance`, `fail` or `rest`.

    `stuck_seconds` is 0 while nothing is in hand.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None
        self._last_error = ""

    @property
    def stuck_seconds(self) -> float:
        """For how long there has been work without any of it getting done."""
        return 0.0 if self._since is None else self._clock() - self._since

    @property
    def last_error(self) -> str:
        """What stopped it since it last got on; empty when nothing did."""
        return self._last_error

    def begin(self) -> None:
        """There is work in hand. That it is still there, or there again after a failure, changes nothing."""
        if self._since is None:
            self._since = self._clock()

    def advance(self) -> None:
        """Some of it is done, and there is more."""
        self._since = self._clock()
        self._last_error = ""

    def rest(self) -> None:
        """All of it is done."""
        self._since = None
        self._last_error = ""

    def fail(self, error: BaseException) -> None:
        """It was tried and did not work; it will be tried again."""
        self.begin()
        self._last_error = describe(error)


def describe(error: BaseException) -> str:
    """The error in one line: its class, and what it says."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
