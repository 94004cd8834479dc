"""Costs over HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.auth import Caller, require
from chassis.errors import problem_responses
from chassis.routes import Read, Write
from chassis.store.statements import Row
from contracts.values import Money
from people_kernel.api.paging import Cursor, Limit, from_cursor, to_cursor
from services.metrics.api.fields import MAY_READ, MAY_WRITE, Day
from services.metrics.domain.money import in_cents
from services.metrics.handlers.campaigns import Cost, record_cost
from services.metrics.store.campaigns import costs_page

router = APIRouter(tags=["costs"])


class CostRequest(BaseModel):
    """Money that was spent on a campaign; a negative amount takes back what was recorded too much."""

    model_config = ConfigDict(extra="forbid")

    campaign_id: str = Field(min_length=1, max_length=64, examples=["cmp_01J8Z0"])
    amount: Money
    incurred_on: Day = Field(description="A day of the reporting time zone")
    note: Annotated[str | None, Field(default=None, max_length=1_000)]
    external_id: Annotated[str | None, Field(default=None, min_length=1, max_length=200, description="Its id elsewhere; the same cost is kept once")]


class CostView(CostRequest):
    """A cost."""

    cost_id: str = Field(examples=["cst_01J8Z0"])
    recorded_at: AwareDatetime
    recorded_by: str


class CostsPage(BaseModel):
    """One page of costs."""

    items: list[CostView]
    next_cursor: str | None


@router.post(
    "/v1/costs", status_code=201, responses={200: {"model": CostView, "description": "It was recorded before"}, **problem_responses(403, 409)}
)
async def create_cost(body: CostRequest, writing: Write, caller: Caller, response: Response) -> CostView:
    """Records a cost. Sent again under its external id it answers with what was recorded (200), or refuses other content (409)."""
    require(caller, *MAY_WRITE)
    cost = Cost(body.campaign_id, body.amount, body.incurred_on, body.note, body.external_id)
    row, is_new = await record_cost(cost, caller.subject, writing)
    response.status_code = 201 if is_new else 200
    return _view(row)


@router.get("/v1/costs", responses=problem_responses(403))
async def list_costs(
    reading: Read,
    caller: Caller,
    campaign_id: Annotated[str | None, Query(min_length=1, max_length=64, description="Only those of this campaign")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CostsPage:
    """Costs, the latest day first."""
    require(caller, *MAY_READ)
    place = from_cursor(cursor)
    after = None if place is None else (place[0].date(), place[1])
    found = await costs_page(reading.session, campaign_id, after, limit + 1)
    items = [_view(row) for row in found[:limit]]
    return CostsPage(items=items, next_cursor=to_cursor(_midnight(items[-1].incurred_on), items[-1].cost_id) if len(found) > limit else None)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _view(row: Row) -> CostView:
    return CostView(
        campaign_id=row.campaign_id,
        amount=Money(amount=in_cents(row.amount_e4), currency=row.currency),
        incurred_on=row.incurred_on,
        note=row.note,
        external_id=row.external_id,
        cost_id=row.cost_id,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
    )
