"""What lifecycle says: which stage somebody is in, which clock runs, what became of an opportunity."""

from __future__ import annotations

from typing import ClassVar

from pydantic import AwareDatetime

from contracts.events import rulebooks
from contracts.events.person import PersonEvent
from contracts.events.scoring import Attribute
from contracts.values import Money, Receipt, Scores


class LifecycleEvent(PersonEvent):
    """`occurred_at` is when it happened; `meta.at` when it was decided or
    told. `by` is who decided, None for a rule.
    """

    owner: ClassVar[str] = "lifecycle"

    account_id: str | None = None
    occurred_at: AwareDatetime
    by: str | None = None
    is_test: bool = False


class StageEntered(LifecycleEvent):
    """A person moved on, with everything the move was decided on, so that a hearer need not ask."""

    wire_name: ClassVar[str] = "lifecycle.stage.entered.v1"

    process: str = "default"
    stage: str
    previous: str | None = None  # None: the first stage
    reason: str | None = None  # a human's or a rep's reason code, e.g. bad_timing
    due_at: AwareDatetime | None = None  # when the clock that starts with this stage runs out
    attributes: dict[str, Attribute] = {}
    scores: Scores | None = None
    highlights: tuple[Receipt, ...] = ()  # what made the score, newest first, at most ten
    receipt: Receipt


class StageCorrected(LifecycleEvent):
    """The stage came out differently when people were merged or split; nothing that a
    move would set off may be set off again.
    """

    wire_name: ClassVar[str] = "lifecycle.stage.corrected.v1"

    process: str = "default"
    stage: str
    previous: str | None = None
    receipt: Receipt


class SlaEvent(LifecycleEvent):
    """A clock that marketing and sales agreed on."""

    clock: str  # e.g. acceptance
    stage: str
    started_at: AwareDatetime
    due_at: AwareDatetime


class SlaStarted(SlaEvent):
    """The clock runs."""

    wire_name: ClassVar[str] = "lifecycle.sla.started.v1"


class SlaReminded(SlaEvent):
    """Time is nearly up."""

    wire_name: ClassVar[str] = "lifecycle.sla.reminded.v1"


class SlaBreached(SlaEvent):
    """Time is up and nothing happened."""

    wire_name: ClassVar[str] = "lifecycle.sla.breached.v1"


class SlaKept(SlaEvent):
    """It was done: in time, or late after a breach."""

    wire_name: ClassVar[str] = "lifecycle.sla.kept.v1"

    was_breached: bool = False


class OpportunityEvent(LifecycleEvent):
    """A deal that somebody works on."""

    opportunity_id: str
    name: str
    amount: Money | None = None
    step: str | None = None  # the sales team's own word, e.g. proposal
    external_id: str | None = None


class OpportunityOpened(OpportunityEvent):
    """There may be a deal."""

    wire_name: ClassVar[str] = "lifecycle.opportunity.opened.v1"


class OpportunityAdvanced(OpportunityEvent):
    """The deal came to another step, or its amount changed."""

    wire_name: ClassVar[str] = "lifecycle.opportunity.advanced.v1"


class OpportunityWon(OpportunityEvent):
    """The deal was made."""

    wire_name: ClassVar[str] = "lifecycle.opportunity.won.v1"


class OpportunityLost(OpportunityEvent):
    """There will be no deal."""

    wire_name: ClassVar[str] = "lifecycle.opportunity.lost.v1"

    reason: str


class RulebookActivated(rulebooks.RulebookActivated):
    """From here on in the stream, another version of the lifecycle rulebook decides."""

    wire_name: ClassVar[str] = "lifecycle.rulebook.activated.v1"
    owner: ClassVar[str] = "lifecycle"
