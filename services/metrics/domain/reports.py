"""What reports answer: their rows and totals, and how these are made of what the store counted."""

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

    stage: str = Field(examples=["mql"])
    entered: int = Field(description="People who entered it in the period")
    continued: int = Field(
        description=(
            "Of these, those who entered a stage further down the line since; from a stage aside: who came back to the"
            " line"
        )
    )
    continuation: str | None = Field(description="continued / entered; null when nobody entered", examples=["0.4286"])
    reached: int | None = Field(
        description=(
            "Of the people who were first seen in the period (total.cohort): who has come this far; null aside the line"
        )
    )
    lost_to: dict[str, int] = Field(
        description="Of those who entered it in the period: who went straight to which stage aside the line"
    )
    in_stage_now: int = Field(description="People who are in it at present, whenever they came")


class FunnelTotal(Value):
    """All stages together."""

    cohort: int = Field(description="People whose first stage of all began in the period")
    in_stage_now: int = Field(description="People who are in any stage at present")


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

    stage: str = Field(examples=["mql"])
    n: int = Field(description="Stays that ended in the period")
    median: float | None = Field(
        description="Half of them were no longer; the mean of the two middle ones where there are two"
    )
    p90: float | None = Field(description="The shortest time that nine of ten were not longer than")
    mean: float | None
    still_in: int = Field(description="People who are in it at present")
    longest_since: AwareDatetime | None = Field(description="Since when the one who has been in it longest")


class StayTotal(Value):
    """All stages together."""

    n: int
    still_in: int


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

    cost: str = Field(examples=["1250.00"])
    touched: int = Field(
        description="People who came by a link of the campaign in the period, whoever is credited with them"
    )
    treatments: int = Field(description="Treatments that carry the campaign and were chosen in the period")
    leads: int = Field(description="People who became known for the first time in the period (or came further at once)")
    mqls: int
    sals: int
    sqls: int
    opportunities: int = Field(description="Opportunities opened in the period")
    customers: int
    cost_per_lead: str | None = Field(description="null when there was no lead")
    cost_per_mql: str | None
    cost_per_customer: str | None
    pipeline: str = Field(description="Amount of opportunities that were opened in the period and are open")
    revenue: str = Field(description="Amount of opportunities that were won in the period")
    roi: str | None = Field(description="(revenue - cost) / cost; null when nothing was spent", examples=["2.1000"])
    without_amount: int = Field(description="Opportunities won in the period without an amount: revenue lacks them")


class ReturnRow(Figures):
    """One campaign; `campaign_id` null: people whom no campaign is credited with."""

    campaign_id: str | None
    name: str
    channel: str | None


class Unconverted(Value):
    """Amounts left out of the sums, because there is no rate of exchange on or before their day."""

    campaign_id: str | None
    figure: str = Field(examples=["cost"])
    currency: str
    amount: str


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


class ReferralFigures(Value):
    """What became of referrals."""

    offered: int
    accepted: int
    returned: int
    returned_by_reason: dict[str, int] = Field(examples=[{"bad_timing": 2}])
    expired: int
    median_acceptance: float | None = Field(
        description="Seconds from the offer to the acceptance, of acceptances in the period; null without any"
    )


class ReferralRow(ReferralFigures):
    """One rep."""

    rep_id: str = Field(examples=["rep_01J8Z0"])


class ClockRow(Value):
    """One clock that marketing and sales agreed on."""

    clock: str = Field(examples=["acceptance"])
    started: int
    kept: int = Field(description="Stopped in time")
    kept_late: int = Field(description="Stopped after time was up")
    breached: int = Field(description="Time was up and nothing had happened")


@dataclass(slots=True)
class ReferralCounts:
    """What is added up for one rep, or for all."""

    counts: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    waits_us: list[int] = field(default_factory=list)

    def add(self, kind: str, reason: str | None, count: int) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + count
        if reason is not None:
            self.reasons[reason] = self.reasons.get(reason, 0) + count

    def figures(self) -> ReferralFigures:
        return ReferralFigures(
            offered=self.counts.get("offered", 0),
            accepted=self.counts.get("accepted", 0),
            returned=self.counts.get("returned", 0),
            returned_by_reason=dict(sorted(self.reasons.items())),
            expired=self.counts.get("expired", 0),
            median_acceptance=median_seconds(self.waits_us),
        )


def median_seconds(waits_us: Sequence[int]) -> float | None:
    """The middle one; the mean of the two middle ones where there are two."""
    if not waits_us:
        return None
    ordered, middle = sorted(waits_us), len(waits_us) // 2
    return seconds(ordered[middle]) if len(ordered) % 2 else seconds(ordered[middle - 1] + ordered[middle], 2)


def clock_row(clock: str, told: Sequence[tuple[str, bool, int]]) -> ClockRow:
    """`told`: (kind, was_breached, count)."""

    def count(kind: str, *late: bool) -> int:
        return sum(number for one, was_breached, number in told if one == kind and (not late or was_breached in late))

    return ClockRow(
        clock=clock,
        started=count("started"),
        kept=count("kept", False),
        kept_late=count("kept", True),
        breached=count("breached"),
    )
