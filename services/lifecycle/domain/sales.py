"""What sales says of people: verdicts on them, and the deals that are worked on.

A verdict (qualify, recycle, disqualify, reopen) is a fact; whether it may be given in a stage, the process says.
Opening an opportunity moves the person, and so do winning and losing it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from contracts.events.lifecycle import (
    OpportunityAdvanced,
    OpportunityEvent,
    OpportunityLost,
    OpportunityOpened,
    OpportunityWon,
)
from contracts.values import Money
from people_kernel.workspace import Cause, heard, requested
from services.lifecycle.domain.process import LOST, OPPORTUNITY_OPENED, RECYCLED, VERDICTS, WOKEN, WON, Trigger
from services.lifecycle.domain.transitions import arrive, decide
from services.lifecycle.domain.workspace import LifecycleWorkspace, about

WAKE = "wake"
"""The kind of timer; the key is that of the move that somebody stands on."""
OPEN = "open"
"""The status of a deal that is worked on."""


@dataclass(frozen=True, slots=True)
class SalesVerdict:
    """`verb` is one of VERDICTS; `to` the stage that was chosen, `wake_at` when to come back to this person."""

    verdict_id: str
    verb: str
    by: str
    at: datetime
    occurred_at: datetime
    reason: str | None = None
    note: str | None = None
    to: str | None = None
    wake_at: datetime | None = None
    bant: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trigger(self) -> Trigger:
        noted = {f"bant.{name}": value for name, value in self.bant.items() if value is not None}
        noted |= {} if self.note is None else {"note": self.note}
        noted |= {} if self.wake_at is None else {"wake_at": self.wake_at.isoformat()}
        return Trigger(
            VERDICTS[self.verb], {"verdict.reason": self.reason, "verdict.to": self.to}, self.reason, self.to, noted
        )

    @property
    def cause(self) -> Cause:
        return requested(self.verdict_id, self.by, self.at, self.occurred_at)


class NotPossible(ValueError):
    """The process does not allow this in the stage the person is in. `instead` says what it does allow."""

    def __init__(self, detail: str, instead: str) -> None:
        self.detail, self.instead = detail, instead
        super().__init__(detail)


def give(workspace: LifecycleWorkspace, person_id: str, verdict: SalesVerdict) -> bool:
    """Whether it was news; who is already where the verdict leads need not go there again. Raises NotPossible."""
    trigger, stage = verdict.trigger, workspace.stage_of(person_id)
    is_there = stage == verdict.to if verdict.to is not None else stage in workspace.process.targets(trigger.name)
    if is_there:
        arrive(workspace, person_id, verdict.cause)  # what a verdict is kept with is a move
    elif decide(workspace, person_id, verdict.cause, trigger) is None:
        raise _refusal(workspace, person_id, verdict)
    if verdict.wake_at is not None and trigger.name == RECYCLED:
        current = workspace.current_stage(person_id)
        assert current.move_id is not None
        # found again by the fragment of the move, so that a merge or a split in between does not matter
        workspace.set_timer(WAKE, current.move_id, verdict.wake_at, {"fragment_id": current.move_home})
        return True
    return not is_there


def wake(workspace: LifecycleWorkspace, move_id: str, fragment_id: str, cause: Cause) -> None:
    """The moment came that was set; whoever has moved since is left alone."""
    person_id = workspace.owner_of(fragment_id)
    if workspace.current_stage(person_id).move_id == move_id:
        decide(workspace, person_id, cause, Trigger(WOKEN))


def _refusal(workspace: LifecycleWorkspace, person_id: str, verdict: SalesVerdict) -> NotPossible:
    process, stage = workspace.process, workspace.stage_of(person_id)
    title = process.stages[stage].title if stage in process.stages else stage
    offered = process.offers(stage, verdict.trigger.name)
    if offered and verdict.to is not None:
        return NotPossible(
            f"From {stage} ({title}) nobody is led to {verdict.to} by :{verdict.verb}",
            f"Choose one of: {', '.join(offered)}",
        )
    possible = process.possible(stage)
    allowed = (
        f"Possible now: {', '.join(f':{verb}' for verb in possible)}. " if possible else "No verdict is possible now. "
    )
    leaves = ", ".join(process.leaves_from(verdict.trigger.name)) or "no stage"
    return NotPossible(
        f"Somebody in {stage} ({title}) cannot be led on by :{verdict.verb}",
        f"{allowed}:{verdict.verb} is for {leaves}",
    )


@dataclass(frozen=True, slots=True)
class Opportunity:
    """A deal; it belongs to whoever owns the fragment. `status` is open, won or lost."""

    opportunity_id: str
    fragment_id: str
    name: str
    status: str
    opened_at: datetime  # when it happened
    created_at: datetime  # when it was told
    created_by: str
    amount: Money | None = None
    step: str | None = None
    external_id: str | None = None
    closed_at: datetime | None = None
    reason: str | None = None
    note: str | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class DealChange:
    """What is told about an opportunity; None says nothing."""

    name: str | None = None
    amount: Money | None = None
    step: str | None = None

    def of(self, deal: Opportunity) -> Opportunity:
        return replace(
            deal, name=self.name or deal.name, amount=self.amount or deal.amount, step=self.step or deal.step
        )


def open_deal(workspace: LifecycleWorkspace, person_id: str, deal: Opportunity, cause: Cause) -> Opportunity:
    """A new one. Raises NotPossible unless the process lets an opportunity be opened where the person is."""
    process, stage = workspace.process, workspace.stage_of(person_id)
    deal = replace(deal, is_test=workspace.card(person_id).is_test)
    opened = _say(workspace, OpportunityOpened, person_id, deal, cause)
    if stage in process.targets(OPPORTUNITY_OPENED) or process.is_won(stage):
        return deal
    if (
        decide(
            workspace,
            person_id,
            heard(opened, opened.occurred_at, by=cause.by),
            Trigger(OPPORTUNITY_OPENED, noted=_noted(deal)),
        )
        is None
    ):
        allowed = ", ".join((*process.leaves_from(OPPORTUNITY_OPENED), *sorted(process.targets(OPPORTUNITY_OPENED))))
        raise NotPossible(
            f"An opportunity cannot be opened for somebody in {stage}",
            f"Lead the person to one of these stages first: {allowed}",
        )
    return deal


def advance_deal(
    workspace: LifecycleWorkspace, person_id: str, deal: Opportunity, change: DealChange, cause: Cause
) -> Opportunity:
    """Another step, name or amount; nothing is said where nothing changes. Raises NotPossible when it is closed."""
    changed = change.of(deal)
    if changed == deal:
        return deal
    _refuse_closed(deal)
    _say(workspace, OpportunityAdvanced, person_id, changed, cause)
    return changed


def win_deal(
    workspace: LifecycleWorkspace, person_id: str, deal: Opportunity, change: DealChange, cause: Cause
) -> Opportunity:
    """The deal was made. Raises NotPossible when it is lost."""
    if deal.status == "won":
        return deal
    _refuse_closed(deal)
    won = replace(change.of(deal), status="won", closed_at=cause.occurred_at)
    event = _say(workspace, OpportunityWon, person_id, won, cause)
    decide(workspace, person_id, heard(event, event.occurred_at, by=cause.by), Trigger(WON, noted=_noted(won)))
    return won


def lose_deal(
    workspace: LifecycleWorkspace, person_id: str, deal: Opportunity, loss: tuple[str, str | None, int], cause: Cause
) -> Opportunity:
    """There will be no deal.

    `loss` is the reason, a note, and how many other deals are open. Raises NotPossible when it is won.
    """
    if deal.status == "lost":
        return deal
    _refuse_closed(deal)
    reason, note, others = loss
    lost = replace(deal, status="lost", closed_at=cause.occurred_at, reason=reason, note=note)
    event = _say(workspace, OpportunityLost, person_id, lost, cause)
    noted = _noted(lost) | ({} if note is None else {"note": note})
    trigger = Trigger(LOST, {"opportunity.others_open": others, "verdict.reason": reason}, reason, noted=noted)
    decide(workspace, person_id, heard(event, event.occurred_at, by=cause.by), trigger)
    return lost


def _refuse_closed(deal: Opportunity) -> None:
    if deal.status != OPEN:
        raise NotPossible(f"The opportunity {deal.opportunity_id} is {deal.status} already", "Open a new one")


def _noted(deal: Opportunity) -> dict[str, Any]:
    amount = {} if deal.amount is None else {"amount": f"{deal.amount.amount} {deal.amount.currency}"}
    return {"opportunity_id": deal.opportunity_id, "opportunity": deal.name, **amount}


def _say(
    workspace: LifecycleWorkspace, kind: type[OpportunityEvent], person_id: str, deal: Opportunity, cause: Cause
) -> OpportunityEvent:
    event = kind(
        meta=cause.meta(kind.wire_name, deal.opportunity_id),
        **about(workspace, person_id),
        occurred_at=cause.occurred_at,
        by=cause.by,
        opportunity_id=deal.opportunity_id,
        name=deal.name,
        amount=deal.amount,
        step=deal.step,
        external_id=deal.external_id,
        **({"reason": deal.reason} if kind is OpportunityLost else {}),
    )
    workspace.said.append(event)
    return event
