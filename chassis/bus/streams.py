"""The streams there are and how long they keep what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

DEAD = "DEAD"
ALERTS = "ALERTS"
ROOM = "ROOM"
"""Holds no message: its configuration is written anew now and then, to see whether the disk of NATS
takes anything (`chassis.bus.writability`).
"""
_OUTSIDE = frozenset({"CAPTURE"})
"""Written by whoever sends, not by a relay in order: the same message may be sent again after days."""

_DAY = 86_400 * 1_000_000_000  # JetStream counts in nanoseconds
_FOR_EVER = 0
KEPT_DAYS: Final[Mapping[str, int]] = {ALERTS: 7, DEAD: 365}
"""Captures and domain events are facts: kept for ever, so that a replay starts at the beginning. Alerts have been told
elsewhere as well, and what died has been looked at within a year.
"""


@lru_cache(maxsize=1024)  # asked for each message, of the same few subjects
def stream_of(subject: str) -> str:
    """The stream that `subject` is kept in: its first token in capitals."""
    return subject.partition(".")[0].upper()


def is_from_outside(stream: str) -> bool:
    """Whether the messages of `stream` come from senders who may send them again after days."""
    return stream in _OUTSIDE


def probe_subject(name: str) -> str:
    """Where stream `name` is tried: beside its own subjects, so that who hears those never meets a probe."""
    return f"probe.{name.lower()}"


def ack_subjects(stream: str, consumer: str) -> tuple[str, str]:
    """Where messages of `consumer` are acknowledged, as a permission: nine tokens, or eleven and more with domain and
    account in front, whichever the server writes.

    Closed at their length, since a server reads a subject by its length: `$JS.ACK.*.*.A.mine.>` would also let
    somebody publish `$JS.ACK.A.another's.A.mine.1.1.1`, which has nine tokens and acknowledges for another.
    """
    return f"$JS.ACK.{stream}.{consumer}.*.*.*.*.*", f"$JS.ACK.*.*.{stream}.{consumer}.*.*.*.*.>"


def stream_config(name: str, replicas: int, kept_days: Mapping[str, int] = KEPT_DAYS) -> dict[str, Any]:
    """The JetStream configuration of stream `name`, as its API takes it; `kept_days` for streams that are not facts."""
    return {
        "name": name,
        "subjects": [f"{name.lower()}.>", probe_subject(name)],
        "retention": "limits",
        "storage": "file",
        "num_replicas": replicas,
        "max_age": kept_days[name] * _DAY if name in KEPT_DAYS else _FOR_EVER,
        "discard": "new",  # a full disk refuses the next message; it never eats the oldest fact
        "allow_atomic": True,
        "allow_direct": True,
        "allow_msg_ttl": True,  # for probes, which go by themselves; facts carry no such header, and stay
    }
