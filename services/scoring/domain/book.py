"""The pages of the record that a batch has open: fragments, people, and what was decided about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from contracts.envelope import Event
from contracts.limits import HIGHLIGHTS
from contracts.values import Scores
from services.scoring.domain.decay import POINT, Accumulators, from_e4, worth
from services.scoring.domain.fit import Fit, Held, Knowledge
from services.scoring.domain.grid import Grid
from services.scoring.domain.judging import Judges
from services.scoring.domain.ledger import StoredReceipt

_NO_SUMS: Accumulators = {}
_NOTHING_HELD: Held = {}


class Fragment(NamedTuple):  # and not a frozen dataclass: each event makes one anew of these three, and that costs a third
    """One first-seen identity: whose it is, the engagement that hangs on it, what its facts claim, and the fit that is booked on it.

    `is_test` holds until a fact that is none. `written`: rule -> e4 points; a person's fit is what is written on all of their fragments.
    """

    fragment_id: str
    person_id: str
    graph_version: int
    sums: Accumulators = _NO_SUMS
    latest_at: datetime | None = None  # of its facts
    is_test: bool = True
    is_marked: bool = False  # somebody said that whoever this is, is a test
    knowledge: Knowledge = Knowledge()
    written: Held = _NOTHING_HELD
    is_complete: bool = True  # False: `knowledge` and `written` were not kept yet when it was last saved


class Standing(NamedTuple):
    """Scores at a moment, in e4 units."""

    fit_e4: int
    engagement_e4: int
    cell: str
    at: datetime

    def told(self) -> Scores:
        return Scores(fit=from_e4(self.fit_e4), engagement=from_e4(self.engagement_e4), cell=self.cell, at=self.at)

    def differs_from(self, other: Standing | None) -> bool:
        """Whether a whole point (rounded down) or the cell is another."""
        return other is None or self._coarse != other._coarse

    @property
    def _coarse(self) -> tuple[int, int, str]:
        return self.fit_e4 // POINT, self.engagement_e4 // POINT, self.cell


class Person(NamedTuple):
    """The set of fragments that links join, as scoring sees it: profile and fit, the sum of its fragments' engagement, what was last said.

    `evaluated_at` is the latest moment at which anything was decided; `fades_at` when decay alone will move the cell.
    """

    person_id: str
    graph_version: int
    evaluated_at: datetime
    fit: Fit = Fit()
    sums: Accumulators = _NO_SUMS
    latest_at: datetime | None = None
    is_from_tests: bool = True  # until a fact that is none
    is_marked: bool = False  # one of the fragments is
    said: Standing | None = None
    fades_at: datetime | None = None

    @property
    def is_test(self) -> bool:
        return self.is_from_tests or self.is_marked

    @property
    def is_stranger(self) -> bool:
        """Whether nothing is known of them at all: a purely anonymous visitor."""
        return not self.fit.attributes

    def is_due(self, now: Standing, said: Standing | None, grid: Grid) -> bool:
        """Whether scores of `now` are worth telling to those who last heard `said`: of a stranger, only another cell is."""
        if self.is_stranger:
            return now.cell != (grid.cell(0, 0) if said is None else said.cell)
        return now.differs_from(said)

    def standing(self, at: datetime, grid: Grid) -> Standing:
        """Scores at `at`, which must not lie before the latest fact."""
        engagement = worth(self.sums, at)
        return Standing(self.fit.points_e4, engagement, grid.cell(self.fit.points_e4, engagement), at)

    @property
    def has_points(self) -> bool:
        return bool(self.sums or self.fit.held)


Recent = tuple[StoredReceipt, ...]
"""The newest receipts of a fragment, newest first."""


@dataclass(slots=True)
class Book:
    """What a batch loaded, and what came of it. `recent` must hold what the store has of fragments whose owners may be told anew."""

    judges: Judges
    fragments: dict[str, Fragment] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    known_fragments: Mapping[str, Fragment] = field(default_factory=dict)  # as they were loaded
    known_people: Mapping[str, Person] = field(default_factory=dict)
    recent: dict[str, Recent] = field(default_factory=dict)
    said: list[Event] = field(default_factory=list)
    written: list[StoredReceipt] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)  # people without a fragment
    _fresh: dict[str, list[StoredReceipt]] = field(default_factory=dict)  # what was written, by fragment; sorted only where somebody is told whole

    @property
    def changed_fragments(self) -> list[Fragment]:
        return [fragment for key, fragment in self.fragments.items() if self.known_fragments.get(key) is not fragment]

    @property
    def changed_people(self) -> list[Person]:
        return [person for key, person in self.people.items() if self.known_people.get(key) is not person]

    def fragments_of(self, person_id: str) -> list[Fragment]:
        return [fragment for fragment in self.fragments.values() if fragment.person_id == person_id]

    def write(self, receipts: Iterable[StoredReceipt]) -> None:
        for receipt in receipts:
            self.written.append(receipt)
            self._fresh.setdefault(receipt.fragment_id, []).append(receipt)

    def highlights_of(self, person_id: str) -> Recent:
        """The newest receipts of a person."""
        own = [fragment.fragment_id for fragment in self.fragments_of(person_id)]
        return newest(receipt for key in own for known in (self.recent, self._fresh) for receipt in known.get(key, ()))


def newest(receipts: Iterable[StoredReceipt]) -> Recent:
    """The HIGHLIGHTS newest, newest first."""
    return tuple(sorted(receipts, key=lambda receipt: (receipt.at, receipt.receipt_id), reverse=True)[:HIGHLIGHTS])


Placement = Mapping[str, tuple[str, int]]
"""Fragment -> (person, graph_version)."""
