"""The grid: fit A-D by engagement 1-4. Thresholds are the rulebook's."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

_FIT_LETTERS = "DCBA"
_ENGAGEMENT_DIGITS = "4321"


@dataclass(frozen=True, slots=True)
class Grid:
    """Lowest points (e4 units) of C, B, A and of 3, 2, 1; ascending. Below the first one is D or 4."""

    fit: tuple[int, int, int]
    engagement: tuple[int, int, int]

    def cell(self, fit_e4: int, engagement_e4: int) -> str:
        """E.g. `B2`."""
        return _FIT_LETTERS[bisect_right(self.fit, fit_e4)] + _ENGAGEMENT_DIGITS[bisect_right(self.engagement, engagement_e4)]
