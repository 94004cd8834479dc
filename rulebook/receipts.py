"""Receipts: why a rule decided as it did, in values and in one plain sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contracts.ids import derive_id
from contracts.values import Contribution, Receipt
from rulebook.compile import Rulebook
from rulebook.evaluate import Effect, Evaluation, MatchedRule
from rulebook.reasons import tell


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided on, about whom, and what brought it about.

    `part` tells apart receipts of one rule, cause and kind.
    """

    owner: str
    kind: str  # e.g. score.engagement
    person_id: str
    fragment_id: str
    cause_id: str  # the interaction or event
    at: datetime
    part: str = ""


def receipt(
    rulebook: Rulebook[Effect],
    match: MatchedRule[Effect],
    decision: Decision,
    contribution: Contribution | None = None,
    rejected: tuple[str, ...] = (),
) -> Receipt:
    """The receipt of a rule that matched.

    Its id derives from the cause, the kind, the rule, its version and the part: not from the person.
    """
    rule, label = match.rule.name, rulebook.label
    return Receipt(
        receipt_id=derive_id("rcp", decision.at, decision.cause_id, decision.kind, label, rule, decision.part),
        at=decision.at,
        owner=decision.owner,
        kind=decision.kind,
        person_id=decision.person_id,
        fragment_id=decision.fragment_id,
        cause_id=decision.cause_id,
        rule=rule,
        rulebook=label,
        inputs={name: _json(value) for name, value in match.inputs.items()},
        contribution=contribution,
        rejected=rejected,
        sentence=sentence_of(match),
    )


def sentence_of(match: MatchedRule[Effect]) -> str:
    """The rule's reason with the values in it; says so where the rule assumed a yes for want of facts."""
    sentence = tell(match.rule.reason, match.inputs, match.rule.effect)
    if not match.assumed:
        return sentence
    return f"{sentence} (assumed: {', '.join(match.assumed)} {'is' if len(match.assumed) == 1 else 'are'} not known)"


def alternatives(evaluation: Evaluation[Effect]) -> tuple[str, ...]:
    """The rules that were weighed and did not match, each with why: what a receipt keeps as `rejected`."""
    return tuple(f"{name}: {why}" for name, why in evaluation.refusals())


def _json(value: Any) -> Any:
    match value:
        case str() | int() | float():
            return value
        case datetime():
            return value.isoformat()
        case timedelta():
            return f"{value.total_seconds():g}s"
        case Mapping():
            return {key: _json(entry) for key, entry in value.items()}
        case list() | tuple():
            return [_json(element) for element in value]
    return value
