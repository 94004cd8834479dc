"""What people ask for: verdicts on people, and opportunities opened, advanced, won and lost.

The same told twice is told once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.context import Context
from chassis.errors import BadInput, Conflict, NotFound
from contracts.ids import derive_id, is_id, with_prefix
from contracts.values import Money
from people_kernel.errors import PersonNotFound
from people_kernel.store.people import load_fragments_of, survivors
from people_kernel.workspace import Cause, requested
from services.lifecycle.domain import sales
from services.lifecycle.domain.process import LifecycleProcess
from services.lifecycle.domain.sales import DealChange, NotPossible, Opportunity, SalesVerdict
from services.lifecycle.domain.workspace import LifecycleWorkspace
from services.lifecycle.rulebooks import process_of
from services.lifecycle.store import load, write
from services.lifecycle.store.tables import FRAGMENT


class NotPossibleNow(Conflict):
    """The process does not allow this in the stage the person is in."""

    slug = "not-possible-now"


class OpportunityNotFound(NotFound):
    """There is no such opportunity."""

    slug = "opportunity-not-found"


class BelongsToAnother(Conflict):
    """The external id is that of another person's opportunity."""

    slug = "belongs-to-another"


class TakenMeanwhile(Conflict):
    """Somebody else brought in the same opportunity at the same time."""

    slug = "taken-meanwhile"


@dataclass(frozen=True, slots=True)
class DealReport:
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
    def change(self) -> DealChange:
        """What of it changes a deal."""
        return DealChange(self.name, self.amount, self.step)


async def give_verdict(context: Context, person_id: str, verdict: SalesVerdict) -> str:
    """Records a verdict with what it leads to; answers the person it was given on.

    Raises PersonNotFound, NotPossibleNow.
    """
    process = await process_of(context)
    _refuse_unknown_stage(process, verdict)
    workspace, owner = await _load_person(context, process, person_id)
    verdict_id = derive_id("vrd", verdict.at, verdict.verb, owner, verdict.by, verdict.at.isoformat())
    given = replace(verdict, verdict_id=verdict_id)
    try:
        is_news = sales.give(workspace, owner, given)
    except NotPossible as refusal:
        _refuse_nobody(workspace, owner)
        raise NotPossibleNow(refusal.detail, remedy=refusal.instead) from None
    if is_news:
        await write.workspace(context.session, workspace)
        await write.verdict(context.session, given, workspace.current_stage(owner))
        workspace.hand_over(context)
    return owner


async def open_deal(context: Context, person_id: str, report: DealReport) -> tuple[Opportunity, bool]:
    """The opportunity, and whether it is new. One with the same external id is brought up to date instead.

    Raises PersonNotFound, NotPossibleNow, BelongsToAnother, TakenMeanwhile.
    """
    known = await _find_external(context, report)
    if known is not None:
        return await _bring_up_to_date(context, person_id, known, report), False
    workspace, owner = await _load_person(context, await process_of(context), person_id)
    known = await _find_external(context, report)  # it may have come in while the person was waited for
    if known is not None:
        return await _bring_up_to_date(context, person_id, known, report), False
    deal = _new_deal(context, owner, report)
    cause = _cause(context, "open", deal.opportunity_id, report)
    opened = _tried(lambda: sales.open_deal(workspace, owner, deal, cause))
    if not await write.new_deal(context.session, opened):
        raise TakenMeanwhile(f"{report.external_id} was brought in by somebody else", remedy="Send it again")
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)
    return opened, True


async def advance_deal(context: Context, opportunity_id: str, report: DealReport) -> Opportunity:
    """Another step or amount. Raises OpportunityNotFound, NotPossibleNow."""
    workspace, owner, deal = await _load_deal(context, opportunity_id)
    cause = _cause(context, "advance", opportunity_id, report)
    changed = _tried(lambda: sales.advance_deal(workspace, owner, deal, report.change, cause))
    return await _write_deal(context, workspace, deal, changed)


async def win_deal(context: Context, opportunity_id: str, report: DealReport) -> Opportunity:
    """The deal was made. Raises OpportunityNotFound, NotPossibleNow."""
    workspace, owner, deal = await _load_deal(context, opportunity_id)
    cause = _cause(context, "win", opportunity_id, report)
    changed = _tried(lambda: sales.win_deal(workspace, owner, deal, report.change, cause))
    return await _write_deal(context, workspace, deal, changed)


async def lose_deal(context: Context, opportunity_id: str, report: DealReport) -> Opportunity:
    """There will be no deal. Raises OpportunityNotFound, NotPossibleNow."""
    workspace, owner, deal = await _load_deal(context, opportunity_id)
    owned = (await load_fragments_of(context.session, FRAGMENT, [owner]))[owner]
    others = await load.count_open_deals(context.session, owned) - 1
    loss = (report.reason or "", report.note, max(0, others))
    cause = _cause(context, "lose", opportunity_id, report)
    changed = _tried(lambda: sales.lose_deal(workspace, owner, deal, loss, cause))
    return await _write_deal(context, workspace, deal, changed)


async def find_deal(context: Context, opportunity_id: str) -> Opportunity:
    """One by its id. Raises OpportunityNotFound."""
    found = await load.find_deal(context.session, opportunity_id)
    if found is None:
        raise OpportunityNotFound(f"There is no opportunity {opportunity_id}")
    return found


async def find_owner(context: Context, person_id: str) -> str:
    """Who answers to the id. Raises PersonNotFound."""
    owner = (await survivors(context.session, FRAGMENT, [person_id])).get(person_id)
    if owner is None:
        raise PersonNotFound(f"Nothing was ever heard of {person_id}")
    return owner


async def _load_person(context: Context, process: LifecycleProcess, person_id: str) -> tuple[LifecycleWorkspace, str]:
    """The workspace of whoever answers to the id, and who that is. Raises PersonNotFound."""
    if not is_id("per", person_id):
        raise PersonNotFound(f"Nothing was ever heard of {person_id}")
    fragment_id = with_prefix("frg", person_id)
    workspace = await load.workspace(context.session, process, [fragment_id])
    return workspace, workspace.owner_of(fragment_id)


async def _load_deal(context: Context, opportunity_id: str) -> tuple[LifecycleWorkspace, str, Opportunity]:
    """A deal, read once its person is locked, with the workspace of that person. Raises OpportunityNotFound."""
    fragment_id = (await find_deal(context, opportunity_id)).fragment_id
    workspace = await load.workspace(context.session, await process_of(context), [fragment_id])
    return workspace, workspace.owner_of(fragment_id), await find_deal(context, opportunity_id)


async def _find_external(context: Context, report: DealReport) -> Opportunity | None:
    return None if report.external_id is None else await load.find_external_deal(context.session, report.external_id)


async def _bring_up_to_date(context: Context, person_id: str, known: Opportunity, report: DealReport) -> Opportunity:
    """The opportunity that was brought in before. Raises PersonNotFound, BelongsToAnother."""
    workspace, whose, deal = await _load_deal(context, known.opportunity_id)
    owner = await find_owner(context, person_id)  # now that nobody else decides about who has the deal
    if whose != owner:
        # not of whom: the caller may not be allowed to see them
        remedy = "Use an external id of its own, or name the person whose opportunity it is"
        raise BelongsToAnother(
            f"{report.external_id} is an opportunity of somebody else", field="body.external_id", remedy=remedy
        )
    cause = _cause(context, "advance", deal.opportunity_id, report)
    changed = _tried(lambda: sales.advance_deal(workspace, owner, deal, report.change, cause))
    return await _write_deal(context, workspace, deal, changed)


async def _write_deal(
    context: Context, workspace: LifecycleWorkspace, deal: Opportunity, changed: Opportunity
) -> Opportunity:
    if changed != deal:
        await write.changed_deal(context.session, changed)
        await write.workspace(context.session, workspace)
        workspace.hand_over(context)
    return changed


def _new_deal(context: Context, owner: str, report: DealReport) -> Opportunity:
    told = (report.external_id or "", report.name or "", report.by)
    return Opportunity(
        opportunity_id=derive_id("opp", context.now, owner, *told, context.now.isoformat()),
        fragment_id=with_prefix("frg", owner),
        name=report.name or "",
        status=sales.OPEN,
        opened_at=report.occurred_at,
        created_at=context.now,
        created_by=report.by,
        amount=report.amount,
        step=report.step,
        external_id=report.external_id,
    )


def _tried(act: Callable[[], Opportunity]) -> Opportunity:
    """What the domain makes of it. Raises NotPossibleNow."""
    try:
        return act()
    except NotPossible as refusal:
        raise NotPossibleNow(refusal.detail, remedy=refusal.instead) from None


def _cause(context: Context, verb: str, opportunity_id: str, report: DealReport) -> Cause:
    act_id = derive_id("act", context.now, verb, opportunity_id, context.now.isoformat())
    return requested(act_id, report.by, context.now, report.occurred_at)


def _refuse_nobody(workspace: LifecycleWorkspace, person_id: str) -> None:
    """Raises PersonNotFound for somebody of whom nothing is kept: more likely a slip of the pen than a stranger."""
    if not workspace.keeps(person_id):
        raise PersonNotFound(f"Nothing was ever heard of {person_id}")


def _refuse_unknown_stage(process: LifecycleProcess, verdict: SalesVerdict) -> None:
    if verdict.to is not None and verdict.to not in process.stages:
        remedy = f"Known are: {', '.join(process.stages)}"
        raise BadInput(f"There is no stage {verdict.to}", field="body.to", remedy=remedy)
