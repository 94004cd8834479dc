"""The campaign report: what was spent, what came of it, and what it was worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from contracts.values import Value
from services.metrics.domain.money import Purse, money_text, ratio_text

NO_CAMPAIGN = "(no campaign)"


class Figures(Value):
    """Counts of people, but for treatments and opportunities; amounts in the reporting currency, as decimal text."""

    cost: str = Field(examples=["1250.00"])
    touched: int = Field(description="People who came by a link of the campaign in the period, whoever is credited with them")
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
class Tally:
    """What is added up for one row."""

    cost: Purse = field(default_factory=Purse)
    pipeline: Purse = field(default_factory=Purse)
    revenue: Purse = field(default_factory=Purse)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, count: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + count

    def pour(self, other: Tally) -> None:
        """Takes in all of another row."""
        for mine, theirs in ((self.cost, other.cost), (self.pipeline, other.pipeline), (self.revenue, other.revenue)):
            mine.pour(theirs)
        for name, count in other.counts.items():
            self.add(name, count)

    def figures(self) -> dict[str, Any]:
        """The fields of Figures."""
        names = ("touched", "treatments", "leads", "mqls", "sals", "sqls", "opportunities", "customers", "without_amount")
        counts = {name: self.counts.get(name, 0) for name in names}
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
            for figure, purse in (("cost", self.cost), ("pipeline", self.pipeline), ("revenue", self.revenue))
            for currency, amount in sorted(purse.left_out.items())
        ]


def total_of(tallies: Iterable[Tally], touched: int) -> Figures:
    """All rows together; somebody touched by several campaigns is one person."""
    whole = Tally()
    for tally in tallies:
        whole.pour(tally)
    whole.counts["touched"] = touched
    return Figures(**whole.figures())


_PER = (("lead", "leads"), ("mql", "mqls"), ("customer", "customers"))
