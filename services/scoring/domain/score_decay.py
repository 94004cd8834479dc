"""Sums of points that fade by half, exact whatever the order of their parts; and when such a sum passes a threshold.

A contribution of `points` made at `at` is worth points * 2^-((t - at) / half_life) at t. Instead of letting every part
fade, each one is written *up* to a fixed epoch: weight = points * 2^((at - EPOCH) / half_life), and only the sum is
written down when it is read (forward decay: Cormode, Shkapenyuk, Srivastava, Xu 2009,
https://doi.org/10.1109/ICDE.2009.65). Weights are integers, so any order of arrival, a merge (add) and a split
(regroup) give the same sum to the byte. Powers of two are products of integer square roots: two machines agree.

Sums of one sign only fall towards zero, so the moment of a change is found in floating point, and settled by exact
integers where it lies so near a whole second that floating point cannot tell which side. Where good and bad points of
different half-lives are mixed the score may rise before it falls; there the first change is found by halving intervals
on which the good part (falling) and the bad part (rising) bound the score from both sides, in the same way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from math import ceil, exp2, inf, isqrt, log, log2
from typing import NamedTuple

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

_MICROSECOND = timedelta(microseconds=1)
_BITS = 64  # of a weight's mantissa: a relative error of 2^-63 a contribution
_GUARD = 96  # of the tables, so that six roundings stay far below the mantissa
_FRACTION_BITS = 48  # of the exponent: half a lifetime of 10 years is cut into steps of 1 microsecond
_CHUNKS = 6  # the exponent is taken a byte at a time
_SECOND = 1_000_000
_LIVES_TO_NOTHING = 40  # 2^-40 of 50 million points is below the last decimal
_MOST_STEPS = 40
_FIXED = 2**64
_MARGIN = 0.001  # of a second: a thousand times what floating point, and the steps of the exponent, can be wrong by
_LN2 = log(2)
_SMALLEST_TOLERANCE, _RELATIVE_TOLERANCE = 0.001, 1e-11

Accumulators = Mapping[int, int]
"""Half-life (microseconds) -> sum of weights. No zeros, so that equal sums are equal mappings.

A sum's length in bits is (at - EPOCH) / half-life: 1.2 KB for the shortest, a day, 100 bytes for a fortnight."""
_Fading = tuple[float, float]
"""What is worth so much at the start (e4 units), and its half-life (seconds)."""


def _roots() -> list[int]:
    """2^(2^-k) for k = 1 .. 48 in fixed point with 96 bits."""
    roots, current = [], 2 << _GUARD
    for _ in range(_FRACTION_BITS):
        current = isqrt(current << _GUARD)
        roots.append(current)
    return roots


def _tables() -> tuple[tuple[int, ...], ...]:
    """tables[c][b] = 2^(b * 256^-(c+1)) in fixed point: what byte `b` at place `c` of an exponent contributes."""
    roots = _roots()
    places = [roots[8 * chunk : 8 * chunk + 8] for chunk in range(_CHUNKS)]
    return tuple(tuple(_product(place, byte) for byte in range(256)) for place in places)


def _product(roots: list[int], byte: int) -> int:
    """Of those whose bits are set, the highest bit first."""
    product = 1 << _GUARD
    for bit, root in enumerate(roots):
        if byte & (0x80 >> bit):
            product = (product * root) >> _GUARD
    return product


_T0, _T1, _T2, _T3, _T4, _T5 = _tables()
_WHOLE = 1 << _FRACTION_BITS


def _exp2(fraction: int) -> int:
    """2^(fraction / 2^48) for 0 <= fraction <= 2^48, in fixed point with 64 bits."""
    if fraction == _WHOLE:
        return 2 << _BITS
    product = _T0[fraction >> 40] * _T1[(fraction >> 32) & 255] >> _GUARD
    product = product * _T2[(fraction >> 24) & 255] >> _GUARD
    product = product * _T3[(fraction >> 16) & 255] >> _GUARD
    product = product * _T4[(fraction >> 8) & 255] >> _GUARD
    return product * _T5[fraction & 255] >> (2 * _GUARD - _BITS)


def microseconds(at: datetime) -> int:
    """Since the epoch; negative before it."""
    return (at - EPOCH) // _MICROSECOND


def moment(since_epoch: int) -> datetime:
    """The inverse of `microseconds`."""
    return EPOCH + timedelta(microseconds=since_epoch)


@lru_cache(maxsize=64)  # what is earned is added to the sums of the fragment, and to those of the person
def weight(points_e4: int, half_life: int, at: datetime) -> int:
    """What `points_e4` made at `at` add to the sum of their half-life: many half-lives before the epoch, nothing."""
    lives, rest = divmod(microseconds(at), half_life)
    mantissa = points_e4 * _exp2((rest << _FRACTION_BITS) // half_life)
    if lives >= 0:
        return mantissa << lives
    magnitude = abs(mantissa) >> -lives  # before the epoch; the sign is kept aside because >> rounds down
    return magnitude if mantissa >= 0 else -magnitude


def add(sums: Accumulators, half_life: int, amount: int) -> Accumulators:
    """`sums` with `amount` more under `half_life`."""
    total = sums.get(half_life, 0) + amount
    grown = {**sums, half_life: total}
    if total == 0:
        del grown[half_life]
    return grown


def combine(parts: Iterable[Accumulators]) -> Accumulators:
    """The sum of several sums."""
    totals: dict[int, int] = {}
    for part in parts:
        for half_life, amount in part.items():
            totals[half_life] = totals.get(half_life, 0) + amount
    return {half_life: total for half_life, total in totals.items() if total}


def worth_scaled(total: int, half_life: int, since_epoch: int) -> int:
    """What one sum is worth at a moment: e4 units in fixed point with 64 bits."""
    inverse, shift = _inverse(half_life, since_epoch)
    product = total * inverse
    return product >> shift if shift >= 0 else product << -shift


@lru_cache(maxsize=256)  # an event asks several times about one moment
def _inverse(half_life: int, since_epoch: int) -> tuple[int, int]:
    """2^(1 - fraction) of the half-life that has begun, and by how many bits a sum times that is to be shifted."""
    lives, rest = divmod(since_epoch, half_life)
    shift = _BITS + 1 + lives  # 64 of the weight + 65 of the inverse + lives, less the 64 that are kept
    return _exp2(_WHOLE - (rest << _FRACTION_BITS) // half_life), shift


def round_scaled(scaled: int) -> int:
    """Fixed point -> e4 units, halves up."""
    return (scaled + (1 << (_BITS - 1))) >> _BITS


def worth(sums: Accumulators, at: datetime) -> int:
    """What all sums are worth at `at`, in e4 units. Right for any moment not before the latest contribution."""
    since_epoch = microseconds(at)
    return round_scaled(sum(worth_scaled(total, half_life, since_epoch) for half_life, total in sums.items()))


def next_change(sums: Accumulators, thresholds: tuple[int, int, int], after: datetime) -> datetime | None:
    """The first whole second at which `sums` lie between other thresholds (e4 units) than at `after`; None if never."""
    if not sums:
        return None
    search = _Search(sums, thresholds, microseconds(after))
    found = search.first_of_both_signs() if search.is_mixed else search.first_of_one_sign()
    return None if found is None else moment(found * _SECOND)


class _Worths(NamedTuple):
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
        stack = [(self._worths_at(soon), self._worths_at(soon + max(self._sums) // _SECOND * _LIVES_TO_NOTHING))]
        while stack:
            left, right = stack.pop()
            if not self._stays(left, left):
                return left.second
            if right.second > left.second and not self._stays(left, right):
                middle = (left.second + right.second) // 2
                stack += [(self._worths_at(middle + 1), right), (left, self._worths_at(middle))]
        return None

    def _goal(self) -> float | None:
        """The distance from zero (e4 units) at which sums of one sign leave their level; None when they never do."""
        if bisect_right(self._thresholds, 0) == self._here:
            return None
        if self._value > 0:
            # rounded half up: this is the last one to reach the threshold
            return self._thresholds[self._here - 1] - 0.5
        return -self._thresholds[self._here] + 0.5

    def _level(self, second: int) -> int:
        return bisect_right(self._thresholds, round_scaled(self._worth(second, self._sums.items())))

    def _worths_at(self, second: int) -> _Worths:
        (good, bad), elapsed = self._signs, second - self._start / _SECOND
        return _Worths(second, _faded(good, elapsed), _faded(bad, elapsed))

    def _stays(self, left: _Worths, right: _Worths) -> bool:
        """Whether the level stays as at the start: by floating point, unless a bound lies too near a threshold."""
        floor, ceiling = self._edges
        lowest, highest = right.good + left.bad, left.good + right.bad
        if lowest > floor + self._tolerance and highest < ceiling - self._tolerance:
            return True
        if lowest < floor - self._tolerance or highest > ceiling + self._tolerance:
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
    def _tolerance(self) -> float:
        """More than floating point, and the steps of the exponent, can be wrong by: e4 units."""
        return _SMALLEST_TOLERANCE + _RELATIVE_TOLERANCE * sum(abs(worth / _FIXED) for worth in self._parts.values())

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
    """When parts of one sign (half-life -> scaled worth now) have faded to `goal`: for several, by Newton's method.

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
