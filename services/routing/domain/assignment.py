"""Who is asked: the account's owner first, then who took care of this person before, then whose turn it is in the team."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction

from contracts.limits import REPS_REJECTED
from services.routing.domain.reps import ANY, Rep
from services.routing.domain.rotation import next_turn


class How(StrEnum):
    """What made the choice."""

    OWNER = "account_owner"
    EARLIER = "took_care_before"
    TURN = "turn"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Question:
    """All that the choice depends on. `load`: open referrals by rep; `credits`: of the team's rotation; `asked`: whom this referral went to already.

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
class Choice:
    """Who it is and why not the others. `credits` are those that a turn changed."""

    rep: Rep | None
    how: How
    why: str  # of the sentence: "owns the account Tidewater Freight"
    rejected: tuple[str, ...]
    credits: Mapping[str, Fraction] = field(default_factory=dict)


def choose(question: Question) -> Choice:
    """Equal questions get equal answers."""
    refusals = {rep_id: why for rep_id, rep in sorted(question.reps.items()) if (why := why_not(question, rep)) is not None}
    for rep_id, how, why in _first_calls(question):
        if rep_id in question.reps and rep_id not in refusals:
            return _chosen(question, rep_id, (how, why), refusals | _passed_over(question, rep_id, refusals, "was not first in line"))
    outside = {rep_id: why for rep_id, rep in question.reps.items() if rep_id not in refusals and (why := _takes_no_turn(question, rep)) is not None}
    refusals |= outside
    weights = {rep_id: rep.weight for rep_id, rep in question.reps.items() if rep_id not in refusals}
    if not weights:
        return Choice(None, How.NOBODY, f"nobody {_of(question.team)} can be asked", _told(question, refusals))
    chosen, after = next_turn(weights, question.credits)
    turn = (How.TURN, f"next in turn {_of(question.team)}")
    return replace(_chosen(question, chosen, turn, refusals | _passed_over(question, chosen, refusals, "has a later turn")), credits=after)


def why_not(question: Question, rep: Rep) -> str | None:
    """Why `rep` cannot be asked at all, however they come into question."""
    if not rep.is_active:
        return "is inactive"
    if rep.rep_id in question.asked:
        return "was offered before"
    load = question.load.get(rep.rep_id, 0)
    if rep.capacity is not None and load >= rep.capacity:
        return f"is over capacity ({load} of {rep.capacity})"
    return None


def _takes_no_turn(question: Question, rep: Rep) -> str | None:
    if not rep.belongs_to(question.team):
        return f"is not in team {question.team}"
    return "takes no turns (weight 0)" if rep.weight == 0 else None


def _first_calls(question: Question) -> Iterator[tuple[str, How, str]]:
    if question.owner_id is not None:
        yield question.owner_id, How.OWNER, f"owns the account {question.account}".rstrip()
    if question.earlier_id is not None:
        yield question.earlier_id, How.EARLIER, "took care of them before"


def _passed_over(question: Question, chosen: str, refusals: Mapping[str, str], why: str) -> dict[str, str]:
    return {rep_id: why for rep_id in question.reps if rep_id != chosen and rep_id not in refusals}


def _chosen(question: Question, rep_id: str, came: tuple[How, str], rejected: Mapping[str, str]) -> Choice:
    how, why = came
    return Choice(question.reps[rep_id], how, why, _told(question, rejected))


def _told(question: Question, rejected: Mapping[str, str]) -> tuple[str, ...]:
    """Those first who had a call of their own: a reader asks for them first."""
    calls = {rep_id: f"{why}, but " for rep_id, _, why in _first_calls(question)}
    order = sorted(rejected, key=lambda rep_id: (rep_id not in calls, rep_id))
    told = [f"{rep_id}: {question.reps[rep_id].name} {calls.get(rep_id, '')}{rejected[rep_id]}" for rep_id in order[:REPS_REJECTED]]
    return (*told, f"{len(order) - REPS_REJECTED} others") if len(order) > REPS_REJECTED else tuple(told)


def _of(team: str) -> str:
    return "among all reps" if team == ANY else f"in team {team}"
