"""What was answered where a figure or one of a few words is meant, as facts: size, budget, timing, authority.

What cannot be read is told as that, in its own words: `timing_unreadable: "some day"`. It is never silently nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from contracts.attributes import unreadable
from semantics.figures import authority, head_count, money
from semantics.timespans import months

Told = Iterator[tuple[str, Any]]
"""(attribute, value)."""


def answered(attribute: str, kept: Any) -> Told:
    """The facts that an answer makes; `attribute` is one of ANSWERS, `kept` the answer as a profile has room for it."""
    only = kept[0] if isinstance(kept, list) and len(kept) == 1 else kept  # of a list of check boxes
    told = list(ANSWERS[attribute](only))
    yield from told or [(unreadable(attribute), kept)]


def _employees(value: Any) -> Told:
    count = head_count(value)
    if count is not None:
        yield "employees", count


def _budget(value: Any) -> Told:
    budget = money(value)
    if budget is not None:
        yield "budget", budget.amount
        if budget.currency is not None:
            yield "budget_currency", budget.currency


def _timing(value: Any) -> Told:
    away = months(value)
    if away is not None:
        yield "timing", away


def _authority(value: Any) -> Told:
    role = authority(value)
    if role is not None:
        yield "authority", role


ANSWERS: Final[Mapping[str, Callable[[Any], Told]]] = {
    "employees": _employees,
    "budget": _budget,
    "timing": _timing,
    "authority": _authority,
}
