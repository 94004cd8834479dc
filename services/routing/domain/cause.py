"""What brings a decision about, and the ids of everything that follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.envelope import Event, Meta
from contracts.ids import derive_id


@dataclass(frozen=True, slots=True)
class Cause:
    """`at` is when it is decided, `occurred_at` when what is decided on happened; `by` is the human who did it, None for a rule or a clock."""

    cause_id: str
    at: datetime
    occurred_at: datetime
    correlation_id: str
    causation_id: str | None = None
    by: str | None = None

    def meta(self, wire_name: str, *parts: str, rulebook: str | None = None) -> Meta:
        """The meta of an event that this brings about; `parts` tell siblings apart."""
        event_id = derive_id("evt", self.at, self.cause_id, wire_name, *parts)
        return Meta(event_id=event_id, at=self.at, correlation_id=self.correlation_id, causation_id=self.causation_id, rulebook=rulebook)

    def receipt_id(self, *parts: str) -> str:
        return derive_id("rcp", self.at, self.cause_id, *parts)


def heard(event: Event, now: datetime, occurred_at: datetime | None = None) -> Cause:
    """An event of another service."""
    return Cause(event.meta.event_id, now, occurred_at or event.meta.at, event.meta.correlation_id, event.meta.event_id)


def fell_due(kind: str, key: str, due_at: datetime, now: datetime) -> Cause:
    """A clock; the chain of causes begins with it."""
    timer_id = derive_id("tmr", due_at, kind, key)
    return Cause(timer_id, now, due_at, timer_id, timer_id)


def requested(what: str, by: str, now: datetime, occurred_at: datetime | None = None) -> Cause:
    """A human's request; the chain of causes begins with it. `what` tells requests of one moment apart."""
    request_id = derive_id("evt", now, "routing.request", what, by)
    return Cause(request_id, now, occurred_at or now, request_id, by=by)
