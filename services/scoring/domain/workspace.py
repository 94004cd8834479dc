"""What a batch has loaded of fragments and people, what became of them, and the events that tell it.

Ids derive from what brought them about.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from contracts.envelope import Meta
from contracts.events.scoring import ProfileChanged, ScoreChanged, ScoreCorrected
from contracts.ids import derive_id, with_prefix
from contracts.limits import HIGHLIGHTS
from contracts.values import Scores
from people_kernel.workspace import Cause, Outlet, Pages, Workspace
from rulebook.caps import Counted
from services.scoring.domain.accounts import KnownAccounts
from services.scoring.domain.profile import Fit, Knowledge, RulePoints, together
from services.scoring.domain.receipts import POINT, Grid, Judges, StoredReceipt, from_e4, summed_up, time_passed
from services.scoring.domain.score_decay import Accumulators, combine, next_change, worth

FADED = "score-faded"
"""The timer of a person: the cell is about to move because time passed."""
ACCOUNT_CHANGED = "account-changed"
"""The timer of an account: its people may know something else now."""

_NO_SUMS: Accumulators = {}
_NOTHING_BOOKED: RulePoints = {}


class Fragment(NamedTuple):
    # and not a frozen dataclass: each event makes one anew of these three, and that costs a third
    """One first-seen identity: whose it is, the engagement that hangs on it, what its facts claim, and the fit that is
    booked on it.

    `is_test` holds until a fact that is none. `written`: rule -> e4 points; a person's fit is what is written on all of
    their fragments.
    """

    fragment_id: str
    person_id: str
    graph_version: int
    sums: Accumulators = _NO_SUMS
    latest_at: datetime | None = None  # of its facts
    is_test: bool = True
    is_marked: bool = False  # somebody said that whoever this is, is a test
    knowledge: Knowledge = Knowledge()
    written: RulePoints = _NOTHING_BOOKED
    counted: Counted = ()  # under a cap
    is_complete: bool = True  # False: `knowledge` and `written` were not kept yet when it was last saved


class ScoreSnapshot(NamedTuple):
    """Scores at a moment, in e4 units."""

    fit_e4: int
    engagement_e4: int
    cell: str
    at: datetime

    def as_scores(self) -> Scores:
        """In the schema that all services share."""
        return Scores(fit=from_e4(self.fit_e4), engagement=from_e4(self.engagement_e4), cell=self.cell, at=self.at)

    def differs_from(self, other: ScoreSnapshot | None) -> bool:
        """Whether a whole point (rounded down) or the cell is another."""
        return other is None or self._coarse != other._coarse

    @property
    def _coarse(self) -> tuple[int, int, str]:
        return self.fit_e4 // POINT, self.engagement_e4 // POINT, self.cell


class Person(NamedTuple):
    """The set of fragments that links join, as scoring sees it: profile and fit, the sum of its fragments' engagement,
    what was last said.

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
    said: ScoreSnapshot | None = None
    fades_at: datetime | None = None

    @property
    def is_test(self) -> bool:
        return self.is_from_tests or self.is_marked

    @property
    def is_stranger(self) -> bool:
        """Whether nothing is known of them at all: a purely anonymous visitor."""
        return not self.fit.attributes

    @property
    def has_points(self) -> bool:
        return bool(self.sums or self.fit.held)

    def is_due(self, now: ScoreSnapshot, said: ScoreSnapshot | None, grid: Grid) -> bool:
        """Whether scores of `now` are worth telling to those who last heard `said`; of a stranger, another cell."""
        if self.is_stranger:
            return now.cell != (grid.cell(0, 0) if said is None else said.cell)
        return now.differs_from(said)

    def scores_at(self, at: datetime, grid: Grid) -> ScoreSnapshot:
        """Scores at `at`, which must not lie before the latest fact."""
        engagement = worth(self.sums, at)
        return ScoreSnapshot(self.fit.points_e4, engagement, grid.cell(self.fit.points_e4, engagement), at)


def person_made_of(own: Sequence[Fragment], heard_of: Sequence[Fragment], at: datetime) -> Person:
    """The person whom these fragments make, not judged yet."""
    known = together(fragment.knowledge for fragment in heard_of)
    return Person(
        person_id=own[0].person_id,
        graph_version=max(fragment.graph_version for fragment in heard_of),
        evaluated_at=at,
        fit=Fit(known.attributes, {}, known.version, known.last_key),
        sums=combine(fragment.sums for fragment in heard_of),
        latest_at=max(fragment.latest_at for fragment in heard_of if fragment.latest_at is not None),
        is_from_tests=all(fragment.is_test for fragment in heard_of),
        is_marked=any(fragment.is_marked for fragment in own),
    )


Recent = tuple[StoredReceipt, ...]
"""The newest receipts of a fragment that count for something, newest first."""


def newest(receipts: Iterable[StoredReceipt]) -> Recent:
    """The HIGHLIGHTS newest, newest first."""
    return tuple(sorted(receipts, key=lambda receipt: (receipt.at, receipt.receipt_id), reverse=True)[:HIGHLIGHTS])


@dataclass(slots=True, kw_only=True)
class ScoringWorkspace(Workspace):
    """The unit of work. `recent` must hold what the store has of fragments whose owners may be told anew."""

    judges: Judges
    fragments: Pages[str, Fragment] = field(default_factory=Pages)
    people: Pages[str, Person] = field(default_factory=Pages)
    accounts: KnownAccounts = field(default_factory=KnownAccounts)  # to which somebody comes to belong
    recent: dict[str, Recent] = field(default_factory=dict)
    receipts: list[StoredReceipt] = field(default_factory=list)  # new ones
    gone: set[str] = field(default_factory=set)  # people without a fragment
    # new ones, by fragment; sorted only where somebody is told whole
    _fresh: dict[str, list[StoredReceipt]] = field(default_factory=dict)

    def fragments_of(self, person_id: str) -> list[Fragment]:
        return [fragment for fragment in self.fragments.values() if fragment.person_id == person_id]

    def add_receipts(self, receipts: Iterable[StoredReceipt]) -> None:
        for receipt in receipts:
            self.receipts.append(receipt)
            self._fresh.setdefault(receipt.fragment_id, []).append(receipt)

    def highlights_of(self, person_id: str) -> Recent:
        """The newest receipts of a person that count for something."""
        own = [fragment.fragment_id for fragment in self.fragments_of(person_id)]
        made = (receipt for key in own for known in (self.recent, self._fresh) for receipt in known.get(key, ()))
        return newest(receipt for receipt in made if receipt.points_e4)

    def say_profile(
        self,
        person: Person,
        scores: ScoreSnapshot | None,
        cause: Cause,
        *step: str,
        occurred_at: datetime | None = None,
    ) -> None:
        """Tells all that is known of a person, with the scores that hearers are to have from now on.

        `occurred_at` is when what was learned happened; None: nothing happened, something was judged anew. `step` tells
        apart what one event brings about at several steps.
        """
        self.said.append(
            ProfileChanged(
                meta=self._meta(cause, ProfileChanged.wire_name, person.person_id, *step),
                person_id=person.person_id,
                fragment_id=with_prefix("frg", person.person_id),
                graph_version=person.graph_version,
                attributes=dict(sorted(person.fit.shown.items())),
                scores=None if scores is None else scores.as_scores(),
                highlights=tuple(
                    receipt.as_receipt(person.person_id) for receipt in self.highlights_of(person.person_id)
                ),
                occurred_at=occurred_at,
                is_test=person.is_test,
            )
        )

    def say_changed(self, person: Person, now: ScoreSnapshot, receipts: Iterable[StoredReceipt], cause: Cause) -> None:
        """Tells a score that something which happened has moved."""
        meta = self._meta(cause, ScoreChanged.wire_name, person.person_id)
        self.said.append(_score_changed(meta, person, now, receipts, cause.occurred_at))

    def say_corrected(self, person: Person, now: ScoreSnapshot, reason: str, cause: Cause, *step: str) -> None:
        """Tells a score that was judged anew."""
        self.said.append(
            ScoreCorrected(
                meta=self._meta(cause, ScoreCorrected.wire_name, person.person_id, *step),
                person_id=person.person_id,
                fragment_id=with_prefix("frg", person.person_id),
                graph_version=person.graph_version,
                scores=now.as_scores(),
                previous=None if person.said is None else person.said.as_scores(),
                reason=reason,
                is_test=person.is_test,
            )
        )

    def fade(self, person_id: str, until: datetime) -> None:
        """Says each change of the cell that time alone had brought about by `until`, at the moment it was due, whether
        a late timer asks or an event that came first.
        """
        person = self.people.get(person_id)
        while person is not None and person.fades_at is not None and person.fades_at <= until:
            grid = self.judges.active.grid
            now = person.scores_at(max(person.fades_at, person.evaluated_at), grid)
            if now.cell != (grid.cell(0, 0) if person.said is None else person.said.cell):
                self._say_faded(person, now)
                person = person._replace(said=now)
            person = person._replace(evaluated_at=now.at, fades_at=next_change(person.sums, grid.engagement, now.at))
            self.people[person_id] = person

    def hand_over(self, outlet: Outlet) -> None:
        """Timers, and what was said, to the transaction that this is the work of.

        Nearly every event moves one timer, and who has one follows from the people: so they are not gathered in
        `timers` first.
        """
        loaded = self.people.loaded
        for person in self.people.changed.values():
            if person.fades_at is not None:
                outlet.set_timer(FADED, person.person_id, person.fades_at)
            elif (before := loaded.get(person.person_id)) is not None and before.fades_at is not None:
                outlet.cancel_timer(FADED, person.person_id)
        for person_id in self.gone & loaded.keys():
            outlet.cancel_timer(FADED, person_id)
        outlet.say(*self.said)

    def _say_faded(self, person: Person, now: ScoreSnapshot) -> None:
        """The chain of causes begins with the timer: the same whether it fires or a later event gets there first."""
        timer_id = derive_id("tmr", now.at, FADED, person.person_id)
        cause, label = Cause(timer_id, now.at, now.at, timer_id, timer_id), self.judges.active.label
        before = "" if person.said is None else f" from {person.said.cell}"
        sentence = f"Time passed without a new interaction: engagement faded and the cell moved{before} to {now.cell}."
        receipt = time_passed(
            cause, with_prefix("frg", person.person_id), label, str(now.as_scores().engagement), sentence
        )
        meta = cause.meta(ScoreChanged.wire_name, rulebook=label)
        self.said.append(_score_changed(meta, person, now, [receipt], None))

    def _meta(self, cause: Cause, wire_name: str, *parts: str) -> Meta:
        return cause.meta(wire_name, *parts, rulebook=self.judges.active.label)


def _score_changed(
    meta: Meta, person: Person, now: ScoreSnapshot, receipts: Iterable[StoredReceipt], occurred_at: datetime | None
) -> ScoreChanged:
    return ScoreChanged(
        meta=meta,
        person_id=person.person_id,
        fragment_id=with_prefix("frg", person.person_id),
        graph_version=person.graph_version,
        scores=now.as_scores(),
        previous=None if person.said is None else person.said.as_scores(),
        receipts=tuple(receipt.as_receipt(person.person_id) for receipt in summed_up(receipts)),
        occurred_at=occurred_at,
        is_test=person.is_test,
    )
