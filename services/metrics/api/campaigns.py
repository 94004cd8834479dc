"""Campaigns over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from chassis.auth import Caller, require
from chassis.context import Context
from chassis.errors import problem_responses
from chassis.http.fields import Truth
from chassis.routes import Read, Write
from contracts.ids import derive_id
from people_kernel.api.paging import Limit
from services.metrics.api.fields import MAY_READ, MAY_WRITE, NOT_BLANK, CampaignId, Day
from services.metrics.domain.campaigns import Campaign, Channel, Match, Purpose
from services.metrics.domain.tags import CLICK_IDS, LONGEST
from services.metrics.handlers.campaigns import add_campaign, change_campaign, get_campaign
from services.metrics.store.campaigns import campaigns_page

router = APIRouter(tags=["campaigns"])
Part = Annotated[str | None, Field(default=None, min_length=1, max_length=LONGEST, description="As on the link; upper and lower case are one")]


class MatchView(BaseModel):
    """A visit belongs to the campaign when all that is given here is equal."""

    model_config = ConfigDict(extra="forbid")

    source: Part = Field(default=None, examples=["newsletter"])
    medium: Part = None
    name: Part = Field(default=None, description="utm_campaign", examples=["spring-2026"])
    content: Part = None
    term: Part = None
    click_id: Part = Field(default=None, description=f"Which click id came with the link: {', '.join(CLICK_IDS)}", examples=["gclid"])

    @model_validator(mode="after")
    def _demands_something(self) -> MatchView:
        values = [value for value in self.model_dump().values() if value is not None]
        if not any(value.strip() for value in values) or not all(value.strip() for value in values):
            raise PydanticCustomError("match", "A match demands something, and nothing blank: give source, medium, name, content, term or click_id")
        return self


class CampaignRequest(BaseModel):
    """What was done to win people, and how visits that it brought are known."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["Spring newsletter"]), NOT_BLANK]
    channel: Channel
    purpose: Purpose = Purpose.PROMOTIONAL
    is_direct: Truth = Field(default=True, description="Whether it addresses people one by one (mail, phone) and not everybody (an ad, a fair)")
    matches: list[MatchView] = Field(default_factory=list, max_length=100)
    starts_on: Day | None = None
    ends_on: Day | None = Field(default=None, description="For the reader: what comes later by its links still belongs to it")
    external_id: Annotated[str | None, Field(default=None, min_length=1, max_length=200, description="Its id elsewhere; sent again it changes it")]

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> CampaignRequest:
        if self.starts_on is not None and self.ends_on is not None and self.ends_on < self.starts_on:
            raise PydanticCustomError("dates", "ends_on is before starts_on")
        return self


class CampaignView(CampaignRequest):
    """A campaign."""

    campaign_id: str = Field(examples=["cmp_01J8Z0"])
    created_at: AwareDatetime
    created_by: str
    updated_at: AwareDatetime


class CampaignsPage(BaseModel):
    """One page of campaigns."""

    items: list[CampaignView]
    next_cursor: str | None


@router.post(
    "/v1/campaigns",
    status_code=201,
    responses={200: {"model": CampaignView, "description": "It was known by its external id"}, **problem_responses(403)},
)
async def create_campaign(body: CampaignRequest, writing: Write, caller: Caller, response: Response) -> CampaignView:
    """A new campaign; or, when one has this external id, that one with the new content (200). Visits that came before are matched as well."""
    require(caller, *MAY_WRITE)
    kept, is_new = await add_campaign(_campaign(body, writing, caller.subject), writing)
    response.status_code = 201 if is_new else 200
    return _view(kept)


@router.get("/v1/campaigns", responses=problem_responses(403))
async def list_campaigns(
    reading: Read,
    caller: Caller,
    channel: Annotated[Channel | None, Query(description="Only those of this channel")] = None,
    cursor: Annotated[str | None, Query(max_length=64, description="`next_cursor` of the page before")] = None,
    limit: Limit = 50,
) -> CampaignsPage:
    """Campaigns, the oldest first."""
    require(caller, *MAY_READ)
    found = await campaigns_page(reading.session, channel, cursor, limit + 1)
    items = [_view(campaign) for campaign in found[:limit]]
    return CampaignsPage(items=items, next_cursor=items[-1].campaign_id if len(found) > limit else None)


@router.get("/v1/campaigns/{campaign_id}", responses=problem_responses(403, 404))
async def read_campaign(reading: Read, caller: Caller, campaign_id: CampaignId) -> CampaignView:
    """One campaign."""
    require(caller, *MAY_READ)
    return _view(await get_campaign(campaign_id, reading))


@router.put("/v1/campaigns/{campaign_id}", responses=problem_responses(403, 404, 409))
async def replace_campaign(body: CampaignRequest, writing: Write, caller: Caller, campaign_id: CampaignId) -> CampaignView:
    """The campaign with new content. All visits there ever were are matched anew, in the same transaction."""
    require(caller, *MAY_WRITE)
    return _view(await change_campaign(campaign_id, _campaign(body, writing, caller.subject), writing))


def _campaign(body: CampaignRequest, writing: Context, by: str) -> Campaign:
    return Campaign(
        campaign_id=derive_id("cmp", writing.now, writing.now.isoformat(), body.name, body.external_id or ""),
        name=body.name,
        channel=body.channel,
        purpose=body.purpose,
        is_direct=body.is_direct,
        matches=tuple(Match(**match.model_dump()) for match in body.matches),
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        external_id=body.external_id,
        created_at=writing.now,
        created_by=by,
        updated_at=writing.now,
    )


def _view(campaign: Campaign) -> CampaignView:
    return CampaignView.model_validate(asdict(campaign))
