"""The unit of work: what a batch or a request has loaded, what became of it, and what is to be said when it commits.

With it the `Cause` of what is decided, from which the ids of everything that follows derive.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from contracts.envelope import Event, Meta
from contracts.ids import derive_id, with_prefix
from contracts.values import Receipt
from people_kernel.people import Placement, Placements, newer, placement_in, placements_at_rest

K = TypeVar("K")
V = TypeVar("V")


class Pages(dict[K, V]):
    """Values by key that remember how they were loaded.

    A value is replaced and never changed, so that another object is a change.
    """

    __slots__ = ("loaded",)

    def __init__(self, loaded: Mapping[K, V] | None = None) -> None:
        super().__init__(loaded or {})
        self.loaded: dict[K, V] = dict(self)

    def load(self, more: Mapping[K, V]) -> None:
        """These are as the store has them."""
        self.update(more)
        self.loaded.update(more)

    @property
    def changed(self) -> dict[K, V]:
        """Those that are new, or are others than were loaded."""
        loaded = self.loaded
        return {key: value for key, value in self.items() if loaded.get(key) is not value}


class TimerSetting(NamedTuple):
    """What a timer is to be set to."""

    due_at: datetime
    payload: Mapping[str, Any]


class Outlet(Protocol):
    """Where it goes at the end: the `Context` of the chassis."""

    def say(self, *events: Event) -> None: ...
    def set_timer(self, kind: str, key: str, due_at: datetime, payload: dict[str, Any] | None = None) -> None: ...
    def cancel_timer(self, kind: str, key: str) -> None: ...


@dataclass(slots=True, kw_only=True)
class Workspace:
    """What all services' units of work have in common; each adds the `Pages` of its own nouns."""

    said: list[Event] = field(default_factory=list)
    timers: dict[tuple[str, str], TimerSetting | None] = field(default_factory=dict)  # None: to be forgotten

    def set_timer(self, kind: str, key: str, due_at: datetime, payload: Mapping[str, Any] | None = None) -> None:
        """The one timer of (kind, key); setting it again replaces it."""
        self.timers[kind, key] = TimerSetting(due_at, payload or {})

    def cancel_timer(self, kind: str, key: str) -> None:
        """Forget the timer of (kind, key), if there is one."""
        self.timers[kind, key] = None

    def hand_over(self, outlet: Outlet) -> None:
        """Timers, and what was said, to the transaction that this is the work of."""
        for (kind, key), setting in self.timers.items():
            if setting is None:
                outlet.cancel_timer(kind, key)
            else:
                outlet.set_timer(kind, key, setting.due_at, dict(setting.payload))
        outlet.say(*self.said)


@dataclass(slots=True, kw_only=True)
class PlacedWorkspace(Workspace):
    """Of services that write down whose each fragment is (`people_kernel.people`), and why they decided as they did."""

    placements: Pages[str, Placement] = field(default_factory=Pages)
    regrouped: set[str] = field(default_factory=set)  # fragments that a merge or split named
    receipts: list[Receipt] = field(default_factory=list)

    def owner_of(self, fragment_id: str) -> str:
        """Whose a fragment is now."""
        return placement_in(self.placements, fragment_id).person_id

    def is_present(self, person_id: str) -> bool:
        """Whether this id stands for somebody now; one that was absorbed does not."""
        return self.owner_of(with_prefix("frg", person_id)) == person_id

    def version_of(self, person_id: str) -> int:
        """Which grouping an id that stands for somebody rests on."""
        return placement_in(self.placements, with_prefix("frg", person_id)).graph_version

    def place(self, told: Placements) -> dict[str, Placement]:
        """Takes in whose fragments are; answers what is news. An older grouping than the one known says nothing."""
        news = newer(self.placements, told)
        self.placements.update(news)
        return news

    def placements_to_write(self, kept: Collection[str]) -> dict[str, Placement]:
        """Those that must be written, when something is `kept` of these people."""
        return placements_at_rest(self.placements.changed, self.placements.loaded, kept, self.regrouped)


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
    """A timer: decided now, also when it was late, about what happened when it was due.

    The chain of causes begins with it.
    """
    timer_id = derive_id("tmr", due_at, kind, key)
    return Cause(timer_id, now, due_at, timer_id)


def requested(request_id: str, by: str, now: datetime, occurred_at: datetime | None = None) -> Cause:
    """A human's request: decided now, about what happened then (or `occurred_at`).

    The chain of causes begins with it.
    """
    return Cause(request_id, now, occurred_at or now, request_id, by=by)
