"""What answers of reports look like, and how they are asked for."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.http.fields import Moment
from services.metrics.api.fields import Day
from services.metrics.domain.asking import Attribution, By
from services.metrics.domain.campaigns import Channel
from services.metrics.domain.funnel import FunnelRow, FunnelTotal
from services.metrics.domain.referrals import ClockRow, ReferralFigures, ReferralRow
from services.metrics.domain.returns import Figures, ReturnRow, Unconverted
from services.metrics.domain.stays import StayRow, StayTotal

Bound = Annotated[Day | Moment | None, Field(default=None, examples=["2026-03-01"])]


class ReportQuery(BaseModel):
    """What every report may be asked."""

    model_config = ConfigDict(extra="forbid")

    start: Bound = Field(
        default=None, alias="from", description="From this day, or this moment, on; a day begins at midnight of the reporting time zone"
    )
    end: Bound = Field(default=None, alias="to", description="Up to, but not with, this day or moment")
    by: By = Field(default=By.OCCURRED, description="Which time decides: when it happened, or when we were told")
    campaign_id: str | None = Field(default=None, min_length=1, max_length=64, description="Only people whom this campaign is credited with")
    channel: Channel | None = Field(default=None, description="Only people whom a campaign of this channel is credited with")
    attribution: Attribution = Field(
        default=Attribution.FIRST_TOUCH, description="Who is credited: the first campaign touch, or the last one before the first opportunity"
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
    complete_up_to: dict[str, AwareDatetime | None] = Field(description="Owner of a stream -> the time of the latest event heard of it; null: none")
    as_of: AwareDatetime = Field(description="When it was counted")
    excluded_tests: int = Field(description="People who are tests, and count nowhere")
    notes: list[str] = Field(description="What a reader must know to take the figures for what they are")


class FunnelAnswer(ReportFrame):
    """Who entered which stage, and who went on."""

    rows: list[FunnelRow]
    total: FunnelTotal


class StaysAnswer(ReportFrame):
    """How long people stayed in a stage."""

    rows: list[StayRow]
    total: StayTotal


class ReturnsAnswer(ReportFrame):
    """What campaigns cost, and what came of them."""

    rows: list[ReturnRow]
    total: Figures
    unconverted: list[Unconverted]
    without_amount: list[str] = Field(description="Opportunities that were won in the period without an amount; the first hundred")


class ReferralsAnswer(ReportFrame):
    """What became of referrals, by rep, and of clocks."""

    rows: list[ReferralRow]
    total: ReferralFigures
    clocks: list[ClockRow]
