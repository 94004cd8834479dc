"""What lifecycle is asked, and what its answers look like."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.web.fields import Moment
from contracts.values import Receipt
from people_kernel.api.pages import Current, NextCursor

_MOMENT = "2026-03-01T08:00:00Z"
_RULE = "From engaged if is_ready && is_reachable: to mql."
_NOTE = "Wants a quote for two sites"
Note = Annotated[
    str | None,
    Field(
        max_length=2000, description="In plain words, for whoever reads the receipt; null: nothing", examples=[_NOTE]
    ),
]
Reason = Annotated[
    str, Field(pattern="^[a-z][a-z0-9_]{0,49}$", description="A short code of your own", examples=["bad_timing"])
]
OccurredAt = Annotated[Moment | None, Field(description="When it happened; null: just now", examples=[_MOMENT])]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: Note = None
    occurred_at: OccurredAt = None


class Bant(BaseModel):
    """What the person said of budget, authority, need and timing; kept in the receipt."""

    model_config = ConfigDict(extra="forbid")

    budget: str | None = Field(
        default=None, max_length=200, description="What they can spend; null: not said", examples=["50,000 EUR"]
    )
    authority: str | None = Field(
        default=None, max_length=200, description="Who decides; null: not said", examples=["decides with the CFO"]
    )
    need: str | None = Field(
        default=None,
        max_length=1000,
        description="What they need it for; null: not said",
        examples=["replaces five old forklifts"],
    )
    timing: str | None = Field(
        default=None, max_length=200, description="By when they want it; null: not said", examples=["this quarter"]
    )


class QualifyRequest(_Request):
    """Sales found a real need."""

    bant: Bant | None = Field(
        default=None, description="What was learned of budget, authority, need and timing; null: nothing"
    )


class RecycleRequest(_Request):
    """Not now."""

    reason: Reason
    wake_at: Moment | None = Field(
        default=None,
        description="When to take this person up again; null: when they show interest",
        examples=["2026-09-01T08:00:00Z"],
    )


class DisqualifyRequest(_Request):
    """Never."""

    reason: Reason


class ReopenRequest(_Request):
    """After all."""

    to: str | None = Field(
        default=None,
        min_length=1,
        max_length=50,
        description="The stage to begin again in; null: what the process says",
        examples=["known"],
    )


class ClockView(BaseModel):
    """A clock that runs for this person."""

    name: str = Field(description="Which clock of the process", examples=["acceptance"])
    stage: str = Field(description="The stage that started it", examples=["mql"])
    started_at: AwareDatetime = Field(description="When it began to run, in UTC", examples=[_MOMENT])
    due_at: AwareDatetime = Field(description="When time is up, in UTC", examples=["2026-03-02T08:00:00Z"])
    breached_at: AwareDatetime | None = Field(
        description="When time was up, in UTC; it goes on until it is kept; null: there is time left",
        examples=["2026-03-02T08:00:00Z"],
    )


class PersonView(BaseModel):
    """Where a person is on the way."""

    person_id: str = Field(description="Who it is now; the survivor of every merge", examples=["per_01J8Z0"])
    graph_version: int = Field(description="Which grouping of fragments this rests on", examples=[2])
    is_test: bool = Field(description="Whether only test sources saw this person, or somebody marked them as a test")
    stage: str | None = Field(
        description="Whoever has not moved on is where everybody begins; null: they had not been seen `as_of` then",
        examples=["mql"],
    )
    title: str | None = Field(
        description="The stage in words; null where `kind` is", examples=["Marketing qualified lead"]
    )
    kind: str | None = Field(
        description="open, won, lost or parked; null: the process has no such stage any more", examples=["open"]
    )
    previous: str | None = Field(description="The stage before; null: there was none", examples=["engaged"])
    since: AwareDatetime | None = Field(
        description="When the stage was entered, by when things happened, in UTC; null: not seen by then",
        examples=[_MOMENT],
    )
    entered_at: AwareDatetime | None = Field(
        description="When that was decided, in UTC; null: they have not moved on", examples=[_MOMENT]
    )
    by: str | None = Field(description="Who decided; null: a rule", examples=["ada"])
    reason: str | None = Field(description="A human's reason code; null: none was given", examples=["bad_timing"])
    wake_at: AwareDatetime | None = Field(
        description="When this person is taken up again, in UTC; null: no moment was named, or with `as_of`",
        examples=["2026-09-01T08:00:00Z"],
    )
    clocks: list[ClockView] = Field(description="Those that run now, the most urgent first; none with `as_of`")
    possible: list[str] = Field(description="The verdicts that can be given now", examples=[["recycle", "disqualify"]])
    receipt: Receipt | None = Field(description="Why the person is in this stage; null: they have not moved on")


class StandingView(BaseModel):
    """Where somebody is, in short."""

    person_id: str = Field(description="Whom it is about", examples=["per_01J8Z0"])
    stage: str = Field(description="The stage they are in", examples=["mql"])
    since: AwareDatetime = Field(description="When it was entered, by when things happened, in UTC", examples=[_MOMENT])
    entered_at: AwareDatetime = Field(description="When that was decided, in UTC", examples=[_MOMENT])
    is_test: bool = Field(description="Whether only test sources saw this person, or somebody marked them as a test")


class PeoplePage(BaseModel):
    """One page of people, those who came last first."""

    items: list[StandingView] = Field(description="The people")
    next_cursor: NextCursor


class LookupAnswer(BaseModel):
    """The people found; unknown ids are left out."""

    items: list[PersonView] = Field(description="Each person once, by id")
    current: Current


class MoveView(BaseModel):
    """One step of the way."""

    move_id: str = Field(description="Which move", examples=["mov_01J8Z0"])
    stage: str = Field(description="The stage that was entered", examples=["mql"])
    previous: str | None = Field(description="The stage that was left; null: the first one", examples=["engaged"])
    occurred_at: AwareDatetime = Field(description="When what brought it about happened, in UTC", examples=[_MOMENT])
    at: AwareDatetime = Field(description="When it was decided, in UTC", examples=[_MOMENT])
    by: str | None = Field(description="Who decided; null: a rule", examples=["ada"])
    reason: str | None = Field(description="A human's reason code; null: none was given", examples=["bad_timing"])
    rule: str = Field(description="The rule that led here", examples=["ready_for_sales"])
    rulebook: str = Field(description="The version that the rule stands in", examples=["lifecycle@1"])
    fragment_id: str = Field(
        description="What the move hangs on; with it, it goes over in a split", examples=["frg_01J8Z0"]
    )
    receipt_id: str = Field(description="The receipt that says why", examples=["rcp_01J8Z0"])
    is_superseded: bool = Field(description="Another move of this person came after it, knowing of it")


class HistoryPage(BaseModel):
    """The way so far, the first step first."""

    items: list[MoveView] = Field(description="The moves")
    next_cursor: NextCursor


class StageView(BaseModel):
    """A stage of the process."""

    name: str = Field(description="Its code, by which it is asked for", examples=["mql"])
    title: str = Field(description="What people call it", examples=["Marketing qualified lead"])
    order: int = Field(description="How far it is: when people are merged, the furthest counts", examples=[60])
    kind: str = Field(description="open, won, lost or parked", examples=["open"])


class RuleView(BaseModel):
    """A rule of the process."""

    name: str = Field(description="By which receipts name it", examples=["ready_for_sales"])
    leaves: list[str] = Field(description="The stages that it lets people leave", examples=[["engaged"]])
    triggers: list[str] = Field(
        description="What brings it about; none: whatever becomes known", examples=[["referral_accepted"]]
    )
    when: str = Field(description="The condition, in CEL", examples=["is_ready && is_reachable"])
    to: str = Field(description="The stage that it leads to", examples=["mql"])
    choices: list[str] = Field(
        description="The stages that a human may choose in its place", examples=[["known", "sal"]]
    )
    reason: str = Field(
        description="What its receipts say, with placeholders for values", examples=["Engaged (cell {scores.cell})."]
    )
    sentence: str = Field(description="The whole rule in plain words", examples=[_RULE])


class ClockRuleView(BaseModel):
    """A clock of the process."""

    name: str = Field(description="By which people's clocks name it", examples=["acceptance"])
    starts: str = Field(description="The stage that starts it", examples=["mql"])
    stops: list[str] = Field(description="The stages of which any keeps it", examples=[["sal", "recycled"]])
    hours: float = Field(description="For how many hours it runs until time is up", examples=[24.0])
    remind_before_hours: float | None = Field(
        description="How many hours before time is up it reminds; null: it does not", examples=[4.0]
    )


class ProcessView(BaseModel):
    """The process that is in force."""

    rulebook: str = Field(description="The version that is in force", examples=["lifecycle@1"])
    title: str = Field(description="What the process is called", examples=["From an anonymous visit to money"])
    stages: list[StageView] = Field(description="Its stages, in the order of the rulebook")
    rules: list[RuleView] = Field(description="Its rules, in the order of the rulebook")
    clocks: list[ClockRuleView] = Field(description="Its clocks; empty: none runs")
