"""What several rounds of one figure say: their median and how far apart they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import fmean, median, stdev
from typing import Self

# of 2, 3, ... samples; of more, the last is a little wide
_T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


@dataclass(frozen=True)
class Spread:
    """The samples of all rounds, in the order of the rounds."""

    samples: tuple[float, ...]

    @classmethod
    def of(cls, samples: Sequence[float]) -> Self:
        """Raises ValueError when nothing was measured."""
        if not samples:
            raise ValueError("nothing was measured")
        return cls(tuple(samples))

    @property
    def median(self) -> float:
        return median(self.samples)

    @property
    def low(self) -> float:
        return min(self.samples)

    @property
    def high(self) -> float:
        return max(self.samples)

    @property
    def width(self) -> float:
        """From the lowest to the highest, as a part of the median: 0.2 is 20 %."""
        return (self.high - self.low) / self.median if self.median else 0.0

    def interval(self) -> tuple[float, float] | None:
        """Where the true ratio lies with 95 % (Student's, of the logarithms, so that a half and a double are equally
        far from 1); None where one cannot tell: less than two samples, or one that is not above zero.
        """
        if len(self.samples) < 2 or self.low <= 0:
            return None
        logs = [log(one) for one in self.samples]
        reach = _T95[min(len(logs) - 2, len(_T95) - 1)] * stdev(logs) / sqrt(len(logs))
        return exp(fmean(logs) - reach), exp(fmean(logs) + reach)


def ratios(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Spread | None:
    """Ours / theirs of each round that both were measured in; None where there is no such round.

    A zero of theirs compares with nothing.
    """
    shared = [ours[turn] / theirs[turn] for turn in sorted(ours.keys() & theirs.keys()) if theirs[turn]]
    return Spread.of(shared) if shared else None
