"""What a handler is given: a session inside a transaction, a moment, and ways to say things and to set timers.

What is said and set is gathered, and written by one batch of statements just before the commit (`chassis.runtime`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

from typing_extensions import TypeVar  # with a default: most code does not care what a service holds

from chassis.store.session import Session
from contracts.envelope import Event

Held = TypeVar("Held", covariant=True, default=object)
"""What a service holds while it runs: what its composition root put there (`Service(extras=...)`)."""

NOTHING: Mapping[str, Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class TimerChange:
    """What a timer is to be set to."""

    due_at: datetime
    payload: dict[str, Any]


class Context(Generic[Held]):
    """One batch's or one request's dealings with its store, and what the service holds (`service`).

    `traces` maps the id of each message of the batch to the trace headers that its effects carry on.
    """

    __slots__ = ("_said", "_timers", "_traces", "now", "service", "session")

    def __init__(
        self,
        session: Session,
        now: datetime,
        service: Held = None,  # type: ignore[assignment]  # of a service that holds nothing
        traces: Mapping[str, Mapping[str, str]] = NOTHING,
    ) -> None:
        self.session = session
        self.now = now
        self.service = service
        self._traces = traces
        self._said: list[Event] = []
        self._timers: dict[tuple[str, str], TimerChange | None] = {}

    def say(self, *events: Event) -> None:
        """Puts events into the outbox of this transaction, in this order."""
        self._said.extend(events)

    def set_timer(self, kind: str, key: str, due_at: datetime, payload: dict[str, Any] | None = None) -> None:
        """Sets the one durable timer of (kind, key); setting it again replaces it. `due_at` is aware."""
        if due_at.tzinfo is None:
            raise ValueError(f"timer {kind}: due_at has no time zone")
        self._timers[kind, key] = TimerChange(due_at, payload or {})

    def cancel_timer(self, kind: str, key: str) -> None:
        """Forgets the timer of (kind, key), if there is one."""
        self._timers[kind, key] = None

    @property
    def said(self) -> tuple[Event, ...]:
        """What was said so far."""
        return tuple(self._said)

    @property
    def timers(self) -> Mapping[tuple[str, str], TimerChange | None]:
        """What was set (or, None, cancelled) so far, by (kind, key)."""
        return self._timers

    def trace_of(self, event: Event) -> Mapping[str, str] | None:
        """The trace headers of the message that caused `event`, if it was one of this batch's."""
        return self._traces.get(event.meta.causation_id or "")
