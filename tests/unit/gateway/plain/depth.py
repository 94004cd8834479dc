"""How deep an event nests, level by level."""

from __future__ import annotations

from typing import Any

from contracts.limits import EVENT_LEVELS
from gateway.domain.refusal import Refused


def check_depth(value: Any) -> None:
    """Refuse what nests deeper than EVENT_LEVELS."""
    level = [value]
    for _ in range(EVENT_LEVELS):
        level = [item for outer in level for item in _items(outer) if isinstance(item, dict | list)]
        if not level:
            return
    raise Refused("event", f"nests deeper than {EVENT_LEVELS} levels")


def _items(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
