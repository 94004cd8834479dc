"""What the recording of facts needs of a rulebook: awards for an interaction, awards for a profile, and a grid.

`rules.py` fulfils it with a compiled rulebook; a test may fulfil it with a function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from contracts.values import Interaction, JsonObject
from people_kernel.profile import Attributes
from services.scoring.domain.grid import Grid


@dataclass(frozen=True, slots=True)
class Award:
    """Points that a rule gives while it holds (fit), or at once, fading with `half_life` in microseconds (engagement)."""

    rule: str
    points_e4: int
    half_life: int | None
    inputs: JsonObject
    sentence: str


class Judge(Protocol):
    """One version of the scoring rulebook."""

    @property
    def version(self) -> int: ...

    @property
    def label(self) -> str:
        """How receipts name it, e.g. `scoring@1`."""
        ...

    @property
    def grid(self) -> Grid: ...

    def engagement(self, interaction: Interaction) -> tuple[Award, ...]:
        """What the interaction itself is worth; must not depend on who did it, or a merge would change it."""
        ...

    def fit(self, attributes: Attributes) -> tuple[Award, ...]:
        """What holds about a profile."""
        ...

    def farewell(self, rule: str, attributes: Attributes) -> tuple[JsonObject, str]:
        """(inputs, sentence) for a rule that held and holds no more; the rule may be one of an older version."""
        ...


@dataclass(frozen=True, slots=True)
class Judges:
    """All versions that ever judged a fact, and the one that judges from now on."""

    by_version: Mapping[int, Judge]
    active: Judge

    def of(self, version: int | None) -> Judge:
        """The judge of a version; the active one for a version that is no more."""
        return self.active if version is None else self.by_version.get(version, self.active)
