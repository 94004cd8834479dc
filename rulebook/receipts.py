"""Receipts: why a rule decided as it did, in values and in one plain sentence.

The sentence is the rule's reason, with {placeholders} for facts and {effect.field} for what the rule brings about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from contracts.ids import derive_id
from contracts.values import Contribution, Receipt
from rulebook.evaluate import Effect, Evaluation, MatchedRule, Rulebook
from rulebook.inputs import Band, is_band
from rulebook.syntax import Read
from rulebook.vocabulary import Vocabulary


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


PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
EFFECT_PREFIX = "effect."
_MOST_SHOWN = 5


def find_fact(name: str, vocabulary: Vocabulary) -> Read | None:
    """The variable, and the keys within it, that a dotted name means."""
    segments = name.split(".")
    for length in range(len(segments), 0, -1):
        variable = ".".join(segments[:length])
        fact = vocabulary.variables.get(variable)
        if fact is not None and (length == len(segments) or fact.cel in ("MAP", "ANY")):
            return (variable, *segments[length:])
    return None


def tell(reason: str, inputs: Mapping[str, Any], effect: Any) -> str:
    """The reason with its placeholders filled in."""

    def fill(placeholder: re.Match[str]) -> str:
        name = placeholder[1].strip()
        if name.startswith(EFFECT_PREFIX):
            return in_words(getattr(effect, name.removeprefix(EFFECT_PREFIX)))
        return in_words(inputs.get(name))

    return PLACEHOLDER.sub(fill, reason)


def in_words(value: Any) -> str:
    """A value as a person would write it."""
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case float() | Decimal():
            return format(Decimal(str(value)).normalize(), "f")
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} {value.tzname() or 'UTC'}"
        case timedelta():
            return _length(value)
        case Mapping() if is_band(value):
            return Band(value["low"], value["high"]).in_words()
        case Mapping():
            return _some([f"{key} {in_words(entry)}" for key, entry in value.items()])
        case list() | tuple():
            return _some([in_words(element) for element in value])
    return str(value)


def _length(value: timedelta) -> str:
    hours, seconds = divmod(int(value.total_seconds()), 3600)
    days, hours = divmod(hours, 24)
    minutes, seconds = divmod(seconds, 60)
    counted = [(days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second")]
    return " ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in counted if count) or "no time"


def _some(words: list[str]) -> str:
    more = f" and {len(words) - _MOST_SHOWN} more" if len(words) > _MOST_SHOWN else ""
    return (", ".join(words[:_MOST_SHOWN]) + more) or "nothing"
