"""What the report on referrals answers: its rows and total, and the clocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import Field

from contracts.values import Value
from services.metrics.domain.reports import seconds


class ReferralFigures(Value):
    """What became of referrals."""

    offered: int = Field(description="Offers made to reps in the period", examples=[48])
    accepted: int = Field(description="Referrals accepted in the period", examples=[31])
    returned: int = Field(description="Referrals returned in the period", examples=[9])
    returned_by_reason: dict[str, int] = Field(
        description="Of these, how many for which reason", examples=[{"bad_timing": 2}]
    )
    expired: int = Field(description="Offers that ran out unanswered in the period", examples=[8])
    median_acceptance: float | None = Field(
        description="Seconds from the offer to the acceptance, of acceptances in the period; null without any",
        examples=[1800.0],
    )


class ReferralRow(ReferralFigures):
    """One rep."""

    rep_id: str = Field(description="The rep", examples=["rep_01J8Z0"])


class ClockRow(Value):
    """One clock that marketing and sales agreed on."""

    clock: str = Field(description="The clock's name", examples=["acceptance"])
    started: int = Field(description="Clocks started in the period", examples=[48])
    kept: int = Field(description="Stopped in time", examples=[40])
    kept_late: int = Field(description="Stopped after time was up", examples=[3])
    breached: int = Field(description="Time was up and nothing had happened", examples=[5])


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
