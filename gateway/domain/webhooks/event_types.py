"""Which events a webhook wants: patterns of their names, and the subjects that these stand on."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from contracts.events.catalogue import BY_WIRE_NAME, EVENTS

PATTERN: Final = r"^(\*|[a-z][a-z_]*(\.(\*|[a-z0-9_]+)){1,3})$"
"""`lifecycle.stage.entered`, with or without its version; `*` for one word, and at the end for all that follow."""


def matches(pattern: str, wire_name: str) -> bool:
    """Whether an event of that name is meant: `lifecycle.*` means `lifecycle.stage.entered.v1`."""
    wanted, words = pattern.split("."), wire_name.split(".")
    if wanted[-1] == "*":
        wanted = wanted[:-1]
        words = words[: len(wanted)]
    elif len(wanted) == len(words) - 1:
        words = words[:-1]  # any version
    return len(wanted) == len(words) and all(one in ("*", word) for one, word in zip(wanted, words, strict=True))


def is_known(pattern: str) -> bool:
    """Whether any event there is matches."""
    return any(matches(pattern, name) for name in BY_WIRE_NAME)


def guess(pattern: str) -> str:
    """The nearest that would match something; empty when nothing is near."""
    names = [name.rpartition(".")[0] for name in BY_WIRE_NAME]
    candidates = [*names, *sorted({f"{name.partition('.')[0]}.*" for name in names})]
    return next(iter(difflib.get_close_matches(pattern, candidates, 1, 0.5)), "")


def subjects_of(patterns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Stream -> the subjects of the events that any of `patterns` means, each event once: what is said in every lane is
    taken from the first.
    """
    found: dict[str, tuple[str, ...]] = {}
    for event in EVENTS:
        if any(matches(pattern, event.wire_name) for pattern in patterns):
            stream = event.wire_name.partition(".")[0].upper()
            subject = f"{event.wire_name}.{'0' if event.every_lane else '*'}"
            found[stream] = (*found.get(stream, ()), subject)
    return found
