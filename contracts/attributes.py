"""The attributes of a profile whose names the product knows, and how large a value may be."""

from __future__ import annotations

from typing import Any, Final

from pydantic_core import to_json

from contracts.limits import VALUE_BYTES

_NAMES = """
    first_name last_name name title email phone company company_domain employees industry country city website language
    budget authority need timing budget_currency account_id user_id
"""
KNOWN_ATTRIBUTES: Final = frozenset(_NAMES.split())
"""Names that the product knows: a profile always has room for them."""

_ESCAPED: Final = 6  # bytes that one character takes in JSON at most


def has_room(value: Any) -> bool:
    """Whether a profile keeps such a value; a longer one stays in the fact alone."""
    if isinstance(value, str) and len(value) * _ESCAPED + 2 <= VALUE_BYTES:
        return True
    return len(to_json(value)) <= VALUE_BYTES
