"""A profile and the fit it makes: for each attribute the claim that is believed most, with where it comes from.

Which claim is believed, and what of a profile shows, `people_kernel.beliefs` says; a profile has room for the known
names and for the OTHER_ATTRIBUTES others that are believed most. Both are joins of a semilattice: the profile of a
whole is the join of the profiles of its parts. What shows is a function of that join, and of what the person shares
with their company: losers, and what was taken back, stay in the profile and are not seen.

Fit is what the rules say about what shows, booked in receipts that are never rewritten. What a person's receipts of fit
come to, rule by rule, is what holds on their profile: whatever changes the profile, the grouping or the version that
judges books the difference. No history takes part, so that it costs the same at the first fact and at the
hundred-thousandth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from contracts.attributes import has_room
from contracts.events.scoring import Attribute
from contracts.ids import derive_id
from contracts.values import JsonObject
from people_kernel import beliefs
from people_kernel.beliefs import bounded, joined, weight_of
from people_kernel.profile import Attributes, text_of
from services.scoring.domain.accounts import ACCOUNT, KnownAccounts, shown
from services.scoring.domain.claims import FactKey, TraitFact
from services.scoring.domain.receipts import FIT, Award, Judge, Judges, StoredReceipt

RulePoints = Mapping[str, int]
"""Rule -> e4 points."""


def claimed_by(fact: TraitFact) -> dict[str, Attribute]:
    """The attributes as this one fact has them."""
    return {
        name: Attribute(
            value=value,
            strength=fact.strength,
            source_id=fact.source_id,
            interaction_id=fact.interaction_id,
            occurred_at=fact.occurred_at,
            weight=weight_of(fact.account_named_by) if name == ACCOUNT else 0,
        )
        for name, value in fact.claims.items()
    }


def join(one: Attributes, other: Attributes) -> Attributes:
    """Both profiles together, bounded. Commutative, associative and idempotent; `one` itself if `other` adds
    nothing.
    """
    whole = beliefs.join(one, other)
    return one if whole is one else bounded(whole)


def fitting(attributes: Attributes) -> Attributes:
    """`attributes` without those for which a profile has no room, because of their size or their number."""
    return bounded({name: claim for name, claim in attributes.items() if has_room(claim.value)})


def differs(before: Attributes, after: Attributes) -> bool:
    """Whether a value is another, is new or is gone.

    Where an equal value comes from does not matter: no rule can ask for it.
    """
    if before is after:
        return False
    return before.keys() != after.keys() or any(
        not _same(claim.value, before[name].value) for name, claim in after.items()
    )


def changes_a_value(fit: Fit, fact: TraitFact) -> bool:
    """Whether a value that shows may become another by `fact`; one that does not now, does not after others either."""
    after = join(fit.attributes, claimed_by(fact))
    if after is fit.attributes:
        return False
    was, named = fit.attributes.get(ACCOUNT), after.get(ACCOUNT)
    if named is not None and (was is None or (was.value, was.strength) != (named.value, named.strength)):
        return True  # what they share with their company may be another
    return differs(fit.shown, shown(after, fit.shared))


def _same(one: Any, other: Any) -> bool:
    if one is other or (type(one) is type(other) and isinstance(one, str | bool | int | float)):
        return bool(one == other)
    return bool(to_json(one) == to_json(other))  # true and 1 are equal in Python, and not in JSON


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What some facts claim together: their profile, the latest of them, and the rulebook's version that recorded
    it.
    """

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
    latest = max(
        (one for one in known if one.last_key is not None), key=lambda one: one.last_key or (), default=Knowledge()
    )
    return Knowledge(joined(one.attributes for one in known), latest.version, latest.last_key)


@dataclass(frozen=True, slots=True)
class Fit:
    """A profile, the rules that hold on it (rule -> e4 points), and who judged: the version that recorded the latest
    fact.
    """

    attributes: Attributes = field(default_factory=dict)
    held: RulePoints = field(default_factory=dict)
    version: int | None = None
    last_key: FactKey | None = None
    shared: Attributes = field(default_factory=dict)  # with the company they belong to

    @property
    def shown(self) -> Attributes:
        """What is believed: what rules, cards and searches see."""
        return shown(self.attributes, self.shared)

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
class FitChange:
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


def learn(fit: Fit, fact: TraitFact, judges: Judges, accounts: KnownAccounts) -> FitChange:
    """`fit` with one more fact, of whatever date. Rules are asked only where a value or the version is another."""
    known, shared = fit.knowledge.with_fact(fact), fit.shared
    if known.attributes.get(ACCOUNT) is not fit.attributes.get(ACCOUNT):
        shared = accounts.shared_with(known.attributes)
    is_same = known.attributes is fit.attributes and shared is fit.shared
    is_news = not is_same and differs(fit.shown, shown(known.attributes, shared))
    if not is_news and known.version == fit.version:
        return FitChange(Fit(known.attributes, fit.held, known.version, known.last_key, shared))
    after, differences = judged(known, fit.held, judges, shared)
    return FitChange(after, is_news, differences)


def judged(
    known: Knowledge, booked: RulePoints, judges: Judges, shared: Attributes | None = None
) -> tuple[Fit, tuple[Difference, ...]]:
    """What holds on `known` and what is shared with the company, and how that differs from what was booked. Nothing
    holds where nothing was claimed.
    """
    judge, attributes = judges.of(known.version), shown(known.attributes, shared or {})
    awards = {} if known.version is None else {award.rule: award for award in judge.fit(attributes)}
    held = {rule: award.points_e4 for rule, award in awards.items()}
    return Fit(known.attributes, held, known.version, known.last_key, shared or {}), tuple(
        _differences(booked, awards, judge, attributes)
    )


def with_booked(booked: RulePoints, differences: Iterable[Difference]) -> RulePoints:
    """What is booked with `differences` on top; without zeros, so that equal sums are equal mappings."""
    return added([booked, {one.rule: one.points_e4 for one in differences}])


def added(parts: Iterable[RulePoints]) -> RulePoints:
    """The sum of several, rule by rule."""
    totals: dict[str, int] = {}
    for part in parts:
        for rule, points in part.items():
            totals[rule] = totals.get(rule, 0) + points
    return {rule: points for rule, points in totals.items() if points}


def _differences(
    booked: RulePoints, awards: Mapping[str, Award], judge: Judge, attributes: Attributes
) -> Iterator[Difference]:
    for rule, award in awards.items():
        delta = award.points_e4 - booked.get(rule, 0)
        if delta:
            yield Difference(rule, judge.label, delta, award.inputs, award.sentence)
    for rule, points in sorted(booked.items()):  # read back from a store they come in another order
        if rule not in awards and points:
            yield Difference(rule, judge.label, -points, *judge.withdrawal(rule, attributes))


def search_text(attributes: Attributes) -> str:
    """What a search looks in: the names in either order, the company and the address; empty for somebody of whom
    nothing is known.
    """
    first, last = text_of(attributes, "first_name"), text_of(attributes, "last_name")
    parts = [text_of(attributes, name) for name in ("name", "company", "email")]
    if first is not None and last is not None:
        parts += [f"{first} {last}", f"{last} {first}", f"{last}{first}"]
    else:
        parts += [first, last]
    return "\n".join(part for part in parts if part)
