"""Exponential decay by integers, so that a sum of fading points is exact whatever the order of its parts.

A contribution of `points` made at `at` is worth points * 2^-((t - at) / half_life) at t. Instead of letting every part fade, each one is
written *up* to a fixed epoch: weight = points * 2^((at - EPOCH) / half_life), and only the sum is written down when it is read (forward
decay: Cormode, Shkapenyuk, Srivastava, Xu 2009, https://doi.org/10.1109/ICDE.2009.65). Weights are integers: addition is then
exact, commutative and associative, so any order of arrival, a merge (add) and a split (regroup) give the same sum to the byte.

Points are integers of 1/10,000 point ("e4"); half-lives integers of microseconds. No floating point takes part: the powers of two are
products of integer square roots, so two machines agree as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from math import isqrt

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
POINT = 10_000
DAY = 86_400_000_000

_MICROSECOND = timedelta(microseconds=1)
_BITS = 64  # of a weight's mantissa: a relative error of 2^-63 a contribution
_GUARD = 96  # of the tables, so that six roundings stay far below the mantissa
_FRACTION_BITS = 48  # of the exponent: half a lifetime of 10 years is cut into steps of 1 microsecond
_CHUNKS = 6  # the exponent is taken a byte at a time

Accumulators = Mapping[int, int]
"""Half-life (microseconds) -> sum of weights. No zeros, so that equal sums are equal mappings.

A sum's length in bits is (at - EPOCH) / half-life: 1.2 KB for the shortest, a day, 100 bytes for a fortnight."""


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
    tables = []
    for chunk in range(_CHUNKS):
        row = []
        for byte in range(256):
            product = 1 << _GUARD
            for bit in range(8):
                if byte & (0x80 >> bit):
                    product = (product * roots[chunk * 8 + bit]) >> _GUARD
            row.append(product)
        tables.append(tuple(row))
    return tuple(tables)


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


def half_life_of(days: Decimal) -> int:
    """Days -> microseconds."""
    return int(days * DAY)


def to_e4(points: Decimal) -> int:
    """Points -> integers of 1/10,000. Raises ValueError for finer ones: they could not be told exactly."""
    scaled = points * POINT
    if scaled != int(scaled):
        raise ValueError(f"{points} has more than four decimals")
    return int(scaled)


def from_e4(units: int) -> Decimal:
    """Integers of 1/10,000 -> points with four decimals."""
    return Decimal(units).scaleb(-4)


@lru_cache(maxsize=64)  # what is earned is added to the sums of the fragment, and to those of the person
def weight(points_e4: int, half_life: int, at: datetime) -> int:
    """What `points_e4` made at `at` add to the sum of their half-life. Many half-lives before the epoch there is nothing left to add."""
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
