"""A value as a profile keeps it: in one line, without what cannot be kept, and no longer than there is room."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final

from contracts.attributes import has_room
from contracts.limits import UNREADABLE_CHARACTERS, VALUE_BYTES
from semantics.escapes import unescaped
from semantics.names import is_text

_LARGEST: Final = 2**63
_WORTH_A_LOOK: Final = 4 * VALUE_BYTES  # characters; what is longer has no room when it is tidied either


def line(text: str) -> str:
    """`text` in one line, in compatible forms, and as it was typed before a page escaped it."""
    return " ".join(unicodedata.normalize("NFKC", unescaped(text)).split())


def cut(kept: Any) -> str:
    """Words that cannot be read, as many as tell what was meant."""
    text = kept if isinstance(kept, str) else str(kept)
    return text if len(text) <= UNREADABLE_CHARACTERS else f"{text[: UNREADABLE_CHARACTERS - 1]}…"


def tidy(value: Any) -> Any:
    """`value` without what cannot be kept: endless values, numbers of more than 64 bits (as text), characters that are
    none. None: nothing left.
    """
    if isinstance(value, str):
        text = line(value) if len(value) <= _WORTH_A_LOOK else ""
        return text if text and is_text(text) and has_room(text) else None
    if value is None or value == [] or value == {} or len(str(value)) > _WORTH_A_LOOK:
        return None
    kept = _keepable(value)
    return kept if has_room(kept) else None


def _keepable(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int():
            return value if -_LARGEST <= value < _LARGEST else str(value)
        case float():
            return value if isfinite(value) else None
        case str():
            return value if is_text(value) else None
        case Mapping():
            return {str(key): _keepable(entry) for key, entry in value.items() if is_text(str(key))}
        case list() | tuple():
            return [_keepable(entry) for entry in value]
    return value
