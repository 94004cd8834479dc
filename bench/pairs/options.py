"""What a run is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.pairs.figures import TOLERANCE


@dataclass(frozen=True)
class Options:
    """`against`: the other checkout's folder, `names` how both are called.

    `people`: how many the smaller and the larger store hold.
    """

    here: Path
    name: str
    against: Path | None = None
    against_name: str = ""
    rounds: int = 5
    captures: int = 3_000
    seconds: int = 10
    door_seconds: float = 3.0
    people: tuple[int, int] = (10_000, 50_000)
    facts: tuple[int, int] = (1_000, 100_000)
    tolerance: float = TOLERANCE

    @property
    def roots(self) -> dict[str, Path]:
        """Ours first."""
        roots = {self.name: self.here}
        return roots if self.against is None else {**roots, self.against_name: self.against}

    @property
    def peers(self) -> frozenset[str]:
        return frozenset() if self.against is None else frozenset({self.against_name})
