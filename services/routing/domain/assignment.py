"""Who is asked: the rulebook names the team; an account's owner comes first, then who took care of this person before,
then whose turn it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.ids import derive_id
from contracts.limits import REPS_REJECTED
from contracts.values import Receipt
from rulebook.evaluate import Evaluation, Rulebook
from rulebook.receipts import Decision, alternatives, receipt

NAME = "routing"
ASSIGNMENT = "referral.assignment"
OTHERWISE = "otherwise"
"""The rule of a referral that no rule of the book is about: everybody may be asked."""
REFERRED_BY_DEFAULT = ("mql",)

ANY = "any"
"""Everybody, whatever their teams; no team may be called so."""

_NOTHING = Fraction(0)
_TURN = Fraction(1)
_PARTS = 1000
"""Credits are whole parts of (turn / sum of weights) by this. While the same people are there that rounds nothing;
when others come it keeps the fractions short.
"""


@dataclass(frozen=True, slots=True)
class Rep:
    """`weight` is their share of a rotation, 0: none.

    `capacity`: so many open referrals at most, None: without limit.
    """

    rep_id: str
    name: str
    email: str | None = None
    weight: int = 1
    capacity: int | None = None
    teams: tuple[str, ...] = ()
    is_active: bool = True
    external_id: str | None = None

    def belongs_to(self, team: str) -> bool:
        return team == ANY or team in self.teams


StageName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]


class Asking(BaseModel):
    """What a rule brings about: which team is asked, and how soon it is to answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    team: Annotated[str, Field(min_length=1, max_length=60)] = ANY
    answer_within_hours: Annotated[Decimal, Field(ge=Decimal("0.01"), le=2160, decimal_places=4)] = Decimal(4)

    @property
    def answer_within(self) -> timedelta:
        return timedelta(seconds=float(self.answer_within_hours * 3600))


class ReferralStages(BaseModel):
    """What the stages of the process mean for a referral. In any stage that is not named, the referral is over."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # who enters it is offered to a rep
    refer: Annotated[tuple[StageName, ...], Field(min_length=1, max_length=20)] = REFERRED_BY_DEFAULT
    # the rep who accepted is at work
    hold: Annotated[tuple[StageName, ...], Field(max_length=50)] = ("sal", "sql", "opportunity")
    # is still the rep's, and takes no room any more
    keep: Annotated[tuple[StageName, ...], Field(max_length=50)] = ("customer",)

    @model_validator(mode="after")
    def _say_it_once(self) -> Self:
        named = (*self.refer, *self.hold, *self.keep)
        twice = sorted({stage for stage in named if named.count(stage) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands here more than once")
        return self


@dataclass(frozen=True, slots=True)
class Ground:
    """What the rules said of one referral.

    `receipt` holds rule, version, inputs and the rule's sentence; whom it went to is filled in later.
    """

    asking: Asking
    receipt: Receipt


@dataclass(frozen=True)
class RoutingRules:
    """A compiled rulebook as the judge of referrals."""

    rulebook: Rulebook[Asking]

    @property
    def label(self) -> str:
        return self.rulebook.label

    @property
    def stages(self) -> ReferralStages:
        section = self.rulebook.sections["stages"]
        assert isinstance(section, ReferralStages)
        return section

    def ground(self, stage: str, facts: Mapping[str, Any], decision: Decision) -> Ground:
        """The first rule that holds decides; without one everybody may be asked."""
        evaluation = self.rulebook.evaluate(stage, None, facts)
        if not evaluation.matched:
            return Ground(Asking(), self._without_a_rule(evaluation, decision))
        first = evaluation.matched[0]
        later = tuple(
            f"{match.rule.name}: {evaluation.matched[0].rule.name} comes first" for match in evaluation.matched[1:]
        )
        return Ground(
            first.rule.effect, receipt(self.rulebook, first, decision, rejected=(*later, *alternatives(evaluation)))
        )

    def _without_a_rule(self, evaluation: Evaluation[Asking], decision: Decision) -> Receipt:
        return Receipt(
            receipt_id=derive_id("rcp", decision.at, decision.cause_id, decision.kind, self.label, OTHERWISE),
            at=decision.at,
            owner=decision.owner,
            kind=decision.kind,
            person_id=decision.person_id,
            fragment_id=decision.fragment_id,
            cause_id=decision.cause_id,
            rule=OTHERWISE,
            rulebook=self.label,
            rejected=alternatives(evaluation),
            sentence="No rule names a team, so everybody may be asked.",
        )


class ChosenBy(StrEnum):
    """What made the choice."""

    OWNER = "account_owner"
    EARLIER = "took_care_before"
    TURN = "turn"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class RepSearch:
    """All that the choice depends on.

    `load`: open referrals by rep; `credits`: of the team's rotation; `asked`: whom this referral went to already.

    `account` is what to call the company in words.
    """

    team: str
    reps: Mapping[str, Rep]
    load: Mapping[str, int]
    credits: Mapping[str, Fraction]
    asked: frozenset[str] = frozenset()
    owner_id: str | None = None
    account: str = ""
    earlier_id: str | None = None


@dataclass(frozen=True, slots=True)
class RepChoice:
    """Who it is and why not the others. `credits` are those that a turn changed."""

    rep: Rep | None
    how: ChosenBy
    why: str  # of the sentence: "owns the account Tidewater Freight"
    rejected: tuple[str, ...]
    credits: Mapping[str, Fraction] = field(default_factory=dict)


def choose(search: RepSearch) -> RepChoice:
    """Equal searches get equal answers."""
    refusals = {rep_id: why for rep_id, rep in sorted(search.reps.items()) if (why := why_not(search, rep)) is not None}
    for rep_id, how, why in _first_calls(search):
        if rep_id in search.reps and rep_id not in refusals:
            return _chosen(
                search, rep_id, (how, why), refusals | _passed_over(search, rep_id, refusals, "was not first in line")
            )
    outside = {
        rep_id: why
        for rep_id, rep in search.reps.items()
        if rep_id not in refusals and (why := _takes_no_turn(search, rep)) is not None
    }
    refusals |= outside
    weights = {rep_id: rep.weight for rep_id, rep in search.reps.items() if rep_id not in refusals}
    if not weights:
        return RepChoice(None, ChosenBy.NOBODY, f"nobody {_of(search.team)} can be asked", _told(search, refusals))
    chosen, after = next_turn(weights, search.credits)
    turn = (ChosenBy.TURN, f"next in turn {_of(search.team)}")
    return replace(
        _chosen(search, chosen, turn, refusals | _passed_over(search, chosen, refusals, "has a later turn")),
        credits=after,
    )


def why_not(search: RepSearch, rep: Rep) -> str | None:
    """Why `rep` cannot be asked at all, however they come into search."""
    if not rep.is_active:
        return "is inactive"
    if rep.rep_id in search.asked:
        return "was offered before"
    load = search.load.get(rep.rep_id, 0)
    if rep.capacity is not None and load >= rep.capacity:
        return f"is over capacity ({load} of {rep.capacity})"
    return None


def _takes_no_turn(search: RepSearch, rep: Rep) -> str | None:
    if not rep.belongs_to(search.team):
        return f"is not in team {search.team}"
    return "takes no turns (weight 0)" if rep.weight == 0 else None


def _first_calls(search: RepSearch) -> Iterator[tuple[str, ChosenBy, str]]:
    if search.owner_id is not None:
        yield search.owner_id, ChosenBy.OWNER, f"owns the account {search.account}".rstrip()
    if search.earlier_id is not None:
        yield search.earlier_id, ChosenBy.EARLIER, "took care of them before"


def _passed_over(search: RepSearch, chosen: str, refusals: Mapping[str, str], why: str) -> dict[str, str]:
    return {rep_id: why for rep_id in search.reps if rep_id != chosen and rep_id not in refusals}


def _chosen(search: RepSearch, rep_id: str, came: tuple[ChosenBy, str], rejected: Mapping[str, str]) -> RepChoice:
    how, why = came
    return RepChoice(search.reps[rep_id], how, why, _told(search, rejected))


def _told(search: RepSearch, rejected: Mapping[str, str]) -> tuple[str, ...]:
    """Those first who had a call of their own: a reader asks for them first."""
    calls = {rep_id: f"{why}, but " for rep_id, _, why in _first_calls(search)}
    order = sorted(rejected, key=lambda rep_id: (rep_id not in calls, rep_id))
    told = [
        f"{rep_id}: {search.reps[rep_id].name} {calls.get(rep_id, '')}{rejected[rep_id]}"
        for rep_id in order[:REPS_REJECTED]
    ]
    return (*told, f"{len(order) - REPS_REJECTED} others") if len(order) > REPS_REJECTED else tuple(told)


def _of(team: str) -> str:
    return "among all reps" if team == ANY else f"in team {team}"


def next_turn(weights: Mapping[str, int], owed: Mapping[str, Fraction]) -> tuple[str, dict[str, Fraction]]:
    """Whose turn it is: who of `weights` (above zero, at least one) takes it, and the credits of those present
    afterwards; `owed`: before.

    Smooth weighted round robin, exact: over n turns each gets their share of n by weight, never a whole turn more or
    less. Each has a credit: the turns they were due by weight while they could be asked, less the turns they had. A
    turn goes to whoever, of those who are not ahead (credit not below zero), will be owed a whole turn first; equals go
    by id. Taking the highest credit instead, as is often done, can leave somebody behind by more than a turn when
    weights differ much. (Earliest eligible virtual deadline first, Stoica and Abdel-Wahab 1995.)

    Credits are counted in turns, not in weights: so whoever leaves, comes back, or cannot be asked for once,
    however great their weight, neither brings nor leaves a run of turns, and those who stay go on sharing by
    their weights. A newcomer is owed nothing.
    """
    total = sum(weights.values())
    level = {name: Fraction(round(owed.get(name, _NOTHING) * total * _PARTS), total * _PARTS) for name in weights}
    due = [name for name in weights if level[name] >= 0]
    chosen = min(due or weights, key=lambda name: ((_TURN - level[name]) / weights[name], name))
    after = {name: level[name] + Fraction(weight, total) for name, weight in weights.items()}
    after[chosen] -= _TURN
    return chosen, after
