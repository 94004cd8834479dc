"""Fit: what the rules say about a profile, kept as the differences that each fact made.

Facts are folded in the order (occurred_at, interaction_id); each is judged by the version it was recorded under. A fact after which a rule begins
to hold brings +points, one after which it ceases to hold -points, so that fit at t is the sum of all differences with `at` <= t.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from contracts.events.scoring import Attribute
from contracts.ids import derive_id
from contracts.values import JsonObject
from deciding.profile import Attributes
from services.scoring.domain.facts import FactKey, TraitFact
from services.scoring.domain.judging import Award, Judge, Judges
from services.scoring.domain.ledger import FIT, StoredReceipt
from services.scoring.domain.profile import believe


@dataclass(frozen=True, slots=True)
class Fit:
    """A profile as far as it was folded, the rules that hold on it (rule -> e4 points), and who judged it last."""

    attributes: Attributes = field(default_factory=dict)
    held: Mapping[str, int] = field(default_factory=dict)
    version: int | None = None
    last_key: FactKey | None = None

    @property
    def points_e4(self) -> int:
        return sum(self.held.values())

    def is_behind(self, fact: TraitFact) -> bool:
        """Whether `fact` comes after all that was folded; otherwise everything must be folded anew."""
        return self.last_key is None or fact.key > self.last_key


@dataclass(frozen=True, slots=True)
class Advance:
    """What one fact did to a fit."""

    fit: Fit
    changed: Mapping[str, Attribute | None]
    receipts: tuple[StoredReceipt, ...]


@dataclass(frozen=True, slots=True)
class Folded:
    """What all facts of a person come to."""

    fit: Fit
    receipts: tuple[StoredReceipt, ...]


def advance(fit: Fit, fact: TraitFact, judge: Judge) -> Advance:
    """`fit` after one more fact, which must come after all before it."""
    attributes, changed = believe(fit.attributes, fact)
    if not changed and fit.version == judge.version:
        return Advance(replace(fit, last_key=fact.key), changed, ())
    awards = {award.rule: award for award in judge.fit(attributes)}
    receipts = tuple(_differences(fit.held, awards, fact, judge, attributes))
    held = {rule: award.points_e4 for rule, award in awards.items()}
    return Advance(Fit(attributes, held, judge.version, fact.key), changed, receipts)


def fold(facts: Iterable[TraitFact], judges: Judges) -> Folded:
    """All facts of a person, in any order, folded in theirs."""
    fit = Fit()
    receipts: list[StoredReceipt] = []
    for fact in sorted(facts, key=lambda fact: fact.key):
        step = advance(fit, fact, judges.by_version[fact.version])
        fit = step.fit
        receipts += step.receipts
    return Folded(fit, tuple(receipts))


def _differences(
    held: Mapping[str, int], awards: Mapping[str, Award], fact: TraitFact, judge: Judge, attributes: Attributes
) -> Iterable[StoredReceipt]:
    for rule, award in awards.items():
        delta = award.points_e4 - held.get(rule, 0)
        if delta:
            yield _receipt(fact, judge, rule, delta, (award.inputs, award.sentence))
    for rule, points in sorted(held.items()):  # read back from a store they come in another order
        if rule not in awards and points:
            yield _receipt(fact, judge, rule, -points, judge.farewell(rule, attributes))


def _receipt(fact: TraitFact, judge: Judge, rule: str, delta: int, grounds: tuple[JsonObject, str]) -> StoredReceipt:
    inputs, sentence = grounds
    return StoredReceipt(
        receipt_id=derive_id("rcp", fact.occurred_at, FIT, fact.interaction_id, rule, judge.label, str(delta)),
        fragment_id=fact.fragment_id,
        at=fact.occurred_at,
        measure=FIT,
        rule=rule,
        rulebook=judge.label,
        points_e4=delta,
        half_life=None,
        cause_id=fact.interaction_id,
        inputs=inputs,
        sentence=sentence,
    )
