"""The attributes of a profile whose names the product knows, and how large a value may be."""

from __future__ import annotations

from typing import Any, Final

from pydantic_core import to_json

from contracts.limits import VALUE_BYTES

_READ = """
    first_name last_name name title email phone company company_domain employees industry country city website language
    budget authority need timing
"""
_SAID_WITH_THEM = "budget_currency account_id user_id"
READ_ATTRIBUTES: Final = frozenset(_READ.split())
"""What is read of what somebody typed; each may be unreadable."""

_UNREADABLE: Final = "_unreadable"
KNOWN_ATTRIBUTES: Final = (
    READ_ATTRIBUTES | frozenset(_SAID_WITH_THEM.split()) | frozenset(name + _UNREADABLE for name in READ_ATTRIBUTES)
)
"""Names that the product knows: a profile always has room for them."""

_ESCAPED: Final = 6  # bytes that one character takes in JSON at most


def unreadable(attribute: str) -> str:
    """Where the words stand that were given for `attribute` and cannot be read: `email_unreadable`."""
    return attribute + _UNREADABLE


def readable(name: str) -> str:
    """The attribute for which the words under `name` were given."""
    return name.removesuffix(_UNREADABLE)


def is_unreadable(name: str) -> bool:
    """Whether `name` holds words of which nothing could be read."""
    return name.endswith(_UNREADABLE) and name in KNOWN_ATTRIBUTES


def has_room(value: Any) -> bool:
    """Whether a profile keeps such a value; a longer one stays in the fact alone."""
    if isinstance(value, str) and len(value) * _ESCAPED + 2 <= VALUE_BYTES:
        return True
    return len(to_json(value)) <= VALUE_BYTES
