"""What reports but that on referrals answer: rows and totals, and how these are made of what the store counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import AwareDatetime, Field

from contracts.values import Value
from services.metrics.domain.measures import ConvertedSum, StageOrder, moment_of, money_text, ratio_text

NO_CAMPAIGN = "(no campaign)"
_COUNTED = ["touched", "treatments", "leads", "mqls", "sals", "sqls", "opportunities", "customers", "without_amount"]
_PER = (("lead", "leads"), ("mql", "mqls"), ("customer", "customers"))


def seconds(us: int, shared_by: int = 1) -> float:
    """Microseconds / `shared_by` in seconds, rounded half up to milliseconds."""
    return ((2 * us + 1_000 * shared_by) // (2_000 * shared_by)) / 1_000


class FunnelRow(Value):
    """One stage."""

    stage: str = Field(description="The stage of the lifecycle", examples=["mql"])
    entered: int = Field(description="People who entered it in the period", examples=[140])
    continued: int = Field(
        description=(
            "Of these, those who entered a stage further down the line since; from a stage aside: who came back to the"
            " line"
        ),
        examples=[60],
    )
    continuation: str | None = Field(description="continued / entered; null when nobody entered", examples=["0.4286"])
    reached: int | None = Field(
        description=(
            "Of the people who were first seen in the period (total.cohort): who has come this far; null aside the line"
        ),
        examples=[75],
    )
    lost_to: dict[str, int] = Field(
        description="Of those who entered it in the period: who went straight to which stage aside the line",
        examples=[{"recycled": 4}],
    )
    in_stage_now: int = Field(description="People who are in it at present, whenever they came", examples=[32])


class FunnelTotal(Value):
    """All stages together."""

    cohort: int = Field(description="People whose first stage of all began in the period", examples=[1200])
    in_stage_now: int = Field(description="People who are in any stage at present", examples=[3400])


def funnel_rows(
    order: StageOrder,
    counts: Mapping[str, int],
    leavers: Mapping[tuple[str, str], int],
    present: Mapping[str, int],
    stages: Sequence[str],
) -> list[FunnelRow]:
    """`counts`: entered_<n>, continued_<n>, reached_<n> of the n-th of `stages`."""
    rows = []
    for number, stage in enumerate(stages):
        entered, continued = counts[f"entered_{number}"], counts[f"continued_{number}"]
        rows.append(
            FunnelRow(
                stage=stage,
                entered=entered,
                continued=continued,
                continuation=ratio_text(continued, entered),
                reached=counts[f"reached_{number}"] if stage in order.line else None,
                lost_to={aside: count for (left, aside), count in sorted(leavers.items()) if left == stage},
                in_stage_now=present.get(stage, 0),
            )
        )
    return rows


class StayRow(Value):
    """One stage. Times are seconds, exact to the millisecond."""

    stage: str = Field(description="The stage of the lifecycle", examples=["mql"])
    n: int = Field(description="Stays that ended in the period", examples=[60])
    median: float | None = Field(
        description="Half of them were no longer; the mean of the two middle ones where there are two",
        examples=[86400.0],
    )
    p90: float | None = Field(
        description="The shortest time that nine of ten were not longer than", examples=[259200.0]
    )
    mean: float | None = Field(description="Their mean; null when none ended", examples=[100800.5])
    still_in: int = Field(description="People who are in it at present", examples=[32])
    longest_since: AwareDatetime | None = Field(
        description="Since when the one who has been in it longest", examples=["2026-01-15T09:00:00Z"]
    )


class StayTotal(Value):
    """All stages together."""

    n: int = Field(description="Stays that ended in the period", examples=[310])
    still_in: int = Field(description="People who are in any stage at present", examples=[3400])


@dataclass(frozen=True, slots=True)
class StayQuantiles:
    """What the store found of one stage: the number of stays, the two middle ones, the 90th of a hundred and the sum,
    in microseconds.
    """

    n: int
    low_us: int
    high_us: int
    p90_us: int
    sum_us: int


def stay_row(stage: str, stays: StayQuantiles | None, still_in: int, since_us: int | None) -> StayRow:
    """The row of a stage; `stays` is None when nobody left it in the period."""
    return StayRow(
        stage=stage,
        n=0 if stays is None else stays.n,
        median=None if stays is None else seconds(stays.low_us + stays.high_us, 2),
        p90=None if stays is None else seconds(stays.p90_us),
        mean=None if stays is None else seconds(stays.sum_us, stays.n),
        still_in=still_in,
        longest_since=None if since_us is None else moment_of(since_us),
    )


class Figures(Value):
    """Counts of people, but for treatments and opportunities; amounts in the reporting currency, as decimal text."""

    cost: str = Field(description="What was spent in the period", examples=["1250.00"])
    touched: int = Field(
        description="People who came by a link of the campaign in the period, whoever is credited with them",
        examples=[420],
    )
    treatments: int = Field(
        description="Treatments that carry the campaign and were chosen in the period", examples=[35]
    )
    leads: int = Field(
        description="People who became known for the first time in the period (or came further at once)", examples=[80]
    )
    mqls: int = Field(
        description="People who became MQLs for the first time in the period, or came further at once", examples=[40]
    )
    sals: int = Field(
        description="People who became SALs for the first time in the period, or came further at once", examples=[25]
    )
    sqls: int = Field(
        description="People who became SQLs for the first time in the period, or came further at once", examples=[15]
    )
    opportunities: int = Field(description="Opportunities opened in the period", examples=[9])
    customers: int = Field(description="People who became customers for the first time in the period", examples=[3])
    cost_per_lead: str | None = Field(description="null when there was no lead", examples=["15.63"])
    cost_per_mql: str | None = Field(description="null when there was no MQL", examples=["31.25"])
    cost_per_customer: str | None = Field(description="null when there was no customer", examples=["416.67"])
    pipeline: str = Field(
        description="Amount of opportunities that were opened in the period and are open", examples=["18000.00"]
    )
    revenue: str = Field(description="Amount of opportunities that were won in the period", examples=["3875.00"])
    roi: str | None = Field(description="(revenue - cost) / cost; null when nothing was spent", examples=["2.1000"])
    without_amount: int = Field(
        description="Opportunities won in the period without an amount: revenue lacks them", examples=[0]
    )


class ReturnRow(Figures):
    """One campaign; `campaign_id` null: people whom no campaign is credited with."""

    campaign_id: str | None = Field(
        description="The campaign; null: people whom none is credited with", examples=["cmp_01J8Z0"]
    )
    name: str = Field(description="What you call it", examples=["Spring newsletter"])
    channel: str | None = Field(description="By which way it reaches people; null: no campaign", examples=["email"])


class Unconverted(Value):
    """Amounts left out of the sums, because there is no rate of exchange on or before their day."""

    campaign_id: str | None = Field(
        description="Whose row lacks it; null: that of no campaign", examples=["cmp_01J8Z0"]
    )
    figure: str = Field(description="Which figure lacks it: cost, pipeline or revenue", examples=["cost"])
    currency: str = Field(description="The currency it is in, ISO 4217", examples=["USD"])
    amount: str = Field(description="How much is left out, in that currency", examples=["500.00"])


@dataclass(slots=True)
class CampaignCounts:
    """What is added up for one row."""

    cost: ConvertedSum = field(default_factory=ConvertedSum)
    pipeline: ConvertedSum = field(default_factory=ConvertedSum)
    revenue: ConvertedSum = field(default_factory=ConvertedSum)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, count: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + count

    def add_all(self, other: CampaignCounts) -> None:
        """Takes in all of another row."""
        for mine, theirs in ((self.cost, other.cost), (self.pipeline, other.pipeline), (self.revenue, other.revenue)):
            mine.add_all(theirs)
        for name, count in other.counts.items():
            self.add(name, count)

    def figures(self) -> dict[str, Any]:
        """The fields of Figures."""
        counts = {name: self.counts.get(name, 0) for name in _COUNTED}
        cost, revenue = self.cost.total, self.revenue.total
        per = {one: money_text(cost / counts[many]) if counts[many] else None for one, many in _PER}
        return {
            **counts,
            "cost": money_text(cost),
            "pipeline": money_text(self.pipeline.total),
            "revenue": money_text(revenue),
            "roi": ratio_text(revenue - cost, cost),
            **{f"cost_per_{one}": amount for one, amount in per.items()},
        }

    def unconverted(self, campaign_id: str | None) -> list[Unconverted]:
        """What its sums lack."""
        return [
            Unconverted(campaign_id=campaign_id, figure=figure, currency=currency, amount=money_text(amount))
            for figure, added in (("cost", self.cost), ("pipeline", self.pipeline), ("revenue", self.revenue))
            for currency, amount in sorted(added.left_out.items())
        ]


CountsByCampaign = Mapping[str | None, CampaignCounts]  # None: of no campaign


def add_counts(rows: CountsByCampaign, name: str, counts: Mapping[str | None, int]) -> None:
    """Adds to one figure of each row that there is."""
    for campaign_id, count in counts.items():
        if campaign_id in rows:
            rows[campaign_id].add(name, count)


def total_of(all_counts: Iterable[CampaignCounts], touched: int) -> Figures:
    """All rows together; somebody touched by several campaigns is one person."""
    whole = CampaignCounts()
    for counts in all_counts:
        whole.add_all(counts)
    whole.counts["touched"] = touched
    return Figures(**whole.figures())
