"""Opportunities: deals that somebody works on. Opening one moves the person, and so do winning and losing it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contracts.events.lifecycle import OpportunityAdvanced, OpportunityEvent, OpportunityLost, OpportunityOpened, OpportunityWon
from contracts.values import Money
from services.lifecycle.domain.book import Book, Cause, told
from services.lifecycle.domain.moving import decide
from services.lifecycle.domain.saying import about
from services.lifecycle.domain.verdicts import NotPossible
from services.lifecycle.domain.vocabulary import LOST, OPPORTUNITY_OPENED, WON, Trigger

OPEN = "open"


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
class Change:
    """What is told about an opportunity; None says nothing."""

    name: str | None = None
    amount: Money | None = None
    step: str | None = None

    def of(self, deal: Opportunity) -> Opportunity:
        return replace(deal, name=self.name or deal.name, amount=self.amount or deal.amount, step=self.step or deal.step)


def open_deal(book: Book, person_id: str, deal: Opportunity, cause: Cause) -> Opportunity:
    """A new one. Raises NotPossible unless the process lets an opportunity be opened where the person is."""
    process, stage = book.process, book.stage_of(person_id)
    deal = replace(deal, is_test=book.card(person_id).is_test)
    opened = _say(book, OpportunityOpened, person_id, deal, cause)
    if stage in process.targets(OPPORTUNITY_OPENED) or process.is_won(stage):
        return deal
    if decide(book, person_id, told(opened, opened.occurred_at, cause.by), Trigger(OPPORTUNITY_OPENED, noted=_noted(deal))) is None:
        allowed = ", ".join((*process.leaves_from(OPPORTUNITY_OPENED), *sorted(process.targets(OPPORTUNITY_OPENED))))
        raise NotPossible(f"An opportunity cannot be opened for somebody in {stage}", f"Lead the person to one of these stages first: {allowed}")
    return deal


def advance_deal(book: Book, person_id: str, deal: Opportunity, change: Change, cause: Cause) -> Opportunity:
    """Another step, name or amount; nothing is said where nothing changes. Raises NotPossible when it is closed."""
    changed = change.of(deal)
    if changed == deal:
        return deal
    _refuse_closed(deal)
    _say(book, OpportunityAdvanced, person_id, changed, cause)
    return changed


def win_deal(book: Book, person_id: str, deal: Opportunity, change: Change, cause: Cause) -> Opportunity:
    """The deal was made. Raises NotPossible when it is lost."""
    if deal.status == "won":
        return deal
    _refuse_closed(deal)
    won = replace(change.of(deal), status="won", closed_at=cause.occurred_at)
    event = _say(book, OpportunityWon, person_id, won, cause)
    decide(book, person_id, told(event, event.occurred_at, cause.by), Trigger(WON, noted=_noted(won)))
    return won


def lose_deal(book: Book, person_id: str, deal: Opportunity, loss: tuple[str, str | None, int], cause: Cause) -> Opportunity:
    """There will be no deal. `loss` is the reason, a note, and how many other deals are open. Raises NotPossible when it is won."""
    if deal.status == "lost":
        return deal
    _refuse_closed(deal)
    reason, note, others = loss
    lost = replace(deal, status="lost", closed_at=cause.occurred_at, reason=reason, note=note)
    event = _say(book, OpportunityLost, person_id, lost, cause)
    noted = _noted(lost) | ({} if note is None else {"note": note})
    trigger = Trigger(LOST, {"opportunity.others_open": others, "verdict.reason": reason}, reason, noted=noted)
    decide(book, person_id, told(event, event.occurred_at, cause.by), trigger)
    return lost


def _refuse_closed(deal: Opportunity) -> None:
    if deal.status != OPEN:
        raise NotPossible(f"The opportunity {deal.opportunity_id} is {deal.status} already", "Open a new one")


def _noted(deal: Opportunity) -> dict[str, Any]:
    amount = {} if deal.amount is None else {"amount": f"{deal.amount.amount} {deal.amount.currency}"}
    return {"opportunity_id": deal.opportunity_id, "opportunity": deal.name, **amount}


def _say(book: Book, kind: type[OpportunityEvent], person_id: str, deal: Opportunity, cause: Cause) -> OpportunityEvent:
    event = kind(
        meta=cause.meta(kind.wire_name, deal.opportunity_id),
        **about(book, person_id),
        occurred_at=cause.occurred_at,
        by=cause.by,
        opportunity_id=deal.opportunity_id,
        name=deal.name,
        amount=deal.amount,
        step=deal.step,
        external_id=deal.external_id,
        **({"reason": deal.reason} if kind is OpportunityLost else {}),
    )
    book.said.append(event)
    return event
