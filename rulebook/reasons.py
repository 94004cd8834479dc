"""The reason of a rule: a plain sentence with {placeholders} for facts, and
{effect.field} for what the rule brings about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from rulebook.syntax import Read
from rulebook.vocabulary import Vocabulary

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
