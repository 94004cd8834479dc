"""Campaigns, what they cost, and rates of exchange over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.context import Context
from chassis.store.statements import Row
from chassis.web.auth import Caller, require
from chassis.web.problems import problem_responses
from contracts.ids import derive_id
from contracts.values import Money
from people_kernel.api.pages import Cursor, Limit, from_cursor, from_id_cursor, to_cursor, to_id_cursor
from services.metrics.api.views import (
    MAY_READ,
    MAY_WRITE,
    CampaignId,
    CampaignRequest,
    CampaignsPage,
    CampaignView,
    Day,
    Read,
    Write,
)
from services.metrics.commands import CostEntry, add_campaign, change_campaign, get_campaign, record_cost, set_rate
from services.metrics.domain.campaigns import Campaign, CampaignMatch, Channel
from services.metrics.domain.measures import in_cents
from services.metrics.store.queries.campaigns import campaigns_page, costs_page, rate_rows

campaigns_router = APIRouter(tags=["campaigns"])


class CostRequest(BaseModel):
    """Money that was spent on a campaign; a negative amount takes back what was recorded too much."""

    model_config = ConfigDict(extra="forbid")

    campaign_id: str = Field(min_length=1, max_length=64, description="What it was spent on", examples=["cmp_01J8Z0"])
    amount: Money = Field(description="How much; negative: it takes back what was recorded too much")
    incurred_on: Day = Field(description="A day of the reporting time zone", examples=["2026-03-01"])
    note: Annotated[str | None, Field(default=None, max_length=1_000)] = Field(
        default=None, description="What for, in your own words; null: nothing", examples=["Printing of the leaflets"]
    )
    external_id: Annotated[
        str | None,
        Field(default=None, min_length=1, max_length=200, description="Its id elsewhere; the same cost is kept once"),
    ] = Field(default=None, examples=["inv-2026-0301"])


class CostView(CostRequest):
    """A cost."""

    cost_id: str = Field(description="The cost's id", examples=["cst_01J8Z0"])
    recorded_at: AwareDatetime = Field(description="When it was recorded", examples=["2026-03-02T09:30:00Z"])
    recorded_by: str = Field(description="Who recorded it", examples=["dana@acme.test"])


class CostsPage(BaseModel):
    """One page of costs."""

    items: list[CostView] = Field(description="The costs of this page")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one", examples=[None])


Rate = Annotated[Decimal, Field(gt=0, le=10**9, max_digits=18, decimal_places=9, examples=["0.9213"])]


class RateRequest(BaseModel):
    """What one unit is worth."""

    model_config = ConfigDict(extra="forbid")

    rate: Rate = Field(description="Units of the reporting currency per unit")


class RateView(BaseModel):
    """What one unit of a currency is worth in the reporting currency, from that day on until the next rate."""

    currency: str = Field(description="The currency, ISO 4217", examples=["USD"])
    starts_on: Day = Field(description="From this day on, until the next rate", examples=["2026-03-01"])
    rate: Decimal = Field(description="Units of the reporting currency per unit", examples=["0.9213"])
    reporting_currency: str = Field(description="The reporting currency, ISO 4217", examples=["EUR"])
    set_at: AwareDatetime = Field(description="When it was set", examples=["2026-03-02T09:30:00Z"])
    set_by: str = Field(description="Who set it", examples=["dana@acme.test"])


class RatesAnswer(BaseModel):
    """All rates."""

    reporting_currency: str = Field(description="The currency that all reports are in, ISO 4217", examples=["EUR"])
    items: list[RateView] = Field(description="All rates, by currency and day")
    next_cursor: None = Field(default=None, description="Always null: there is one page", examples=[None])


@campaigns_router.post(
    "/v1/campaigns",
    status_code=201,
    responses={
        200: {"model": CampaignView, "description": "It was known by its external id"},
        **problem_responses(403),
    },
)
async def create_campaign(body: CampaignRequest, writing: Write, caller: Caller, response: Response) -> CampaignView:
    """A new campaign; or, when one has this external id, that one with the new content (200).
    Visits that came before are matched as well.
    """
    require(caller, *MAY_WRITE)
    kept, is_new = await add_campaign(_campaign(body, writing, caller.subject), writing)
    response.status_code = 201 if is_new else 200
    return _campaign_view(kept)


@campaigns_router.get("/v1/campaigns", responses=problem_responses(403))
async def list_campaigns(
    reading: Read,
    caller: Caller,
    channel: Annotated[Channel | None, Query(description="Only those of this channel")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CampaignsPage:
    """Campaigns, the oldest first."""
    require(caller, *MAY_READ)
    found = await campaigns_page(reading.session, channel, from_id_cursor(cursor), limit + 1)
    items = [_campaign_view(campaign) for campaign in found[:limit]]
    return CampaignsPage(items=items, next_cursor=to_id_cursor(items[-1].campaign_id) if len(found) > limit else None)


@campaigns_router.get("/v1/campaigns/{campaign_id}", responses=problem_responses(403, 404))
async def read_campaign(reading: Read, caller: Caller, campaign_id: CampaignId) -> CampaignView:
    """One campaign."""
    require(caller, *MAY_READ)
    return _campaign_view(await get_campaign(campaign_id, reading))


@campaigns_router.put("/v1/campaigns/{campaign_id}", responses=problem_responses(403, 404, 409))
async def replace_campaign(
    body: CampaignRequest, writing: Write, caller: Caller, campaign_id: CampaignId
) -> CampaignView:
    """The campaign with new content. All visits there ever were are matched anew, in the same transaction."""
    require(caller, *MAY_WRITE)
    return _campaign_view(await change_campaign(campaign_id, _campaign(body, writing, caller.subject), writing))


def _campaign(body: CampaignRequest, writing: Context, by: str) -> Campaign:
    return Campaign(
        campaign_id=derive_id("cmp", writing.now, writing.now.isoformat(), body.name, body.external_id or ""),
        name=body.name,
        channel=body.channel,
        purpose=body.purpose,
        is_direct=body.is_direct,
        matches=tuple(CampaignMatch(**match.model_dump()) for match in body.matches),
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        external_id=body.external_id,
        created_at=writing.now,
        created_by=by,
        updated_at=writing.now,
    )


def _campaign_view(campaign: Campaign) -> CampaignView:
    return CampaignView.model_validate(asdict(campaign))


costs_router = APIRouter(tags=["costs"])


@costs_router.post(
    "/v1/costs",
    status_code=201,
    responses={200: {"model": CostView, "description": "It was recorded before"}, **problem_responses(403, 409)},
)
async def create_cost(body: CostRequest, writing: Write, caller: Caller, response: Response) -> CostView:
    """Records a cost. Sent again under its external id it answers with what was
    recorded (200), or refuses other content (409).
    """
    require(caller, *MAY_WRITE)
    cost = CostEntry(body.campaign_id, body.amount, body.incurred_on, body.note, body.external_id)
    row, is_new = await record_cost(cost, caller.subject, writing)
    response.status_code = 201 if is_new else 200
    return _cost_view(row)


@costs_router.get("/v1/costs", responses=problem_responses(403))
async def list_costs(
    reading: Read,
    caller: Caller,
    campaign_id: Annotated[
        str | None, Query(min_length=1, max_length=64, description="Only those of this campaign")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CostsPage:
    """Costs, the latest day first."""
    require(caller, *MAY_READ)
    place = from_cursor(cursor)
    after = None if place is None else (place[0].date(), place[1])
    found = await costs_page(reading.session, campaign_id, after, limit + 1)
    items = [_cost_view(row) for row in found[:limit]]
    return CostsPage(
        items=items,
        next_cursor=to_cursor(_midnight(items[-1].incurred_on), items[-1].cost_id) if len(found) > limit else None,
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _cost_view(row: Row) -> CostView:
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


rates_router = APIRouter(tags=["rates"])
_CURRENCY = "^[A-Z]{3}$"


@rates_router.put("/v1/rates/{currency}/{on}", responses=problem_responses(403))
async def put_rate(
    body: RateRequest,
    writing: Write,
    caller: Caller,
    currency: Annotated[str, Path(pattern=_CURRENCY, description="ISO 4217", examples=["USD"])],
    on: Annotated[Day, Path(description="From this day on", examples=["2026-03-01"])],
) -> RateView:
    """From that day on, amounts in this currency are converted by this rate, in reports about the past as well."""
    require(caller, *MAY_WRITE)
    await set_rate(currency, on, body.rate, caller.subject, writing)
    return RateView(
        currency=currency,
        starts_on=on,
        rate=body.rate,
        reporting_currency=writing.service.currency,
        set_at=writing.now,
        set_by=caller.subject,
    )


@rates_router.get("/v1/rates", responses=problem_responses(403))
async def list_rates(
    reading: Read,
    caller: Caller,
    currency: Annotated[str | None, Query(pattern=_CURRENCY, description="Only those of this currency")] = None,
) -> RatesAnswer:
    """Rates by currency, the latest first."""
    require(caller, *MAY_READ)
    home = reading.service.currency
    items = [
        RateView(
            currency=row.currency,
            starts_on=row.starts_on,
            rate=row.rate,
            reporting_currency=home,
            set_at=row.set_at,
            set_by=row.set_by,
        )
        for row in await rate_rows(reading.session, currency)
    ]
    return RatesAnswer(reporting_currency=home, items=items)
