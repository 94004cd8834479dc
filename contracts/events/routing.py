"""What routing says: who was asked to take care of whom, what they answered, and the alert that told them."""

from __future__ import annotations

from typing import ClassVar

from pydantic import AwareDatetime

from contracts.envelope import Event
from contracts.events import rulebooks
from contracts.events.person import PersonEvent
from contracts.events.scoring import Attribute
from contracts.values import Receipt, Scores


class ReferralEvent(PersonEvent):
    """One person referred to one rep. `attempt` counts the reps who were asked, from 1."""

    owner: ClassVar[str] = "routing"

    referral_id: str
    rep_id: str
    attempt: int
    stage: str  # the stage that brought the referral about
    account_id: str | None = None
    occurred_at: AwareDatetime
    by: str | None = None  # who did it, None for a rule or a clock
    is_test: bool = False


class ReferralOffered(ReferralEvent):
    """A rep is asked to take over until `due_at`."""

    wire_name: ClassVar[str] = "routing.referral.offered.v1"

    due_at: AwareDatetime
    receipt: Receipt


class ReferralSeen(ReferralEvent):
    """The rep looked at it."""

    wire_name: ClassVar[str] = "routing.referral.seen.v1"


class ReferralAccepted(ReferralEvent):
    """The rep takes care of this person."""

    wire_name: ClassVar[str] = "routing.referral.accepted.v1"

    receipt: Receipt


class ReferralReturned(ReferralEvent):
    """The rep gives this person back. With `wrong_rep` another one is asked;
    any other reason is lifecycle's to act on.
    """

    wire_name: ClassVar[str] = "routing.referral.returned.v1"

    reason: str  # not_a_fit, bad_timing, bad_data, no_answer, wrong_rep, other
    note: str | None = None
    receipt: Receipt


class ReferralExpired(ReferralEvent):
    """The rep did not answer in time. `is_exhausted`: nobody is left to ask, and it waits for whoever takes it."""

    wire_name: ClassVar[str] = "routing.referral.expired.v1"

    is_exhausted: bool = False
    receipt: Receipt


class ReferralReassigned(ReferralEvent):
    """A human gave it to another rep."""

    wire_name: ClassVar[str] = "routing.referral.reassigned.v1"

    previous_rep_id: str | None = None
    receipt: Receipt


class AlertRaised(PersonEvent):
    """What a rep gets to see: who, why, until when, and what to do. `meta.event_id` is the alert's id.

    It is also published for the rep alone, under the same id: `alerts.rep.<rep_id>.<kind>`, or
    `alerts.sink.<rep_id>.<kind>` for tests.
    """

    wire_name: ClassVar[str] = "routing.alert.raised.v1"
    owner: ClassVar[str] = "routing"

    rep_id: str
    kind: str  # offered, reminded, withdrawn
    referral_id: str
    headline: str
    occurred_at: AwareDatetime
    due_at: AwareDatetime | None = None
    stage: str
    account_id: str | None = None
    attributes: dict[str, Attribute] = {}
    scores: Scores | None = None
    because: tuple[Receipt, ...] = ()  # the assignment, the stage move, then what made the score, newest first
    actions: dict[str, str] = {}  # what can be done -> method and path at the gateway
    is_test: bool = False

    def subjects(self, lanes: int) -> tuple[str, ...]:
        whose = "sink" if self.is_test else "rep"
        return (*super().subjects(lanes), f"alerts.{whose}.{self.rep_id}.{self.kind}")


class RepChanged(Event):
    """A rep came, changed or left."""

    wire_name: ClassVar[str] = "routing.rep.changed.v1"
    owner: ClassVar[str] = "routing"

    rep_id: str
    name: str
    email: str | None = None
    teams: tuple[str, ...] = ()
    weight: int
    is_active: bool
    external_id: str | None = None

    @property
    def lane_key(self) -> str:
        return self.rep_id


class RulebookActivated(rulebooks.RulebookActivated):
    """From here on in the stream, another version of the routing rulebook decides."""

    wire_name: ClassVar[str] = "routing.rulebook.activated.v1"
    owner: ClassVar[str] = "routing"
