"""Latencies in a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Percentiles:
    """Seconds."""

    p50: float
    p99: float
    worst: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self:
        """Nearest-rank percentiles; raises ValueError when nothing was measured."""
        if not seconds:
            raise ValueError("nothing was measured")
        ordered = sorted(seconds)
        return cls(ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], ordered[-1])

    def __str__(self) -> str:
        return f"p50 {self.p50 * 1000:6.1f} ms   p99 {self.p99 * 1000:6.1f} ms   max {self.worst * 1000:6.1f} ms"
