"""What one more fact costs somebody who has so many already, as a turn."""

from __future__ import annotations

import asyncio
from statistics import median

from bench import folds
from bench.pairs.figures import HISTORY
from bench.pairs.turns import Measured


def measure(facts: int, _: int) -> Measured:
    """CPU-ms of a page view, a late claim, a merge and a split."""
    taken = asyncio.run(folds.measure(facts)).took
    return Measured({one.name: median(cpu for cpu, _ in taken[one.name]) for one in HISTORY})
