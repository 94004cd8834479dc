"""The unit of work: all that a batch of events comes to.

Each fact is kept on a fragment; whose it is, is decided when a report is asked for.

The names of the facts' fields are those of the columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from contracts.campaigns import CampaignTag
from contracts.envelope import Event
from contracts.ids import lane_of
from people_kernel.people import Placement, is_newer
from people_kernel.workspace import Workspace

SLOTS = 16
"""Readers of one stream write how far they are into different rows, most of the time,
so that they do not wait for each other.
"""


class Presence(NamedTuple):
    """What is known of a fragment as such: captures from real and from test sources, the last mark, the last word on
    `is_test`, and when the person whose oldest it is was first seen: that is where everybody begins, and nobody
    tells of it.

    Keys order what was said by time, then by event; they are empty while nothing was.
    A tuple, as some are made for each event.
    """

    fragment_id: str
    has_real: bool = False
    has_test: bool = False
    is_marked: bool = False
    mark_key: str = ""
    told_test: bool = False
    told_key: str = ""
    first_us: int | None = None
    first_told_us: int | None = None

    def joined(self, other: Presence) -> Presence:
        """Both together: the same whatever came first, and however often it came."""
        marked = other if other.mark_key > self.mark_key else self
        told = other if other.told_key > self.told_key else self
        first = other if other.is_seen_before(self) else self
        return Presence(
            fragment_id=self.fragment_id,
            has_real=self.has_real or other.has_real,
            has_test=self.has_test or other.has_test,
            is_marked=marked.is_marked,
            mark_key=marked.mark_key,
            told_test=told.told_test,
            told_key=told.told_key,
            first_us=first.first_us,
            first_told_us=first.first_told_us,
        )

    def is_seen_before(self, other: Presence) -> bool:
        """Whether this knows of an earlier first time; what was told first counts."""
        if self.first_us is None or self.first_told_us is None:
            return False
        if other.first_us is None or other.first_told_us is None:
            return True
        return (self.first_told_us, self.first_us) < (other.first_told_us, other.first_us)


@dataclass(frozen=True, slots=True)
class Touch:
    """Somebody came by a link that says where from."""

    interaction_id: str
    fragment_id: str
    tag_id: str
    occurred_us: int
    received_us: int
    is_test: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """What all facts from people_kernel services have in common."""

    event_id: str
    fragment_id: str
    occurred_us: int
    told_us: int


@dataclass(frozen=True, slots=True)
class StageFact(Fact):
    """`person_id` is who it was said of then; a correction is no move."""

    person_id: str
    stage: str
    previous: str | None
    is_correction: bool


@dataclass(frozen=True, slots=True)
class ClockFact(Fact):
    """A clock was started, kept or breached."""

    kind: str
    clock: str
    was_breached: bool


@dataclass(frozen=True, slots=True)
class DealFact(Fact):
    """An opportunity was opened (step 0), advanced (1), won (2) or lost (3)."""

    opportunity_id: str
    step: int
    amount_e4: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class ReferralFact(Fact):
    """A referral was offered, accepted, returned, or expired."""

    referral_id: str
    rep_id: str
    kind: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class TreatmentFact(Fact):
    """A treatment was chosen for somebody."""

    treatment_id: str
    campaign_id: str | None


@dataclass(slots=True, kw_only=True)
class MetricsWorkspace(Workspace):
    """What a batch of events comes to; what of it is known already is found out when it is written.

    `heard`: how far, by (owner, slot).
    """

    placements: dict[str, Placement] = field(default_factory=dict)
    presences: dict[str, Presence] = field(default_factory=dict)
    tags: dict[str, CampaignTag] = field(default_factory=dict)
    touches: dict[str, Touch] = field(default_factory=dict)
    facts: dict[type[Fact], dict[str, Fact]] = field(default_factory=dict)
    heard: dict[tuple[str, int], datetime] = field(default_factory=dict)

    def place(self, fragment_id: str, person_id: str, graph_version: int) -> None:
        """Whose a fragment is by this grouping."""
        if is_newer(self.placements.get(fragment_id), graph_version):
            self.placements[fragment_id] = Placement(person_id, graph_version)

    def add_presence(self, presence: Presence) -> None:
        known = self.presences.get(presence.fragment_id)
        self.presences[presence.fragment_id] = presence if known is None else known.joined(presence)

    def add_fact(self, fact: Fact) -> None:
        self.facts.setdefault(type(fact), {})[fact.event_id] = fact

    def add_progress(self, event: Event) -> None:
        """The owner of this event was heard up to it: written in one slot a batch, that of the owner's first event."""
        owner, at = event.owner, event.meta.at
        for slot, latest_at in self.heard.items():
            if slot[0] == owner:
                if at > latest_at:
                    self.heard[slot] = at
                return
        self.heard[owner, lane_of(event.lane_key, SLOTS)] = at
