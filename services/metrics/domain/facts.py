"""What metrics keeps of what it hears. Each fact hangs on a fragment; whose it is, is decided when a report is asked for.

The names of the fields are those of the columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Presence(NamedTuple):
    """What is known of a fragment as such: captures from real and from test sources, the last mark, the last word on `is_test`, and when the person
    whose oldest it is was first seen: that is where everybody begins, and nobody tells of it.

    Keys order what was said by time, then by event; they are empty while nothing was. A tuple, as some are made for each event.
    """

    fragment_id: str
    has_real: bool = False
    has_test: bool = False
    is_marked: bool = False
    mark_key: str = ""
    told_test: bool = False
    told_key: str = ""
    first_us: int | None = None
    first_told_us: int | None = None

    def joined(self, other: Presence) -> Presence:
        """Both together: the same whatever came first, and however often it came."""
        marked = other if other.mark_key > self.mark_key else self
        told = other if other.told_key > self.told_key else self
        first = other if other.is_seen_before(self) else self
        return Presence(
            fragment_id=self.fragment_id,
            has_real=self.has_real or other.has_real,
            has_test=self.has_test or other.has_test,
            is_marked=marked.is_marked,
            mark_key=marked.mark_key,
            told_test=told.told_test,
            told_key=told.told_key,
            first_us=first.first_us,
            first_told_us=first.first_told_us,
        )

    def is_seen_before(self, other: Presence) -> bool:
        """Whether this knows of an earlier first time; what was told first counts."""
        if self.first_us is None or self.first_told_us is None:
            return False
        if other.first_us is None or other.first_told_us is None:
            return True
        return (self.first_told_us, self.first_us) < (other.first_told_us, other.first_us)


@dataclass(frozen=True, slots=True)
class Touch:
    """Somebody came by a link that says where from."""

    interaction_id: str
    fragment_id: str
    tag_id: str
    occurred_us: int
    received_us: int
    is_test: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What all facts from people_kernel services have in common."""

    event_id: str
    fragment_id: str
    occurred_us: int
    told_us: int


@dataclass(frozen=True, slots=True)
class StageTold(Told):
    """`person_id` is who it was said of then; a correction is no move."""

    person_id: str
    stage: str
    previous: str | None
    is_correction: bool


@dataclass(frozen=True, slots=True)
class ClockTold(Told):
    """A clock was started, kept or breached."""

    kind: str
    clock: str
    was_breached: bool


@dataclass(frozen=True, slots=True)
class DealTold(Told):
    """An opportunity was opened (step 0), advanced (1), won (2) or lost (3)."""

    opportunity_id: str
    step: int
    amount_e4: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class ReferralTold(Told):
    """A referral was offered, accepted, returned, or expired."""

    referral_id: str
    rep_id: str
    kind: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class TreatmentTold(Told):
    """A treatment was chosen for somebody."""

    treatment_id: str
    campaign_id: str | None
