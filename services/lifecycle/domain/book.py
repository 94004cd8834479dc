"""The pages that a batch has open: who is who, what is known of them, where they are, which clocks run, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from contracts.envelope import Event, Meta
from contracts.ids import derive_id, with_prefix
from contracts.values import Receipt
from people_kernel.cards import Card, blank
from people_kernel.placements import Placement, placement_in, placements_at_rest
from services.lifecycle.domain.moves import Homes, Move
from services.lifecycle.domain.process import Process


@dataclass(frozen=True, slots=True)
class Cause:
    """What brings a decision about: an event that was heard, a timer, a human's verdict. `by` is who decided, None for a rule or a clock."""

    cause_id: str
    at: datetime  # when it is decided
    occurred_at: datetime  # when it happened
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


def told(event: Event, occurred_at: datetime, by: str | None = None) -> Cause:
    """The cause that an event is."""
    meta = event.meta
    return Cause(meta.event_id, meta.at, occurred_at, meta.correlation_id, meta.event_id, by)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person id is, as it was last said. An id that was absorbed keeps what was said of it, for the day it is split off again.

    Without a `stage` they are where everybody begins; `seen_at` is since when, if that was told.
    """

    person_id: str
    is_present: bool = True
    stage: str | None = None
    move_id: str | None = None  # the move that led here, and the fragment it hangs on
    move_home: str | None = None
    since: datetime | None = None  # when the stage was entered, by when things happened
    entered_at: datetime | None = None  # when that was decided
    latest_at: datetime | None = None  # occurred_at of the latest move in view; the next one is not earlier
    homes: Homes = field(default_factory=dict)
    points_e4: int = 0  # engagement earned since the stage was entered
    points_of: str | None = None  # the move since which they were counted
    is_test: bool = False
    seen_at: datetime | None = None

    def points_since(self) -> int:
        return self.points_e4 if self.points_of == self.move_id else 0


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that runs, or ran, for whoever owns the fragment."""

    clock_id: str
    fragment_id: str
    name: str
    stage: str
    stops: tuple[str, ...]
    started_at: datetime
    due_at: datetime
    remind_at: datetime | None = None
    is_reminded: bool = False
    breached_at: datetime | None = None
    ended_at: datetime | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """A timer to be set; without `due_at`, to be forgotten."""

    kind: str
    key: str
    due_at: datetime | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Book:
    """What a batch loaded, and what came of it. `moves` holds those of everybody who may be regrouped."""

    process: Process
    placements: dict[str, Placement] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)
    clocks: dict[str, Clock] = field(default_factory=dict)  # those that run
    moves: dict[str, list[Move]] = field(default_factory=dict)
    regrouped: set[str] = field(default_factory=set)  # fragments that a merge or split named
    known_placements: Mapping[str, Placement] = field(default_factory=dict)  # as they were loaded
    known_cards: Mapping[str, Card] = field(default_factory=dict)
    known_standings: Mapping[str, Standing] = field(default_factory=dict)
    known_clocks: Mapping[str, Clock] = field(default_factory=dict)
    made: list[Move] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    said: list[Event] = field(default_factory=list)

    def opened(self) -> Book:
        """From here on changes are counted."""
        self.known_placements, self.known_cards = dict(self.placements), dict(self.cards)
        self.known_standings, self.known_clocks = dict(self.standings), dict(self.clocks)
        return self

    def owner_of(self, fragment_id: str) -> str:
        """Whose a fragment is now."""
        return placement_in(self.placements, fragment_id).person_id

    def is_present(self, person_id: str) -> bool:
        """Whether this id stands for somebody now; one that was absorbed does not."""
        return self.owner_of(with_prefix("frg", person_id)) == person_id

    def version_of(self, person_id: str) -> int:
        return placement_in(self.placements, with_prefix("frg", person_id)).graph_version

    def card(self, person_id: str) -> Card:
        return self.cards.get(person_id) or blank(person_id)

    def standing(self, person_id: str) -> Standing:
        return self.standings.get(person_id) or Standing(person_id)

    def stage_of(self, person_id: str) -> str:
        """Where somebody is: whoever has not moved is where everybody begins."""
        return self.standing(person_id).stage or self.process.first

    def keeps(self, person_id: str) -> bool:
        """Whether anything is kept of this person id. Of a stranger nothing is: what scoring may say of them stands in its next statement."""
        card = self.cards.get(person_id)
        return person_id in self.standings or person_id in self.known_cards or (card is not None and bool(card.attributes))

    def clocks_of(self, person_id: str) -> list[Clock]:
        """Those that run for a person, the most urgent first."""
        homes = self.standing(person_id).homes
        running = [clock for clock in self.clocks.values() if clock.ended_at is None and clock.fragment_id in homes]
        return sorted(running, key=lambda clock: (clock.due_at, clock.clock_id))

    @property
    def changed_placements(self) -> dict[str, Placement]:
        changed = {key: one for key, one in self.placements.items() if self.known_placements.get(key) is not one}
        kept = {one.person_id for one in changed.values() if self.keeps(one.person_id)}
        return placements_at_rest(changed, self.known_placements, kept, self.regrouped)

    @property
    def changed_cards(self) -> list[Card]:
        return [one for key, one in self.cards.items() if self.known_cards.get(key) is not one]

    @property
    def changed_standings(self) -> list[Standing]:
        return [one for key, one in self.standings.items() if self.known_standings.get(key) is not one]

    @property
    def changed_clocks(self) -> list[Clock]:
        return [one for key, one in self.clocks.items() if self.known_clocks.get(key) is not one]


def days_between(earlier: datetime, later: datetime) -> float:
    """Never less than none."""
    return max(0.0, (later - earlier) / timedelta(days=1))
