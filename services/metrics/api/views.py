"""Requests and answers, and the fields that several of them have."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from chassis.context import Context
from chassis.web.fields import Moment, Truth
from chassis.web.routes import READING, WRITING
from contracts.campaigns import CLICK_IDS, LONGEST
from contracts.values import Money
from people_kernel.api.pages import Current
from services.metrics.domain import referral_reports, reports
from services.metrics.domain.campaigns import Channel, Purpose
from services.metrics.domain.measures import Attribution, By, ReportSettings

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _refuse_all_but_days(value: Any) -> Any:
    # pydantic would take 0 for 1970-01-01, and a midnight for its day
    if not isinstance(value, str | date) or (isinstance(value, str) and not _DAY.fullmatch(value)):
        raise PydanticCustomError("day", "A day is written like 2026-03-01")
    return value


def _full(text: str) -> str:
    if text.strip():
        return text
    raise PydanticCustomError("blank", "There is nothing in it but white space")


Read = Annotated[Context[ReportSettings], READING]
Write = Annotated[Context[ReportSettings], WRITING]
"""Contexts that know the reporting currency and time zone."""
Day = Annotated[date, BeforeValidator(_refuse_all_but_days, json_schema_input_type=date)]
"""A day of the reporting time zone."""
NOT_BLANK = AfterValidator(_full)
CampaignId = Annotated[str, Path(min_length=1, max_length=64, description="A campaign", examples=["cmp_01J8Z0"])]
MAY_WRITE = ("marketing", "ops", "admin")
MAY_READ = ("marketing", "sales", "manager", "ops", "admin")
Bound = Annotated[Day | Moment | None, Field(default=None, examples=["2026-03-01"])]


class ReportRequest(BaseModel):
    """What every report may be asked."""

    model_config = ConfigDict(extra="forbid")

    start: Bound = Field(
        default=None,
        alias="from",
        description="From this day, or this moment, on; a day begins at midnight of the reporting time zone",
    )
    end: Bound = Field(default=None, alias="to", description="Up to, but not with, this day or moment")
    by: By = Field(default=By.OCCURRED, description="Which time decides: when it happened, or when we were told")
    campaign_id: str | None = Field(
        default=None, min_length=1, max_length=64, description="Only people whom this campaign is credited with"
    )
    channel: Channel | None = Field(
        default=None, description="Only people whom a campaign of this channel is credited with"
    )
    attribution: Attribution = Field(
        default=Attribution.FIRST_TOUCH,
        description="Who is credited: the first campaign touch, or the last one before the first opportunity",
    )


class Parameters(BaseModel):
    """What was asked, with the defaults filled in."""

    model_config = ConfigDict(populate_by_name=True)

    start: AwareDatetime | date | None = Field(
        alias="from", description="From this day or moment on; null: from the beginning", examples=["2026-03-01"]
    )
    end: AwareDatetime | date | None = Field(
        alias="to", description="Up to, but not with, this day or moment; null: without end", examples=["2026-04-01"]
    )
    by: By = Field(description="Which time decides: when it happened, or when we were told")
    campaign_id: str | None = Field(
        description="Only people whom this campaign is credited with; null: everybody", examples=["cmp_01J8Z0"]
    )
    channel: Channel | None = Field(
        description="Only people whom a campaign of this channel is credited with; null: everybody"
    )
    attribution: Attribution = Field(description="Which touch is credited")
    time_zone: str = Field(description="Where a day of the report begins at midnight", examples=["Europe/Berlin"])
    currency: str = Field(description="The reporting currency, ISO 4217", examples=["EUR"])


class ReportFrame(BaseModel):
    """What every report says about itself."""

    name: str = Field(description="Which report it is", examples=["funnel"])
    parameters: Parameters = Field(description="What was asked, with the defaults filled in")
    complete_up_to: dict[str, AwareDatetime | None] = Field(
        description="Owner of a stream -> the time of the latest event heard of it; null: none",
        examples=[{"identity": "2026-03-31T23:58:12Z", "routing": None}],
    )
    as_of: AwareDatetime = Field(description="When it was counted", examples=["2026-04-01T06:00:00Z"])
    excluded_tests: int = Field(description="People who are tests, and count nowhere", examples=[2])
    notes: list[str] = Field(
        description="What a reader must know to take the figures for what they are",
        examples=[["in_stage_now and what became of people is as of now, whatever the period."]],
    )


class FunnelAnswer(ReportFrame):
    """Who entered which stage, and who went on."""

    rows: list[reports.FunnelRow] = Field(description="One row a stage, in the order of the lifecycle")
    total: reports.FunnelTotal = Field(description="All stages together")


class StaysAnswer(ReportFrame):
    """How long people stayed in a stage."""

    rows: list[reports.StayRow] = Field(description="One row a stage, in the order of the lifecycle")
    total: reports.StayTotal = Field(description="All stages together")


class ReturnsAnswer(ReportFrame):
    """What campaigns cost, and what came of them."""

    rows: list[reports.ReturnRow] = Field(description="One row a campaign")
    total: reports.Figures = Field(description="All campaigns together")
    unconverted: list[reports.Unconverted] = Field(description="Amounts that the sums lack")
    without_amount: list[str] = Field(
        description="Opportunities that were won in the period without an amount; the first hundred",
        examples=[["opp_01J8Z0"]],
    )


class ReferralsAnswer(ReportFrame):
    """What became of referrals, by rep, and of clocks."""

    rows: list[referral_reports.ReferralRow] = Field(description="One row a rep")
    total: referral_reports.ReferralFigures = Field(description="All reps together")
    clocks: list[referral_reports.ClockRow] = Field(description="One row for each clock")


Part = Annotated[
    str | None,
    Field(default=None, min_length=1, max_length=LONGEST, description="As on the link; upper and lower case are one"),
]


class MatchView(BaseModel):
    """A visit belongs to the campaign when all that is given here is equal."""

    model_config = ConfigDict(extra="forbid")

    source: Part = Field(
        default=None, description="utm_source, as on the link; upper and lower case are one", examples=["newsletter"]
    )
    medium: Part = Field(
        default=None, description="utm_medium, as on the link; upper and lower case are one", examples=["email"]
    )
    name: Part = Field(default=None, description="utm_campaign", examples=["spring-2026"])
    content: Part = Field(
        default=None,
        description="utm_content, as on the link; upper and lower case are one",
        examples=["header-button"],
    )
    term: Part = Field(
        default=None, description="utm_term, as on the link; upper and lower case are one", examples=["lead management"]
    )
    click_id: Part = Field(
        default=None, description=f"Which click id came with the link: {', '.join(CLICK_IDS)}", examples=["gclid"]
    )

    @model_validator(mode="after")
    def _demands_something(self) -> MatchView:
        values = [value for value in self.model_dump().values() if value is not None]
        if not any(value.strip() for value in values) or not all(value.strip() for value in values):
            raise PydanticCustomError(
                "match",
                "A match demands something, and nothing blank: give source, medium, name, content, term or click_id",
            )
        return self


class CampaignRequest(BaseModel):
    """What was done to win people, and how visits that it brought are known."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["Spring newsletter"]), NOT_BLANK] = Field(
        description="What you call it"
    )
    channel: Channel = Field(description="By which way it reaches people")
    purpose: Purpose = Field(
        default=Purpose.PROMOTIONAL, description="What it is for: to sell, or to help somebody understand"
    )
    is_direct: Truth = Field(
        default=True,
        description="Whether it addresses people one by one (mail, phone) and not everybody (an ad, a fair)",
    )
    matches: list[MatchView] = Field(
        default_factory=list, max_length=100, description="How visits that it brought are known: one match is enough"
    )
    starts_on: Day | None = Field(
        default=None, description="Its first day, for the reader; null: not said", examples=["2026-03-01"]
    )
    ends_on: Day | None = Field(
        default=None,
        description="For the reader: what comes later by its links still belongs to it",
        examples=["2026-05-31"],
    )
    external_id: Annotated[
        str | None,
        Field(default=None, min_length=1, max_length=200, description="Its id elsewhere; sent again it changes it"),
    ] = Field(default=None, examples=["crm-4711"])

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> CampaignRequest:
        if self.starts_on is not None and self.ends_on is not None and self.ends_on < self.starts_on:
            raise PydanticCustomError("dates", "ends_on is before starts_on")
        return self


class CampaignView(CampaignRequest):
    """A campaign."""

    campaign_id: str = Field(description="The campaign's id", examples=["cmp_01J8Z0"])
    created_at: AwareDatetime = Field(description="When it was recorded", examples=["2026-03-02T09:30:00Z"])
    created_by: str = Field(description="Who recorded it", examples=["dana@acme.test"])
    updated_at: AwareDatetime = Field(description="When it was changed last", examples=["2026-03-02T09:30:00Z"])


class CampaignsPage(BaseModel):
    """One page of campaigns."""

    items: list[CampaignView] = Field(description="The campaigns of this page")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last one", examples=[None])


class TouchView(BaseModel):
    """A campaign that somebody came by."""

    campaign_id: str = Field(description="The campaign", examples=["cmp_01J8Z0"])
    name: str = Field(description="What you call it", examples=["Spring newsletter"])
    occurred_at: AwareDatetime = Field(description="When they came by it", examples=["2026-03-02T09:30:00Z"])


class MeasuredPerson(BaseModel):
    """Which campaigns are credited with a person, and what they were worth."""

    person_id: str = Field(description="The person", examples=["per_01J8Z0"])
    first_touch: TouchView | None = Field(description="The first campaign they came by; null: none")
    last_touch: TouchView | None = Field(
        description="The last one before their first opportunity; of all, where there is none"
    )
    revenue: Money | None = Field(
        description=(
            "Opportunities won, in the reporting currency; null when there is none with an amount that can be converted"
        )
    )


class MeasuredLookupAnswer(BaseModel):
    """The people found; unknown ids are left out."""

    items: list[MeasuredPerson] = Field(description="The people found")
    current: Current
