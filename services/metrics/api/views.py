"""Requests and answers, and the fields that several of them have."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
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
from services.metrics.domain import reports
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

    start: AwareDatetime | date | None = Field(alias="from")
    end: AwareDatetime | date | None = Field(alias="to")
    by: By
    campaign_id: str | None
    channel: Channel | None
    attribution: Attribution
    time_zone: str
    currency: str


class ReportFrame(BaseModel):
    """What every report says about itself."""

    name: str
    parameters: Parameters
    complete_up_to: dict[str, AwareDatetime | None] = Field(
        description="Owner of a stream -> the time of the latest event heard of it; null: none"
    )
    as_of: AwareDatetime = Field(description="When it was counted")
    excluded_tests: int = Field(description="People who are tests, and count nowhere")
    notes: list[str] = Field(description="What a reader must know to take the figures for what they are")


class FunnelAnswer(ReportFrame):
    """Who entered which stage, and who went on."""

    rows: list[reports.FunnelRow]
    total: reports.FunnelTotal


class StaysAnswer(ReportFrame):
    """How long people stayed in a stage."""

    rows: list[reports.StayRow]
    total: reports.StayTotal


class ReturnsAnswer(ReportFrame):
    """What campaigns cost, and what came of them."""

    rows: list[reports.ReturnRow]
    total: reports.Figures
    unconverted: list[reports.Unconverted]
    without_amount: list[str] = Field(
        description="Opportunities that were won in the period without an amount; the first hundred"
    )


class ReferralsAnswer(ReportFrame):
    """What became of referrals, by rep, and of clocks."""

    rows: list[reports.ReferralRow]
    total: reports.ReferralFigures
    clocks: list[reports.ClockRow]


Part = Annotated[
    str | None,
    Field(default=None, min_length=1, max_length=LONGEST, description="As on the link; upper and lower case are one"),
]


class MatchView(BaseModel):
    """A visit belongs to the campaign when all that is given here is equal."""

    model_config = ConfigDict(extra="forbid")

    source: Part = Field(default=None, examples=["newsletter"])
    medium: Part = None
    name: Part = Field(default=None, description="utm_campaign", examples=["spring-2026"])
    content: Part = None
    term: Part = None
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

    name: Annotated[str, Field(min_length=1, max_length=200, examples=["Spring newsletter"]), NOT_BLANK]
    channel: Channel
    purpose: Purpose = Purpose.PROMOTIONAL
    is_direct: Truth = Field(
        default=True,
        description="Whether it addresses people one by one (mail, phone) and not everybody (an ad, a fair)",
    )
    matches: list[MatchView] = Field(default_factory=list, max_length=100)
    starts_on: Day | None = None
    ends_on: Day | None = Field(
        default=None, description="For the reader: what comes later by its links still belongs to it"
    )
    external_id: Annotated[
        str | None,
        Field(default=None, min_length=1, max_length=200, description="Its id elsewhere; sent again it changes it"),
    ]

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


class CostRequest(BaseModel):
    """Money that was spent on a campaign; a negative amount takes back what was recorded too much."""

    model_config = ConfigDict(extra="forbid")

    campaign_id: str = Field(min_length=1, max_length=64, examples=["cmp_01J8Z0"])
    amount: Money
    incurred_on: Day = Field(description="A day of the reporting time zone")
    note: Annotated[str | None, Field(default=None, max_length=1_000)]
    external_id: Annotated[
        str | None,
        Field(default=None, min_length=1, max_length=200, description="Its id elsewhere; the same cost is kept once"),
    ]


class CostView(CostRequest):
    """A cost."""

    cost_id: str = Field(examples=["cst_01J8Z0"])
    recorded_at: AwareDatetime
    recorded_by: str


class CostsPage(BaseModel):
    """One page of costs."""

    items: list[CostView]
    next_cursor: str | None


Rate = Annotated[Decimal, Field(gt=0, le=10**9, max_digits=18, decimal_places=9, examples=["0.9213"])]


class RateRequest(BaseModel):
    """What one unit is worth."""

    model_config = ConfigDict(extra="forbid")

    rate: Rate = Field(description="Units of the reporting currency per unit")


class RateView(BaseModel):
    """What one unit of a currency is worth in the reporting currency, from that day on until the next rate."""

    currency: str = Field(examples=["USD"])
    starts_on: Day
    rate: Decimal
    reporting_currency: str
    set_at: AwareDatetime
    set_by: str


class RatesAnswer(BaseModel):
    """All rates."""

    reporting_currency: str
    items: list[RateView]
    next_cursor: None = None


class TouchView(BaseModel):
    """A campaign that somebody came by."""

    campaign_id: str = Field(examples=["cmp_01J8Z0"])
    name: str
    occurred_at: AwareDatetime


class MeasuredPerson(BaseModel):
    """Which campaigns are credited with a person, and what they were worth."""

    person_id: str = Field(examples=["per_01J8Z0"])
    first_touch: TouchView | None
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

    items: list[MeasuredPerson]
    current: Current
