"""The pages of the record that a batch has open: fragments, people, and what was decided about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.envelope import Event
from contracts.values import Scores
from deciding.profile import Attributes
from services.scoring.domain.decay import POINT, Accumulators, from_e4, worth
from services.scoring.domain.facts import TraitFact
from services.scoring.domain.fit import Fit
from services.scoring.domain.grid import Grid
from services.scoring.domain.judging import Judges
from services.scoring.domain.ledger import StoredReceipt


@dataclass(frozen=True, slots=True)
class Fragment:
    """One first-seen identity: whose it is, and the engagement that hangs on it. `is_test` holds until a fact that is none."""

    fragment_id: str
    person_id: str
    graph_version: int
    sums: Accumulators = field(default_factory=dict)
    latest_at: datetime | None = None  # of its facts
    is_test: bool = True
    is_marked: bool = False  # somebody said that whoever this is, is a test


@dataclass(frozen=True, slots=True)
class Standing:
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


@dataclass(frozen=True, slots=True)
class Person:
    """The set of fragments that links join, as scoring sees it: profile and fit, the sum of its fragments' engagement, what was last said.

    `evaluated_at` is the latest moment at which anything was decided; `fades_at` when decay alone will move the cell.
    """

    person_id: str
    graph_version: int
    evaluated_at: datetime
    fit: Fit = field(default_factory=Fit)
    sums: Accumulators = field(default_factory=dict)
    latest_at: datetime | None = None
    is_from_tests: bool = True  # until a fact that is none
    is_marked: bool = False  # one of the fragments is
    said: Standing | None = None
    fades_at: datetime | None = None

    @property
    def is_test(self) -> bool:
        return self.is_from_tests or self.is_marked

    def standing(self, at: datetime, grid: Grid) -> Standing:
        """Scores at `at`, which must not lie before the latest fact."""
        engagement = worth(self.sums, at)
        return Standing(self.fit.points_e4, engagement, grid.cell(self.fit.points_e4, engagement), at)

    @property
    def has_points(self) -> bool:
        return bool(self.sums or self.fit.held)


@dataclass(frozen=True, slots=True)
class Told:
    """What was last said under a person's id. Hearers keep it when the person is absorbed, and are told what differs when the id comes back."""

    attributes: Attributes = field(default_factory=dict)
    said: Standing | None = None
    is_test: bool = True


@dataclass(slots=True)
class Book:
    """What a batch loaded, and what came of it. `histories` holds all trait facts of the people that may have to be folded anew."""

    judges: Judges
    fragments: dict[str, Fragment] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    known_fragments: Mapping[str, Fragment] = field(default_factory=dict)  # as they were loaded
    known_people: Mapping[str, Person] = field(default_factory=dict)
    histories: dict[str, list[TraitFact]] = field(default_factory=dict)
    farewells: dict[str, Told] = field(default_factory=dict)  # of ids that have no page
    known_farewells: Mapping[str, Told] = field(default_factory=dict)
    said: list[Event] = field(default_factory=list)
    earned: list[StoredReceipt] = field(default_factory=list)  # engagement
    fit_receipts: dict[str, list[StoredReceipt]] = field(default_factory=dict)  # fragment -> new ones
    refolded: set[str] = field(default_factory=set)  # fragments whose fit receipts of old give way to `fit_receipts`
    gone: set[str] = field(default_factory=set)  # people without a fragment

    @property
    def changed_fragments(self) -> list[Fragment]:
        return [fragment for key, fragment in self.fragments.items() if self.known_fragments.get(key) is not fragment]

    @property
    def changed_people(self) -> list[Person]:
        return [person for key, person in self.people.items() if self.known_people.get(key) is not person]

    @property
    def new_farewells(self) -> dict[str, Told]:
        return {key: told for key, told in self.farewells.items() if self.known_farewells.get(key) is not told}

    def forget(self, person_id: str) -> Told:
        """Takes the person's page out, and says what was last told under the id."""
        person, farewell = self.people.pop(person_id, None), self.farewells.pop(person_id, None)
        return farewell or Told() if person is None else Told(person.fit.attributes, person.said, person.is_test)

    def part_with(self, person_id: str, told: Told) -> None:
        """Remembers what hearers were told under an id that has no page any more, if they were told anything."""
        if told.attributes or told.said is not None:
            self.farewells[person_id] = told

    def fragments_of(self, person_id: str) -> list[Fragment]:
        return [fragment for fragment in self.fragments.values() if fragment.person_id == person_id]

    def add_fit_receipts(self, receipts: Iterable[StoredReceipt]) -> None:
        for receipt in receipts:
            self.fit_receipts.setdefault(receipt.fragment_id, []).append(receipt)

    def replace_fit_receipts(self, fragment_ids: Iterable[str], receipts: Iterable[StoredReceipt]) -> None:
        """All fit receipts of `fragment_ids` are `receipts` from now on."""
        for fragment_id in fragment_ids:
            self.refolded.add(fragment_id)
            self.fit_receipts.pop(fragment_id, None)
        self.add_fit_receipts(receipts)


Placement = Mapping[str, tuple[str, int]]
"""Fragment -> (person, graph_version)."""
