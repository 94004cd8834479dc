"""How many events a minute: of a source, of an address, of a name. Counted by throttled-py (GCRA, which lets a minute's
worth come at once), in this process; what was not heard of for longest is forgotten.
"""

from __future__ import annotations

import math
import time
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from throttled import BaseRateLimiter, MemoryStore, RateLimiterRegistry, RateLimiterType, per_min

from contracts.rates import PEOPLE_CELLS

_PERIOD_SECONDS: Final = 60
_WARM_PART: Final = 4  # a cell that holds a quarter of a name's number is looked into
_SOURCES: Final = 1_024
_LOTS: Final = 6_000  # a minute has
_LONGEST_KEY: Final = 600


class RateLeft(NamedTuple):
    """How things are with one limit after something was counted, or would have been."""

    limit: str  # its name: source, address, person
    a_minute: int
    remaining: int
    seconds: int  # until all of it is free again; or, where it was refused, until this would be taken
    is_refused: bool

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (10)."""
        return _headers(self.limit, self.a_minute, self.remaining, self.seconds)


@lru_cache(maxsize=64)  # those who live of one lot are told the same
def _headers(limit: str, a_minute: int, remaining: int, seconds: int) -> list[tuple[bytes, bytes]]:
    name = limit.encode()
    return [
        (b"ratelimit-policy", b'"%b";q=%d;w=%d' % (name, a_minute, _PERIOD_SECONDS)),
        (b"ratelimit", b'"%b";r=%d;t=%d' % (name, remaining, seconds)),
    ]


class Rate:
    """So many a minute for each key; at most `most_keys` are remembered, the last ones that came.

    A large number is taken from in lots of a six-thousandth (10 ms of it), of which the next ones live: they cost a
    tenth of a microsecond instead of three.
    """

    def __init__(self, limit: str, most_keys: int) -> None:
        self._limit = limit
        self._most_keys = most_keys
        self._lots: dict[str, _Lot] = {}
        self._store = MemoryStore(options={"MAX_SIZE": most_keys})
        self._limiter = lru_cache(maxsize=_SOURCES)(self._new_limiter)

    def take(self, key: str, a_minute: int, cost: int) -> RateLeft:
        """Count `cost`. More than a whole minute's worth is taken when all of it is free, else never."""
        lot = self._lots.get(key)
        if lot is not None and lot.left >= cost and lot.of == a_minute:
            lot.left -= cost
            return lot.standing
        spare = a_minute // _LOTS
        if spare > cost:
            standing = self._taken(key, a_minute, cost + spare)
            if not standing.is_refused:
                if len(self._lots) >= self._most_keys:
                    self._lots.clear()
                self._lots[key] = _Lot(spare, a_minute, standing)
                return standing
        return self._taken(key, a_minute, cost)

    def _taken(self, key: str, a_minute: int, cost: int) -> RateLeft:
        result = self._limiter(a_minute).limit(key[:_LONGEST_KEY], min(cost, a_minute))
        state = result.state
        seconds = math.ceil(state.retry_after if result.limited else state.reset_after)
        return RateLeft(self._limit, a_minute, int(state.remaining), seconds, result.limited)

    def _new_limiter(self, a_minute: int) -> BaseRateLimiter:
        return RateLimiterRegistry.get(RateLimiterType.GCRA.value)(per_min(a_minute), self._store)


@dataclass(slots=True)
class _Lot:
    left: int
    of: int  # a minute
    standing: RateLeft


class NameRate:
    """So many a minute for each name somebody goes by, however many names there are.

    Most names send little, and counting each apart would cost more than the rest of the door. So all share a table of
    counters for the current minute, and a name is counted by itself only where its counter has a quarter of the number.
    """

    def __init__(self, limit: str, most_keys: int, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = Rate(limit, most_keys)
        self._a_minute = a_minute
        self._warm = max(1, a_minute // _WARM_PART)
        self._clock = clock
        self._turns_at = 0.0
        self._cells = array("Q")

    def take(self, of: str, names: Iterable[tuple[str, int]]) -> RateLeft | None:
        """Count each name with its events, apart for each `of`; the first that is refused."""
        now = self._clock()
        if now >= self._turns_at:
            self._cells, self._turns_at = array("Q", bytes(8 * PEOPLE_CELLS)), now + _PERIOD_SECONDS
        cells, salt = self._cells, hash(of)
        for name, events in names:
            cell = (hash(name) ^ salt) % PEOPLE_CELLS
            cells[cell] = count = cells[cell] + events
            if count > self._warm:
                standing = self._rate.take(f"{of}:{name}", self._a_minute, events)
                if standing.is_refused:
                    return standing
        return None
