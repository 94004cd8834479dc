"""The streams there are and how long they keep what they hold."""

from __future__ import annotations

from typing import Any

DEAD = "DEAD"
ALERTS = "ALERTS"

_DAY = 86_400 * 1_000_000_000  # JetStream counts in nanoseconds
_FOR_EVER = 0
_RETENTION = {ALERTS: 7 * _DAY, DEAD: 365 * _DAY}
"""Captures and domain events are facts: kept for ever, so that a replay starts at the beginning."""


def stream_of(subject: str) -> str:
    """The stream that `subject` is kept in: its first token in capitals."""
    return subject.partition(".")[0].upper()


def stream_config(name: str, replicas: int) -> dict[str, Any]:
    """The JetStream configuration of stream `name`, as its API takes it."""
    return {
        "name": name,
        "subjects": [f"{name.lower()}.>"],
        "retention": "limits",
        "storage": "file",
        "num_replicas": replicas,
        "max_age": _RETENTION.get(name, _FOR_EVER),
        "discard": "new",  # a full disk refuses the next message; it never eats the oldest fact
        "allow_atomic": True,
        "allow_direct": True,
    }
