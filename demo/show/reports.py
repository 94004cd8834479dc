"""The funnel, and what the campaigns brought."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from demo.show.tables import heading, shortened, table

_BAR = 24
_LONGEST_NAME = 29


def funnel_page(report: Mapping[str, Any]) -> str:
    """Stage by stage: who entered it, how many went on, who is in it now."""
    rows = [row for row in report["rows"] if row["entered"]]
    # of the line; nobody goes on from there
    last = [row["stage"] for row in report["rows"] if row["reached"] is not None][-1:]
    most = max((row["entered"] for row in rows), default=1)
    lines = [
        (
            row["stage"],
            "#" * max(1, round(row["entered"] * _BAR / most)),
            str(row["entered"]),
            *(("", "") if row["stage"] in last else (str(row["continued"]), _percent(row["continuation"]))),
            str(row["in_stage_now"]),
            _lost(row["lost_to"]),
        )
        for row in rows
    ]
    shown = table(("stage", "", "entered", "went on", "share", "now", "left to"), lines, left={0, 1, 6})
    tests = report["excluded_tests"]
    left_out = f"{tests} test {'person' if tests == 1 else 'people'} left out"
    return f"{heading('The funnel')}\n{shown}\n\n{report['total']['cohort']} people in all, {left_out}."


def campaigns_page(report: Mapping[str, Any]) -> str:
    """Campaign by campaign: what it cost, and what it was worth."""
    currency = report["parameters"]["currency"]
    rows = [_campaign(row, row["name"]) for row in report["rows"]] + [_campaign(report["total"], "all together")]
    titles = ("campaign", "cost", "people", "leads", "a lead", "mqls", "a mql", "won", "revenue", "ROI")
    credit = {
        "first_touch": "the first campaign that touched them",
        "last_touch": "the last campaign before the first deal",
    }
    by = credit[report["parameters"]["attribution"]]
    return (
        f"{heading('What the campaigns brought')}\n{table(titles, rows)}\n\nAmounts in {currency}. People are credited"
        f" to {by}."
    )


def _campaign(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    each = (_whole(row["cost_per_lead"]), _whole(row["cost_per_mql"]))
    counts = (str(row["touched"]), str(row["leads"]), each[0], str(row["mqls"]), each[1], str(row["customers"]))
    return (shortened(name, _LONGEST_NAME), _whole(row["cost"]), *counts, _whole(row["revenue"]), _percent(row["roi"]))


def _lost(lost_to: Mapping[str, int]) -> str:
    return ", ".join(f"{stage} {count}" for stage, count in lost_to.items())


def _percent(ratio: str | None) -> str:
    return "-" if ratio is None else f"{Decimal(ratio) * 100:.0f} %"


def _whole(amount: str | None) -> str:
    return "-" if amount is None else f"{Decimal(amount):,.0f}"
