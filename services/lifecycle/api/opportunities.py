"""Deals that somebody works on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from chassis.auth import Caller, require
from chassis.context import Context
from chassis.errors import BadInput, problem_responses
from chassis.routes import Read, Write
from contracts.values import Money
from people_kernel.api.paging import from_cursor, to_cursor
from people_kernel.api.receipts import PersonNotFound
from people_kernel.store.placements import load_fragments_of, load_placements, survivors
from services.lifecycle.api.moments import happened
from services.lifecycle.api.opportunity_views import (
    AdvanceRequest,
    Amount,
    LoseRequest,
    Only,
    OpenRequest,
    OpportunitiesPage,
    OpportunityView,
    WinRequest,
)
from services.lifecycle.api.verdicts import MAY_JUDGE
from services.lifecycle.domain.opportunities import Opportunity
from services.lifecycle.handlers import deals
from services.lifecycle.handlers.deals import Told
from services.lifecycle.store import deals as store
from services.lifecycle.store.tables import FRAGMENT

router = APIRouter(tags=["opportunities"])

OpportunityId = Annotated[str, Path(min_length=1, max_length=64, description="An opportunity", examples=["opp_01J8Z0"])]
_PROBLEMS = problem_responses(403, 404, 409)
_THERE_ALREADY: dict[int | str, dict[str, Any]] = {
    200: {"model": OpportunityView, "description": "An opportunity with this external id is there already; it was brought up to date"}
}


@router.post("/v1/opportunities", status_code=201, responses={**_THERE_ALREADY, **_PROBLEMS})
async def open_opportunity(writing: Write, caller: Caller, body: OpenRequest, response: Response) -> OpportunityView:
    """There may be a deal; the person moves on. Telling the same `external_id` again changes name, amount and step of what is there."""
    require(caller, *MAY_JUDGE)
    told = Told(
        by=caller.subject,
        occurred_at=happened(body.occurred_at, writing.now),
        name=body.name,
        amount=_money(body.amount),
        step=body.step,
        external_id=body.external_id,
    )
    deal, is_new = await deals.open_deal(writing, body.person_id, told)
    response.status_code = 201 if is_new else 200
    return await _view(writing, deal)


@router.get("/v1/opportunities", responses=problem_responses(404))
async def list_opportunities(
    reading: Read,
    only: Annotated[Only, Query()],
) -> OpportunitiesPage:
    """Deals, the newest first."""
    place = from_cursor(only.cursor)
    fragment_ids = None if only.person_id is None else await _fragments(reading, only.person_id)
    wanted = store.Wanted(fragment_ids, only.status, only.include_test or only.person_id is not None, place, only.limit + 1)
    found = await store.list_deals(reading.session, wanted)
    items = await _views(reading, found[: only.limit])
    has_more = len(found) > only.limit
    return OpportunitiesPage(items=items, next_cursor=to_cursor(items[-1].created_at, items[-1].opportunity_id) if has_more else None)


@router.get("/v1/opportunities/{opportunity_id}", responses=problem_responses(404))
async def read_opportunity(reading: Read, opportunity_id: OpportunityId) -> OpportunityView:
    """One deal."""
    return await _view(reading, await deals.find_deal(reading, opportunity_id))


@router.post("/v1/opportunities/{opportunity_id}:advance", responses=_PROBLEMS)
async def advance_opportunity(writing: Write, caller: Caller, opportunity_id: OpportunityId, body: AdvanceRequest) -> OpportunityView:
    """Another step, or another amount. What is told already changes nothing."""
    require(caller, *MAY_JUDGE)
    if body.step is None and body.amount is None:
        raise BadInput("Nothing is told", field="body.step", remedy="Name step, amount, or both")
    told = Told(caller.subject, happened(body.occurred_at, writing.now), amount=_money(body.amount), step=body.step)
    return await _view(writing, await deals.advance_deal(writing, opportunity_id, told))


@router.post("/v1/opportunities/{opportunity_id}:win", responses=_PROBLEMS)
async def win_opportunity(writing: Write, caller: Caller, opportunity_id: OpportunityId, body: WinRequest) -> OpportunityView:
    """The deal was made; the person is a customer."""
    require(caller, *MAY_JUDGE)
    told = Told(caller.subject, happened(body.occurred_at, writing.now), amount=_money(body.amount))
    return await _view(writing, await deals.win_deal(writing, opportunity_id, told))


@router.post("/v1/opportunities/{opportunity_id}:lose", responses=_PROBLEMS)
async def lose_opportunity(writing: Write, caller: Caller, opportunity_id: OpportunityId, body: LoseRequest) -> OpportunityView:
    """There will be no deal. The person is lost when no other deal of theirs is open."""
    require(caller, *MAY_JUDGE)
    told = Told(caller.subject, happened(body.occurred_at, writing.now), reason=body.reason, note=body.note)
    return await _view(writing, await deals.lose_deal(writing, opportunity_id, told))


async def _fragments(reading: Context, person_id: str) -> list[str]:
    owner = (await survivors(reading.session, FRAGMENT, [person_id])).get(person_id)
    if owner is None:
        raise PersonNotFound(f"Nothing was ever heard of {person_id}")
    return (await load_fragments_of(reading.session, FRAGMENT, [owner]))[owner]


async def _view(context: Context, deal: Opportunity) -> OpportunityView:
    return (await _views(context, [deal]))[0]


async def _views(context: Context, found: Sequence[Opportunity]) -> list[OpportunityView]:
    placements = await load_placements(context.session, FRAGMENT, {deal.fragment_id for deal in found})
    fields = list(OpportunityView.model_fields)
    return [
        OpportunityView(person_id=placements[deal.fragment_id].person_id, **{name: getattr(deal, name) for name in fields if name != "person_id"})
        for deal in found
    ]


def _money(amount: Amount | None) -> Money | None:
    return None if amount is None else amount.money()
