"""The funnel report: who entered which stage, and who went on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from contracts.values import Value
from services.metrics.domain.money import ratio_text
from services.metrics.domain.stages import Process


class FunnelRow(Value):
    """One stage."""

    stage: str = Field(examples=["mql"])
    entered: int = Field(description="People who entered it in the period")
    continued: int = Field(
        description="Of these, those who entered a stage further down the line since; from a stage aside: who came back to the line"
    )
    continuation: str | None = Field(description="continued / entered; null when nobody entered", examples=["0.4286"])
    reached: int | None = Field(
        description="Of the people who were first seen in the period (total.cohort): who has come this far; null aside the line"
    )
    lost_to: dict[str, int] = Field(description="Of those who entered it in the period: who went straight to which stage aside the line")
    in_stage_now: int = Field(description="People who are in it at present, whenever they came")


class FunnelTotal(Value):
    """All stages together."""

    cohort: int = Field(description="People whose first stage of all began in the period")
    in_stage_now: int = Field(description="People who are in any stage at present")


def funnel_rows(
    process: Process, counts: Mapping[str, int], leavers: Mapping[tuple[str, str], int], present: Mapping[str, int], stages: Sequence[str]
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
                reached=counts[f"reached_{number}"] if stage in process.line else None,
                lost_to={aside: count for (left, aside), count in sorted(leavers.items()) if left == stage},
                in_stage_now=present.get(stage, 0),
            )
        )
    return rows
