"""Fit: what the rules say about the present profile, booked in receipts that are never rewritten.

What a person's receipts of fit come to, rule by rule, is what holds on their profile: whatever changes the profile, the grouping or the version
that judges books the difference. No history takes part, so that it costs the same at the first fact and at the hundred-thousandth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from contracts.ids import derive_id
from contracts.values import JsonObject
from people_kernel.profile import Attributes
from services.scoring.domain.facts import FactKey, TraitFact
from services.scoring.domain.judging import Award, Judge, Judges
from services.scoring.domain.ledger import FIT, StoredReceipt
from services.scoring.domain.profile import claimed_by, differs, join, joined

Held = Mapping[str, int]
"""Rule -> e4 points."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What some facts claim together: their profile, the latest of them, and the version of the rulebook that recorded that one."""

    attributes: Attributes = field(default_factory=dict)
    version: int | None = None
    last_key: FactKey | None = None

    def is_behind(self, key: FactKey | None) -> bool:
        """Whether a fact of `key` comes after all of these."""
        return key is not None and (self.last_key is None or key > self.last_key)

    def with_fact(self, fact: TraitFact) -> Knowledge:
        return self.joined(Knowledge(claimed_by(fact), fact.version, fact.key))

    def joined(self, other: Knowledge) -> Knowledge:
        """Both together: the same whatever came first, and however often it came."""
        latest = other if self.is_behind(other.last_key) else self
        return Knowledge(join(self.attributes, other.attributes), latest.version, latest.last_key)


def together(parts: Iterable[Knowledge]) -> Knowledge:
    """What all parts claim."""
    known = list(parts)
    latest = max((one for one in known if one.last_key is not None), key=lambda one: one.last_key or (), default=Knowledge())
    return Knowledge(joined(one.attributes for one in known), latest.version, latest.last_key)


@dataclass(frozen=True, slots=True)
class Fit:
    """A profile, the rules that hold on it (rule -> e4 points), and who judged it: the version that recorded the latest fact."""

    attributes: Attributes = field(default_factory=dict)
    held: Held = field(default_factory=dict)
    version: int | None = None
    last_key: FactKey | None = None

    @property
    def points_e4(self) -> int:
        return sum(self.held.values())

    @property
    def knowledge(self) -> Knowledge:
        return Knowledge(self.attributes, self.version, self.last_key)


@dataclass(frozen=True, slots=True)
class Difference:
    """What holds more or less of one rule, and why; `label` names the version that judged."""

    rule: str
    label: str
    points_e4: int
    inputs: JsonObject
    sentence: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one fact makes of a fit. `is_news`: a value that is believed is another."""

    fit: Fit
    is_news: bool = False
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Booking:
    """Where differences are booked, at which moment, and what brought them about."""

    fragment_id: str
    at: datetime
    cause: tuple[str, ...]  # the id of the interaction or event first

    def receipts(self, differences: Iterable[Difference]) -> tuple[StoredReceipt, ...]:
        return tuple(self._receipt(one) for one in differences)

    def _receipt(self, one: Difference) -> StoredReceipt:
        return StoredReceipt(
            receipt_id=derive_id("rcp", self.at, FIT, *self.cause, one.rule, one.label, str(one.points_e4)),
            fragment_id=self.fragment_id,
            at=self.at,
            measure=FIT,
            rule=one.rule,
            rulebook=one.label,
            points_e4=one.points_e4,
            half_life=None,
            cause_id=self.cause[0],
            inputs=one.inputs,
            sentence=one.sentence,
        )


def learn(fit: Fit, fact: TraitFact, judges: Judges) -> Lesson:
    """`fit` with one more fact, of whatever date. Rules are asked only where a value or the version is another."""
    known = fit.knowledge.with_fact(fact)
    is_news = differs(fit.attributes, known.attributes)
    if not is_news and known.version == fit.version:
        return Lesson(Fit(known.attributes, fit.held, known.version, known.last_key))
    after, differences = judged(known, fit.held, judges)
    return Lesson(after, is_news, differences)


def judged(known: Knowledge, booked: Held, judges: Judges) -> tuple[Fit, tuple[Difference, ...]]:
    """What holds on `known`, and what that is more or less than what was booked. Nothing holds where nothing was ever claimed."""
    judge = judges.of(known.version)
    awards = {} if known.version is None else {award.rule: award for award in judge.fit(known.attributes)}
    held = {rule: award.points_e4 for rule, award in awards.items()}
    return Fit(known.attributes, held, known.version, known.last_key), tuple(_differences(booked, awards, judge, known.attributes))


def book(booked: Held, differences: Iterable[Difference]) -> Held:
    """What is booked with `differences` on top; without zeros, so that equal sums are equal mappings."""
    return added([booked, {one.rule: one.points_e4 for one in differences}])


def added(parts: Iterable[Held]) -> Held:
    """The sum of several, rule by rule."""
    totals: dict[str, int] = {}
    for part in parts:
        for rule, points in part.items():
            totals[rule] = totals.get(rule, 0) + points
    return {rule: points for rule, points in totals.items() if points}


def _differences(booked: Held, awards: Mapping[str, Award], judge: Judge, attributes: Attributes) -> Iterator[Difference]:
    for rule, award in awards.items():
        delta = award.points_e4 - booked.get(rule, 0)
        if delta:
            yield Difference(rule, judge.label, delta, award.inputs, award.sentence)
    for rule, points in sorted(booked.items()):  # read back from a store they come in another order
        if rule not in awards and points:
            yield Difference(rule, judge.label, -points, *judge.farewell(rule, attributes))
