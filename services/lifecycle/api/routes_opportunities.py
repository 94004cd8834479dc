"""Deals that somebody works on: what is asked, and what is answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.context import Context
from chassis.errors import BadInput
from chassis.web.auth import Caller, require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write
from contracts.values import Money
from people_kernel.api.pages import CURSOR, AmongRequest, NextCursor, from_cursor, to_cursor
from people_kernel.store.people import load_fragments_of, load_placements
from services.lifecycle import commands
from services.lifecycle.api.routes_people import MAY_JUDGE, happened
from services.lifecycle.api.views import Note, OccurredAt, Reason
from services.lifecycle.commands import DealReport
from services.lifecycle.domain.sales import Opportunity
from services.lifecycle.store import queries
from services.lifecycle.store.tables import FRAGMENT

_MOMENT = "2026-03-01T08:00:00Z"
Status = Literal["open", "won", "lost"]
Step = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=100,
        description="Your own word for how far it is; null: not told",
        examples=["proposal"],
    ),
]


class Amount(BaseModel):
    """An amount in a currency; decimal text, so that nobody rounds it."""

    model_config = ConfigDict(extra="forbid")

    amount: str = Field(
        pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$", description="Decimal text with a point", examples=["12500.00"]
    )
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217", examples=["EUR"])

    def money(self) -> Money:
        return Money(amount=Decimal(self.amount), currency=self.currency)


_Amount = Annotated[Amount | None, Field(description="What it is worth; null: not told")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    occurred_at: OccurredAt = None


class Only(BaseModel):
    """Which deals to list."""

    person_id: str | None = Field(
        default=None, min_length=1, max_length=64, description="Only those of this person", examples=["per_01J8Z0"]
    )
    status: Status | None = Field(default=None, description="Only those that are open, won or lost", examples=["open"])
    include_test: bool = Field(
        default=False, description="Those of test people too; a person who is named is always answered for"
    )
    cursor: str | None = Field(
        default=None, max_length=1_000, description="`next_cursor` of the page before", examples=[CURSOR]
    )
    limit: int = Field(default=50, ge=1, le=200, description="Items on a page at most", examples=[50])


class OpenRequest(_Request):
    """There may be a deal."""

    person_id: str = Field(
        min_length=1, max_length=64, description="Who may buy; an absorbed id works too", examples=["per_01J8Z0"]
    )
    name: str = Field(
        min_length=1, max_length=200, description="What you call the deal", examples=["Forklifts for Lübeck"]
    )
    amount: _Amount = None
    step: Step = None
    external_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Your system's id; the same one brings the deal up to date; null: it has none",
        examples=["006-4711"],
    )


class AdvanceRequest(_Request):
    """Another step, or another amount."""

    step: Step = None
    amount: _Amount = None


class WinRequest(_Request):
    """The deal was made."""

    amount: _Amount = None


class LoseRequest(_Request):
    """There will be no deal."""

    reason: Reason
    note: Note = None


class OpportunityView(BaseModel):
    """A deal."""

    opportunity_id: str = Field(description="Which opportunity", examples=["opp_01J8Z0"])
    person_id: str = Field(description="Who it belongs to now", examples=["per_01J8Z0"])
    name: str = Field(description="What sales calls the deal", examples=["Forklifts for Lübeck"])
    status: Status = Field(description="open: somebody works on it; won: it was made; lost: there is none")
    amount: Money | None = Field(description="What it is worth; null: nobody said")
    step: str | None = Field(description="Sales' own word for how far it is; null: not told", examples=["proposal"])
    external_id: str | None = Field(description="Your system's id; null: it has none", examples=["006-4711"])
    opened_at: AwareDatetime = Field(description="When it was opened, in UTC", examples=[_MOMENT])
    created_at: AwareDatetime = Field(description="When that was told, in UTC", examples=[_MOMENT])
    created_by: str = Field(description="Who told it", examples=["ada"])
    closed_at: AwareDatetime | None = Field(
        description="When it was won or lost, in UTC; null: it is open", examples=["2026-04-01T08:00:00Z"]
    )
    reason: str | None = Field(description="Why it was lost, as a code; null: it is not lost", examples=["no_budget"])
    note: str | None = Field(description="What was said about the loss; null: nothing", examples=["Bought elsewhere"])
    is_test: bool = Field(description="Whether it is a test person's")


class OpportunitiesPage(BaseModel):
    """One page of opportunities, the newest first."""

    items: list[OpportunityView] = Field(description="The deals")
    next_cursor: NextCursor


router = APIRouter(tags=["opportunities"])

OpportunityId = Annotated[str, Path(min_length=1, max_length=64, description="An opportunity", examples=["opp_01J8Z0"])]
_PROBLEMS = problem_responses(403, 404, 409)
_THERE_ALREADY: dict[int | str, dict[str, Any]] = {
    200: {
        "model": OpportunityView,
        "description": "An opportunity with this external id is there already; it was brought up to date",
    }
}


@router.post("/v1/opportunities", status_code=201, responses={**_THERE_ALREADY, **_PROBLEMS})
async def open_opportunity(writing: Write, caller: Caller, body: OpenRequest, response: Response) -> OpportunityView:
    """There may be a deal; the person moves on. Telling the same `external_id` again
    changes name, amount and step of what is there.
    """
    require(caller, *MAY_JUDGE)
    report = DealReport(
        by=caller.subject,
        occurred_at=happened(body.occurred_at, writing.now),
        name=body.name,
        amount=_money(body.amount),
        step=body.step,
        external_id=body.external_id,
    )
    deal, is_new = await commands.open_deal(writing, body.person_id, report)
    response.status_code = 201 if is_new else 200
    return await _view(writing, deal)


@router.get("/v1/opportunities", responses=problem_responses(404))
async def list_opportunities(
    reading: Read,
    only: Annotated[Only, Query()],
) -> OpportunitiesPage:
    """Deals, the newest first."""
    fragment_ids = None if only.person_id is None else await _fragments(reading, only.person_id)
    return await _page(reading, only, fragment_ids)


@router.post("/v1/opportunities:among")
async def list_opportunities_among(
    reading: Read, body: AmongRequest, only: Annotated[Only, Query()]
) -> OpportunitiesPage:
    """The list of deals, of these people alone; without `person_id`."""
    owned = await load_fragments_of(reading.session, FRAGMENT, body.person_ids)
    return await _page(reading, only, [one for fragments in owned.values() for one in fragments])


async def _page(reading: Context, only: Only, fragment_ids: Collection[str] | None) -> OpportunitiesPage:
    with_tests = only.include_test or only.person_id is not None
    wanted = queries.DealFilter(fragment_ids, only.status, with_tests, from_cursor(only.cursor), only.limit + 1)
    found = await queries.list_deals(reading.session, wanted)
    items = await _views(reading, found[: only.limit])
    has_more = len(found) > only.limit
    return OpportunitiesPage(
        items=items, next_cursor=to_cursor(items[-1].created_at, items[-1].opportunity_id) if has_more else None
    )


@router.get("/v1/opportunities/{opportunity_id}", responses=problem_responses(404))
async def read_opportunity(reading: Read, opportunity_id: OpportunityId) -> OpportunityView:
    """One deal."""
    return await _view(reading, await commands.find_deal(reading, opportunity_id))


@router.post("/v1/opportunities/{opportunity_id}:advance", responses=_PROBLEMS)
async def advance_opportunity(
    writing: Write, caller: Caller, opportunity_id: OpportunityId, body: AdvanceRequest
) -> OpportunityView:
    """Another step, or another amount. What is told already changes nothing."""
    require(caller, *MAY_JUDGE)
    if body.step is None and body.amount is None:
        raise BadInput("Nothing is told", field="body.step", remedy="Name step, amount, or both")
    report = DealReport(
        caller.subject, happened(body.occurred_at, writing.now), amount=_money(body.amount), step=body.step
    )
    return await _view(writing, await commands.advance_deal(writing, opportunity_id, report))


@router.post("/v1/opportunities/{opportunity_id}:win", responses=_PROBLEMS)
async def win_opportunity(
    writing: Write, caller: Caller, opportunity_id: OpportunityId, body: WinRequest
) -> OpportunityView:
    """The deal was made; the person is a customer."""
    require(caller, *MAY_JUDGE)
    report = DealReport(caller.subject, happened(body.occurred_at, writing.now), amount=_money(body.amount))
    return await _view(writing, await commands.win_deal(writing, opportunity_id, report))


@router.post("/v1/opportunities/{opportunity_id}:lose", responses=_PROBLEMS)
async def lose_opportunity(
    writing: Write, caller: Caller, opportunity_id: OpportunityId, body: LoseRequest
) -> OpportunityView:
    """There will be no deal. The person is lost when no other deal of theirs is open."""
    require(caller, *MAY_JUDGE)
    report = DealReport(caller.subject, happened(body.occurred_at, writing.now), reason=body.reason, note=body.note)
    return await _view(writing, await commands.lose_deal(writing, opportunity_id, report))


async def _fragments(reading: Context, person_id: str) -> list[str]:
    """Of whoever answers to the id. Raises PersonNotFound."""
    owner = await commands.find_owner(reading, person_id)
    return (await load_fragments_of(reading.session, FRAGMENT, [owner]))[owner]


async def _view(context: Context, deal: Opportunity) -> OpportunityView:
    return (await _views(context, [deal]))[0]


async def _views(context: Context, found: Sequence[Opportunity]) -> list[OpportunityView]:
    placements = await load_placements(context.session, FRAGMENT, {deal.fragment_id for deal in found})
    fields = list(OpportunityView.model_fields)
    return [
        OpportunityView(
            person_id=placements[deal.fragment_id].person_id,
            **{name: getattr(deal, name) for name in fields if name != "person_id"},
        )
        for deal in found
    ]


def _money(amount: Amount | None) -> Money | None:
    return None if amount is None else amount.money()
