"""How a receipt is kept within its size, whoever writes it: a receipt travels in events, and an event has a size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from contracts.limits import INPUT_BYTES, REJECTED, SENTENCE_CHARACTERS

LEFT_OUT = "left_out"
"""Under this name a receipt's inputs list those that were too long to quote."""

_NAMED = 20  # of those left out


def shortened(text: str) -> str:
    """`text`, or its beginning and an ellipsis."""
    return text if len(text) <= SENTENCE_CHARACTERS else f"{text[: SENTENCE_CHARACTERS - 1]}…"


def quoted(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """`inputs` in INPUT_BYTES of JSON: the largest give way first, and are named."""
    if _size(inputs) <= INPUT_BYTES:
        return dict(inputs)
    sizes = {name: _size(value) for name, value in inputs.items()}
    kept, dropped = dict(inputs), list[str]()
    for name in sorted(inputs, key=lambda name: (-sizes[name], name)):
        dropped.append(name[:64])
        del kept[name]
        told = {**kept, LEFT_OUT: sorted(dropped)[:_NAMED]}
        if _size(told) <= INPUT_BYTES:
            return told
    return {LEFT_OUT: len(inputs)}


def counted(rejected: tuple[str, ...]) -> tuple[str, ...]:
    """At most REJECTED alternatives, and how many more there were."""
    if not rejected:
        return rejected
    if len(rejected) > REJECTED:
        rejected = (*rejected[: REJECTED - 1], f"{len(rejected) - REJECTED + 1} others")
    return tuple(shortened(one) for one in rejected)


def _size(value: Any) -> int:
    return len(to_json(value, inf_nan_mode="strings", fallback=str))
