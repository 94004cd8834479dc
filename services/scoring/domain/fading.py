"""When will decay alone move a person to another row of the grid?

Sums of one sign only fall towards zero, so the moment is found in floating point, and settled by exact integers where it lies so near a whole second
that floating point cannot tell which side.
Where good and bad points of different half-lives are mixed the score may rise before it falls; there the first change is found by
halving intervals on which the good part (falling) and the bad part (rising) bound the score from both sides, in the same way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from math import ceil, exp2, inf, log, log2
from typing import NamedTuple

from services.scoring.domain.decay import Accumulators, microseconds, moment, round_scaled, worth_scaled

_SECOND = 1_000_000
_LIVES_TO_NOTHING = 40  # 2^-40 of 50 million points is below the last decimal
_MOST_STEPS = 40
_FIXED = 2**64
_MARGIN = 0.001  # of a second: a thousand times what floating point, and the steps of the exponent, can be wrong by
_LN2 = log(2)
_SMALLEST_BLUR, _RELATIVE_BLUR = 0.001, 1e-11

_Fading = tuple[float, float]
"""What is worth so much at the start (e4 units), and its half-life (seconds)."""


def next_change(sums: Accumulators, thresholds: tuple[int, int, int], after: datetime) -> datetime | None:
    """The first whole second after `after` at which `sums` lie between other thresholds (e4 units) than at `after`; None if never."""
    if not sums:
        return None
    search = _Search(sums, thresholds, microseconds(after))
    found = search.first_of_both_signs() if search.is_mixed else search.first_of_one_sign()
    return None if found is None else moment(found * _SECOND)


class _Sight(NamedTuple):
    """What the good parts and the bad ones are worth at a second, by floating point."""

    second: int
    good: float
    bad: float


class _Search:
    """Looks for the first second whose level (the number of thresholds reached) differs from the one at the start."""

    def __init__(self, sums: Accumulators, thresholds: tuple[int, int, int], start: int) -> None:
        self._sums, self._thresholds, self._start = sums, thresholds, start
        self._parts = {half_life: worth_scaled(total, half_life, start) for half_life, total in sums.items()}
        self._value = round_scaled(sum(self._parts.values()))
        self._here = bisect_right(thresholds, self._value)
        self._now = start // _SECOND
        self.is_mixed = min(sums.values()) < 0 < max(sums.values())

    def first_of_one_sign(self) -> int | None:
        """The level changes for good where it changes first; the guess is within a second or so of it."""
        goal = self._goal()
        if goal is None:
            return None
        low, high = self._now, self._now + max(self._sums) // _SECOND * _LIVES_TO_NOTHING
        elapsed, is_settled = _seconds_until(goal, self._parts)
        moment = self._start / _SECOND + elapsed
        probe, step = ceil(moment), 1
        if is_settled and low < probe < high and _MARGIN < probe - moment < 1 - _MARGIN:
            return probe  # `moment` is wrong by microseconds at most, so it cannot be another second
        while high - low > 1:
            if not low < probe < high:
                probe = min(max(probe, low + 1), high - 1) if step == 1 else (low + high) // 2
            if self._level(probe) == self._here:
                low, probe = probe, probe + step
            else:
                high, probe = probe, probe - step
            step *= 2
        return high

    def first_of_both_signs(self) -> int | None:
        """Halves intervals until the level cannot change within one; the earliest interval is looked at first."""
        soon = self._now + 1
        stack = [(self._sight(soon), self._sight(soon + max(self._sums) // _SECOND * _LIVES_TO_NOTHING))]
        while stack:
            left, right = stack.pop()
            if not self._stays(left, left):
                return left.second
            if right.second > left.second and not self._stays(left, right):
                middle = (left.second + right.second) // 2
                stack += [(self._sight(middle + 1), right), (left, self._sight(middle))]
        return None

    def _goal(self) -> float | None:
        """The distance from zero (e4 units) at which sums of one sign leave their level; None when they never do."""
        if bisect_right(self._thresholds, 0) == self._here:
            return None
        if self._value > 0:
            return self._thresholds[self._here - 1] - 0.5  # rounded half up: this is the last one to reach the threshold
        return -self._thresholds[self._here] + 0.5

    def _level(self, second: int) -> int:
        return bisect_right(self._thresholds, round_scaled(self._worth(second, self._sums.items())))

    def _sight(self, second: int) -> _Sight:
        (good, bad), elapsed = self._signs, second - self._start / _SECOND
        return _Sight(second, _faded(good, elapsed), _faded(bad, elapsed))

    def _stays(self, left: _Sight, right: _Sight) -> bool:
        """Whether the level is the one at the start all the way: by floating point, unless a bound lies too near a threshold to tell."""
        floor, ceiling = self._edges
        lowest, highest = right.good + left.bad, left.good + right.bad
        if lowest > floor + self._blur and highest < ceiling - self._blur:
            return True
        if lowest < floor - self._blur or highest > ceiling + self._blur:
            return False
        return self._stays_exactly(left.second, right.second)

    def _stays_exactly(self, left: int, right: int) -> bool:
        good = [part for part in self._sums.items() if part[1] > 0]
        bad = [part for part in self._sums.items() if part[1] < 0]
        lowest = round_scaled(self._worth(right, good) + self._worth(left, bad))
        highest = round_scaled(self._worth(left, good) + self._worth(right, bad))
        return bisect_right(self._thresholds, lowest) == self._here == bisect_right(self._thresholds, highest)

    @cached_property
    def _signs(self) -> tuple[list[_Fading], list[_Fading]]:
        """The good parts and the bad ones."""
        parts = [(worth / _FIXED, half_life / _SECOND) for half_life, worth in self._parts.items()]
        return [part for part in parts if part[0] > 0], [part for part in parts if part[0] < 0]

    @cached_property
    def _edges(self) -> tuple[float, float]:
        """From where on, and up to where, a sum is at the level of the start; half up is rounded up."""
        here, edges = self._here, [-inf, *(threshold - 0.5 for threshold in self._thresholds), inf]
        return edges[here], edges[here + 1]

    @cached_property
    def _blur(self) -> float:
        """More than floating point, and the steps of the exponent, can be wrong by: e4 units."""
        return _SMALLEST_BLUR + _RELATIVE_BLUR * sum(abs(worth / _FIXED) for worth in self._parts.values())

    @staticmethod
    def _worth(second: int, parts: Iterable[tuple[int, int]]) -> int:
        return sum(worth_scaled(total, half_life, second * _SECOND) for half_life, total in parts)


def _faded(parts: Iterable[_Fading], seconds: float) -> float:
    """What parts are worth after so long."""
    worth = 0.0
    for value, half_life in parts:
        worth += value * exp2(-seconds / half_life)
    return worth


def _seconds_until(goal: float, parts: Mapping[int, int]) -> tuple[float, bool]:
    """When parts of one sign (half-life -> scaled worth now) have faded to `goal`, by floating point: exact for one half-life, else Newton's method.

    The curve is convex, so that steps from the left never overshoot. False: there was no end of them.
    """
    if len(parts) == 1:
        ((half_life, now),) = parts.items()
        return half_life / _SECOND * log2(max(abs(now) / _FIXED / goal, 1.0)), True
    values = [(abs(now) / _FIXED, half_life / _SECOND) for half_life, now in parts.items()]
    elapsed = 0.0
    for _ in range(_MOST_STEPS):
        left = slope = 0.0
        for value, seconds in values:
            faded = value * exp2(-elapsed / seconds)
            left += faded
            slope += faded / seconds
        step = (left - goal) / (slope * _LN2) if slope else 0.0
        elapsed += step
        if abs(step) < 0.01:
            return elapsed, True
    return elapsed, False
