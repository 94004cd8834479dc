"""A referral: one person, one entry into a stage, and the reps who were asked about it, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from people_kernel.cards import Card
from services.routing.domain.rules import Ground


class State(StrEnum):
    """Where a referral stands."""

    OFFERED = "offered"  # a rep is asked
    SEEN = "seen"  # they looked at it
    ACCEPTED = "accepted"  # they take care of this person
    UNASSIGNED = "unassigned"  # nobody could be asked, or everybody was: any rep may take it
    RETURNED = "returned"  # a rep gave the person back, and lifecycle acts on the reason
    CLOSED = "closed"  # the person moved on by other means, or is one with somebody who is referred already


ASKED = frozenset({State.OFFERED, State.SEEN})
WAITING = ASKED | {State.UNASSIGNED}
LIVE = WAITING | {State.ACCEPTED}


class Outcome(StrEnum):
    """What became of one offer."""

    OPEN = "open"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    REASSIGNED = "reassigned"


@dataclass(frozen=True, slots=True)
class Referral:
    """`fragment_id` is what it hangs on; `person_id` who that belongs to by `graph_version`. `rep_id` is who has it now.

    `card` and `move` are what was known, and why the stage was entered, when it came about.
    """

    referral_id: str
    fragment_id: str
    person_id: str
    graph_version: int
    stage: str
    state: State
    card: Card
    ground: Ground
    created_at: datetime
    account_id: str | None = None
    move: str = ""  # the receipt of the stage move, as JSON: it is only ever passed on
    rep_id: str | None = None
    attempt: int = 0
    asked: tuple[str, ...] = ()
    offered_at: datetime | None = None
    due_at: datetime | None = None
    stage_due_at: datetime | None = None
    answered_at: datetime | None = None
    accepted_rep_id: str | None = None  # stays when the person was given back: who took care of them before
    is_overdue: bool = False
    is_settled: bool = False  # accepted, and the person is in a stage that takes no room
    closed_at: datetime | None = None
    closed_because: str | None = None
    merged_into: str | None = None

    @property
    def is_test(self) -> bool:
        return self.card.is_test

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def takes_room(self) -> bool:
        """It counts for the capacity of the rep who has it. Tests take no room of real people."""
        return self.rep_id is not None and self.state in ASKED | {State.ACCEPTED} and not self.is_settled and not self.is_test


@dataclass(frozen=True, slots=True)
class Offer:
    """One rep asked. `note` and `reason` are the rep's own words; `by` is who answered, None for a clock."""

    referral_id: str
    attempt: int
    rep_id: str
    offered_at: datetime
    due_at: datetime | None
    outcome: Outcome = Outcome.OPEN
    seen_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    note: str | None = None
    by: str | None = None
