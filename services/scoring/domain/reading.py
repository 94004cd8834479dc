"""Reading a person as of a moment: from the facts and receipts that had been made by then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from deciding.profile import Attributes
from services.scoring.domain.book import Standing
from services.scoring.domain.decay import worth
from services.scoring.domain.facts import TraitFact
from services.scoring.domain.grid import Grid
from services.scoring.domain.ledger import StoredReceipt, points_until, sums_until
from services.scoring.domain.profile import believe


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was known of a person, and how ready they were."""

    attributes: Attributes
    standing: Standing


def as_of(facts: Iterable[TraitFact], receipts: Sequence[StoredReceipt], at: datetime, grid: Grid) -> Snapshot:
    """Facts and receipts of all the person's fragments, in any order; those after `at` do not count."""
    attributes: Attributes = {}
    for fact in facts:
        if fact.occurred_at <= at:
            attributes, _ = believe(attributes, fact)
    fit, engagement = points_until(receipts, at), worth(sums_until(receipts, at), at)
    return Snapshot(attributes, Standing(fit, engagement, grid.cell(fit, engagement), at))
