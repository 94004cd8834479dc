"""Fields whose names spell out a document: `fields[email][title]=E-mail&fields[email][value]=..`, as Elementor's
webhook with advanced data and other PHP senders write what they mean to be nested.

Only where an answer is spelt with its label; `form_fields[email]`, `phone[0][value]` are names of fields.
Source: https://www.php.net/manual/en/function.http-build-query.php
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.limits import EVENT_LEVELS

_NAME: Final = re.compile(r"(\w[\w\-.]*)((?:\[[^\[\]]*\])+)")
_KEY: Final = re.compile(r"\[([^\[\]]*)\]")
_VALUE: Final = re.compile(r"^(\w.*)\[value\]$")
_LABELS: Final = ("title", "label", "name", "type")


def unbracketed(fields: Mapping[str, Sequence[Any]]) -> dict[str, Any] | None:
    """The document that the fields spell; None where they are plain fields."""
    heads = [found[1] for name in fields if (found := _VALUE.match(name)) is not None]
    if not any(f"{head}[{label}]" in fields for head in heads for label in _LABELS):
        return None
    document: dict[str, Any] = {}
    for name, values in fields.items():
        found = _NAME.fullmatch(name)
        path = [name] if found is None else [found[1], *_KEY.findall(found[2])]
        _put(document, path[:EVENT_LEVELS], values[0] if len(values) == 1 else list(values))
    return document


def _put(document: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """At its path; below a value that stands there already the whole path is one name."""
    place = document
    for key in path[:-1]:
        inner = place.setdefault(key, {})
        if not isinstance(inner, dict):
            document[".".join(path)] = value
            return
        place = inner
    place[path[-1]] = value
