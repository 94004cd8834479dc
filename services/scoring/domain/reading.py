"""Reading a person as of a moment: from the facts and the receipts of engagement that had been made by then, a page at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from people_kernel.profile import Attributes
from services.scoring.domain.book import Standing
from services.scoring.domain.decay import Accumulators, combine, weight, worth
from services.scoring.domain.facts import TraitFact
from services.scoring.domain.fit import Knowledge, judged, together
from services.scoring.domain.judging import Judges
from services.scoring.domain.profile import claimed_by

Earned = tuple[int, int, datetime]
"""(points e4, half-life, at) of a receipt of engagement."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was known of a person, and how ready they were."""

    attributes: Attributes
    standing: Standing


@dataclass(slots=True)
class Past:
    """What had happened by a moment. Facts and points may be told in any order, but none that came after it."""

    at: datetime
    knowledge: Knowledge = field(default_factory=Knowledge)
    sums: Accumulators = field(default_factory=dict)

    def learn(self, facts: Iterable[TraitFact]) -> None:
        self.knowledge = together([self.knowledge, *(Knowledge(claimed_by(fact), fact.version, fact.key) for fact in facts)])

    def earn(self, earned: Iterable[Earned]) -> None:
        self.sums = combine([self.sums, *({half_life: weight(points, half_life, at)} for points, half_life, at in earned)])

    def snapshot(self, judges: Judges) -> Snapshot:
        """Fit is judged on the profile of then, by the version that recorded the last of its facts."""
        fit, _ = judged(self.knowledge, {}, judges)
        engagement = worth(self.sums, self.at)
        return Snapshot(fit.attributes, Standing(fit.points_e4, engagement, judges.active.grid.cell(fit.points_e4, engagement), self.at))
