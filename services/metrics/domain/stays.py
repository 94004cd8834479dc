"""The report on time in stage."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import AwareDatetime, Field

from contracts.values import Value
from services.metrics.domain.moments import moment_of

SECOND = 1_000_000  # microseconds


class StayRow(Value):
    """One stage. Times are seconds, exact to the millisecond."""

    stage: str = Field(examples=["mql"])
    n: int = Field(description="Stays that ended in the period")
    median: float | None = Field(description="Half of them were no longer; the mean of the two middle ones where there are two")
    p90: float | None = Field(description="The shortest time that nine of ten were not longer than")
    mean: float | None
    still_in: int = Field(description="People who are in it at present")
    longest_since: AwareDatetime | None = Field(description="Since when the one who has been in it longest")


class StayTotal(Value):
    """All stages together."""

    n: int
    still_in: int


@dataclass(frozen=True, slots=True)
class Stays:
    """What the store found of one stage: the number of stays, the two middle ones, the 90th of a hundred and the sum, in microseconds."""

    n: int
    low_us: int
    high_us: int
    p90_us: int
    sum_us: int


def seconds(us: int, shared_by: int = 1) -> float:
    """Microseconds / `shared_by` in seconds, rounded half up to milliseconds."""
    return ((2 * us + 1_000 * shared_by) // (2_000 * shared_by)) / 1_000


def stay_row(stage: str, stays: Stays | None, still_in: int, since_us: int | None) -> StayRow:
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
