"""What lifecycle is asked, and what its answers look like; people are shown,
however many, in a constant number of selects.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.context import Context
from chassis.web.fields import Moment
from contracts.ids import with_prefix
from contracts.values import Receipt
from people_kernel.api.pages import Current
from people_kernel.people import Placement, placement_in
from people_kernel.store.people import load_placements
from services.lifecycle.domain.process import LifecycleProcess
from services.lifecycle.domain.workspace import Clock, CurrentStage, Move, present
from services.lifecycle.rulebooks import process_of
from services.lifecycle.store import queries
from services.lifecycle.store.load import load_current_stages, load_running_clocks
from services.lifecycle.store.tables import FRAGMENT

Note = Annotated[str, Field(max_length=2000, description="In plain words, for whoever reads the receipt")]
Reason = Annotated[
    str, Field(pattern="^[a-z][a-z0-9_]{0,49}$", description="A short code of your own", examples=["bad_timing"])
]
OccurredAt = Annotated[
    Moment, Field(description="When it happened, if not just now", examples=["2026-03-01T08:00:00Z"])
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: Note | None = None
    occurred_at: OccurredAt | None = None


class Bant(BaseModel):
    """What the person said of budget, authority, need and timing; kept in the receipt."""

    model_config = ConfigDict(extra="forbid")

    budget: str | None = Field(default=None, max_length=200, examples=["50,000 EUR"])
    authority: str | None = Field(default=None, max_length=200, examples=["decides with the CFO"])
    need: str | None = Field(default=None, max_length=1000)
    timing: str | None = Field(default=None, max_length=200, examples=["this quarter"])


class QualifyRequest(_Request):
    """Sales found a real need."""

    bant: Bant | None = None


class RecycleRequest(_Request):
    """Not now."""

    reason: Reason
    wake_at: Moment | None = Field(
        default=None, description="When to take this person up again", examples=["2026-09-01T08:00:00Z"]
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
        description="The stage to begin again in; default: what the process says",
    )


class ClockView(BaseModel):
    """A clock that runs for this person."""

    name: str = Field(examples=["acceptance"])
    stage: str = Field(description="The stage that started it")
    started_at: AwareDatetime
    due_at: AwareDatetime
    breached_at: AwareDatetime | None = Field(description="When time was up; it goes on until it is kept")


class PersonView(BaseModel):
    """Where a person is on the way."""

    person_id: str = Field(examples=["per_01J8Z0"])
    graph_version: int = Field(description="Which grouping of fragments this rests on")
    is_test: bool
    stage: str | None = Field(
        description="Whoever has not moved on is where everybody begins; null: they had not been seen `as_of` then",
        examples=["mql"],
    )
    title: str | None = Field(description="The stage in words", examples=["Marketing qualified lead"])
    kind: str | None = Field(
        description="open, won, lost or parked; null: the process has no such stage any more", examples=["open"]
    )
    previous: str | None = Field(description="The stage before")
    since: AwareDatetime | None = Field(
        description="When the stage was entered, by when things happened; null: a stranger, who has not moved on"
    )
    entered_at: AwareDatetime | None = Field(description="When that was decided")
    by: str | None = Field(description="Who decided; null: a rule")
    reason: str | None = Field(description="A human's reason code")
    wake_at: AwareDatetime | None = Field(description="When this person is taken up again")
    clocks: list[ClockView] = Field(description="Those that run now, the most urgent first; none with `as_of`")
    possible: list[str] = Field(description="The verdicts that can be given now", examples=[["recycle", "disqualify"]])
    receipt: Receipt | None = Field(description="Why the person is in this stage; null: they have not moved on")


class StandingView(BaseModel):
    """Where somebody is, in short."""

    person_id: str
    stage: str
    since: AwareDatetime
    entered_at: AwareDatetime
    is_test: bool


class PeoplePage(BaseModel):
    """One page of people, those who came last first."""

    items: list[StandingView]
    next_cursor: str | None


class LookupAnswer(BaseModel):
    """The people found; unknown ids are left out."""

    items: list[PersonView]
    current: Current


class MoveView(BaseModel):
    """One step of the way."""

    move_id: str
    stage: str
    previous: str | None
    occurred_at: AwareDatetime
    at: AwareDatetime = Field(description="When it was decided")
    by: str | None
    reason: str | None
    rule: str
    rulebook: str = Field(examples=["lifecycle@1"])
    fragment_id: str = Field(description="What the move hangs on; with it, it goes over in a split")
    receipt_id: str
    is_superseded: bool = Field(description="Another move of this person came after it, knowing of it")


class HistoryPage(BaseModel):
    """The way so far, the first step first."""

    items: list[MoveView]
    next_cursor: str | None


class StageView(BaseModel):
    """A stage of the process."""

    name: str
    title: str
    order: int = Field(description="How far it is: when people are merged, the furthest counts")
    kind: str = Field(examples=["open"])


class RuleView(BaseModel):
    """A rule of the process."""

    name: str
    leaves: list[str] = Field(description="The stages that it lets people leave")
    triggers: list[str] = Field(description="What brings it about; none: whatever becomes known")
    when: str = Field(description="The condition, in CEL")
    to: str
    choices: list[str] = Field(description="What a human may choose in its place")
    reason: str
    sentence: str


class ClockRuleView(BaseModel):
    """A clock of the process."""

    name: str
    starts: str
    stops: list[str]
    hours: float
    remind_before_hours: float | None


class ProcessView(BaseModel):
    """The process that is in force."""

    rulebook: str = Field(examples=["lifecycle@1"])
    title: str
    stages: list[StageView]
    rules: list[RuleView]
    clocks: list[ClockRuleView]


async def show(context: Context, person_ids: Collection[str], as_of: datetime | None = None) -> dict[str, PersonView]:
    """Person -> view. These must be people who are there now."""
    session, process = context.session, await process_of(context)
    stages = await load_current_stages(session, person_ids)
    placements = await load_placements(session, FRAGMENT, [with_prefix("frg", person_id) for person_id in person_ids])
    histories = await queries.moves_of_people(session, person_ids, as_of)
    found = {person_id: present(moves, process) for person_id, moves in histories.items()}
    moves = {person_id: move for person_id, move in found.items() if move is not None}
    receipts = await queries.receipts_by_id(session, {move.receipt_id for move in moves.values()})
    wakes = await queries.wake_dates(session, {move.move_id for move in moves.values()}) if as_of is None else {}
    homes = {home for current in stages.values() for home in current.homes} if as_of is None else set()
    clocks = await load_running_clocks(session, homes)
    views = {}
    for person_id in person_ids:
        current = stages.get(person_id) or CurrentStage(person_id)
        theirs = sorted(
            (one for one in clocks.values() if one.fragment_id in current.homes),
            key=lambda one: (one.due_at, one.clock_id),
        )
        placement = placement_in(placements, with_prefix("frg", person_id))
        came_later = person_id in histories and person_id not in moves
        is_early = came_later or (as_of is not None and current.seen_at is not None and as_of < current.seen_at)
        view = _view(process, current, placement, moves.get(person_id), is_early=is_early)
        view.clocks = [_clock(clock) for clock in theirs]
        _explain(view, moves.get(person_id), receipts, wakes)
        views[person_id] = view
    return views


def _view(
    process: LifecycleProcess, current: CurrentStage, placement: Placement, move: Move | None, *, is_early: bool
) -> PersonView:
    """Whoever has not moved is where everybody begins, once they were seen."""
    stage = None if is_early else process.first if move is None else move.stage
    known = None if stage is None else process.stages.get(stage)
    return PersonView(
        person_id=current.person_id,
        graph_version=placement.graph_version,
        is_test=current.is_test,
        stage=stage,
        title=None if known is None else known.title,
        kind=None if known is None else known.kind,
        previous=None if move is None else move.previous,
        since=move.occurred_at if move is not None else None if is_early else current.seen_at,
        entered_at=None if move is None else move.at,
        by=None if move is None else move.by,
        reason=None if move is None else move.reason,
        wake_at=None,
        clocks=[],
        possible=list(process.possible(stage)),
        receipt=None,
    )


def _explain(view: PersonView, move: Move | None, receipts: dict[str, Receipt], wakes: dict[str, datetime]) -> None:
    if move is None:
        return
    view.wake_at = wakes.get(move.move_id)
    receipt = receipts.get(move.receipt_id)
    view.receipt = None if receipt is None else receipt.model_copy(update={"person_id": view.person_id})


def _clock(clock: Clock) -> ClockView:
    return ClockView(
        name=clock.name,
        stage=clock.stage,
        started_at=clock.started_at,
        due_at=clock.due_at,
        breached_at=clock.breached_at,
    )
