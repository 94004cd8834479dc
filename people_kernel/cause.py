"""What brings a decision about, and the ids of everything that follows from it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from contracts.envelope import Event, Meta
from contracts.ids import derive_id


class Cause(NamedTuple):  # and not a dataclass: most events make one
    """An event that was heard, a timer that fell due, a human's request.

    `at` is when it is decided, `occurred_at` when what is decided on happened; `by` is the
    human who did it, None for a rule or a clock.
    """

    cause_id: str
    at: datetime
    occurred_at: datetime
    correlation_id: str
    causation_id: str | None = None
    by: str | None = None

    def meta(self, wire_name: str, *parts: str, rulebook: str | None = None) -> Meta:
        """The Meta of an event that this brings about; `parts` tell siblings apart."""
        return Meta(
            event_id=derive_id("evt", self.at, self.cause_id, wire_name, *parts),
            at=self.at,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            rulebook=rulebook,
        )

    def receipt_id(self, *parts: str) -> str:
        """The id of a receipt for it; `parts` tell siblings apart."""
        return derive_id("rcp", self.at, self.cause_id, *parts)


def heard(
    event: Event, occurred_at: datetime | None = None, *, at: datetime | None = None, by: str | None = None
) -> Cause:
    """An event of another service: decided when it was said (or `at`), about what happened then (or `occurred_at`)."""
    meta = event.meta
    return Cause(meta.event_id, at or meta.at, occurred_at or meta.at, meta.correlation_id, meta.event_id, by)


def fell_due(kind: str, key: str, due_at: datetime, now: datetime) -> Cause:
    """A timer: decided now, also when it was late, about what happened when it was
    due. The chain of causes begins with it.
    """
    timer_id = derive_id("tmr", due_at, kind, key)
    return Cause(timer_id, now, due_at, timer_id)


def requested(request_id: str, by: str, now: datetime, occurred_at: datetime | None = None) -> Cause:
    """A human's request: decided now, about what happened then (or
    `occurred_at`). The chain of causes begins with it.
    """
    return Cause(request_id, now, occurred_at or now, request_id, by=by)
