"""Opportunities: opened, advanced, won, lost. The same told twice is told once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chassis.context import Context
from chassis.errors import Conflict, NotFound
from contracts.ids import derive_id, with_prefix
from contracts.values import Money
from people_kernel.store.placements import load_fragments_of
from services.lifecycle.domain import opportunities as domain
from services.lifecycle.domain.book import Book, Cause
from services.lifecycle.domain.opportunities import Change, Opportunity
from services.lifecycle.domain.verdicts import NotPossible
from services.lifecycle.handlers.rulebooks import process_of
from services.lifecycle.handlers.verdicts import NotPossibleNow, open_for
from services.lifecycle.handlers.walking import close
from services.lifecycle.store import deals as store
from services.lifecycle.store.tables import FRAGMENT


class OpportunityNotFound(NotFound):
    """There is no such opportunity."""


class BelongsToAnother(Conflict):
    """The external id is that of another person's opportunity."""


class TakenMeanwhile(Conflict):
    """Somebody else brought in the same opportunity at the same time."""


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody says of a deal, and when it happened."""

    by: str
    occurred_at: datetime
    name: str | None = None
    amount: Money | None = None
    step: str | None = None
    external_id: str | None = None
    reason: str | None = None
    note: str | None = None

    @property
    def change(self) -> Change:
        return Change(self.name, self.amount, self.step)


_Act = Callable[[Book, str, Opportunity, Cause], Opportunity]


async def open_deal(context: Context, person_id: str, told: Told) -> tuple[Opportunity, bool]:
    """The opportunity, and whether it is new. One with the same external id is brought up to date instead."""
    book, owner = await open_for(context, await process_of(context), person_id)
    if told.external_id is not None:
        found = await store.find_external(context.session, told.external_id)
        if found is not None:
            return await _bring_up_to_date(context, owner, found, told), False
    opportunity_id = derive_id("opp", context.now, owner, told.external_id or "", told.name or "", told.by, context.now.isoformat())
    deal = Opportunity(
        opportunity_id=opportunity_id,
        fragment_id=with_prefix("frg", owner),
        name=told.name or "",
        status=domain.OPEN,
        opened_at=told.occurred_at,
        created_at=context.now,
        created_by=told.by,
        amount=told.amount,
        step=told.step,
        external_id=told.external_id,
    )
    opened = _tried(lambda: domain.open_deal(book, owner, deal, _cause(context, "open", opportunity_id, told)))
    if not await store.add_deal(context.session, opened):
        raise TakenMeanwhile(f"{told.external_id} was brought in by somebody else", remedy="Send it again")
    await close(book, context)
    return opened, True


async def advance_deal(context: Context, opportunity_id: str, told: Told) -> Opportunity:
    """Another step or amount. Raises OpportunityNotFound, NotPossibleNow."""
    return await _act(
        context, opportunity_id, ("advance", told), lambda book, owner, deal, cause: domain.advance_deal(book, owner, deal, told.change, cause)
    )


async def win_deal(context: Context, opportunity_id: str, told: Told) -> Opportunity:
    """The deal was made. Raises OpportunityNotFound, NotPossibleNow."""
    return await _act(context, opportunity_id, ("win", told), lambda book, owner, deal, cause: domain.win_deal(book, owner, deal, told.change, cause))


async def lose_deal(context: Context, opportunity_id: str, told: Told) -> Opportunity:
    """There will be no deal. Raises OpportunityNotFound, NotPossibleNow."""
    deal = await find_deal(context, opportunity_id)
    _, owner = await open_for(context, await process_of(context), with_prefix("per", deal.fragment_id))
    owned = (await load_fragments_of(context.session, FRAGMENT, [owner]))[owner]
    others = await store.count_open(context.session, owned) - 1
    loss = (told.reason or "", told.note, max(0, others))
    return await _act(context, opportunity_id, ("lose", told), lambda book, owner, deal, cause: domain.lose_deal(book, owner, deal, loss, cause))


async def find_deal(context: Context, opportunity_id: str) -> Opportunity:
    """One by its id. Raises OpportunityNotFound."""
    found = await store.find_deal(context.session, opportunity_id)
    if found is None:
        raise OpportunityNotFound(f"There is no opportunity {opportunity_id}")
    return found


async def _bring_up_to_date(context: Context, owner: str, found: Opportunity, told: Told) -> Opportunity:
    _, whose = await open_for(context, await process_of(context), with_prefix("per", found.fragment_id))
    if whose != owner:
        remedy = f"Use an external id of its own, or name {whose}"
        raise BelongsToAnother(f"{told.external_id} is an opportunity of {whose}", field="body.external_id", remedy=remedy)
    return await advance_deal(context, found.opportunity_id, told)


async def _act(context: Context, opportunity_id: str, said: tuple[str, Told], act: _Act) -> Opportunity:
    """Lets `act` change a deal, and writes what came of it. The deal is read once its person is locked."""
    verb, told = said
    first = await find_deal(context, opportunity_id)
    book, owner = await open_for(context, await process_of(context), with_prefix("per", first.fragment_id))
    deal = await find_deal(context, opportunity_id)
    changed = _tried(lambda: act(book, owner, deal, _cause(context, verb, opportunity_id, told)))
    if changed != deal:
        await store.change_deal(context.session, changed)
        await close(book, context)
    return changed


def _tried(act: Callable[[], Opportunity]) -> Opportunity:
    try:
        return act()
    except NotPossible as refusal:
        raise NotPossibleNow(refusal.detail, remedy=refusal.instead) from None


def _cause(context: Context, verb: str, opportunity_id: str, told: Told) -> Cause:
    act_id = derive_id("act", context.now, verb, opportunity_id, context.now.isoformat())
    return Cause(act_id, context.now, told.occurred_at, act_id, by=told.by)
