"""What a report is asked for, and what an installation decided about all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from services.metrics.domain.moments import first_day_from, micros, midnight
from services.metrics.domain.stages import Process


class By(StrEnum):
    """Which time decides: when it happened, or when it was told."""

    OCCURRED = "occurred"
    RECEIVED = "received"


class Attribution(StrEnum):
    """Which touch is credited with a person."""

    FIRST_TOUCH = "first_touch"
    LAST_TOUCH = "last_touch"


@dataclass(frozen=True, slots=True)
class Reporting:
    """One reporting currency, time zone and process per installation."""

    currency: str = "EUR"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    process: Process = field(default_factory=Process)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start_us` up to, but not with, `end_us`; None: without end on that side. Days belong to it when they begin in it."""

    start_us: int | None = None
    end_us: int | None = None
    first_day: date | None = None
    end_day: date | None = None


def period_of(start: date | datetime | None, end: date | datetime | None, zone: ZoneInfo) -> Period:
    """The period between two bounds; a bare date is the midnight it begins with in `zone`."""
    start_us, end_us = _bound(start, zone), _bound(end, zone)
    return Period(
        start_us,
        end_us,
        None if start_us is None else first_day_from(start_us, zone),
        None if end_us is None else first_day_from(end_us, zone),
    )


def _bound(given: date | datetime | None, zone: ZoneInfo) -> int | None:
    if given is None:
        return None
    return micros(given) if isinstance(given, datetime) else midnight(given, zone)


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `campaign_id` and `channel` choose people by the campaign that `attribution` credits with them."""

    period: Period = field(default_factory=Period)
    by: By = By.OCCURRED
    attribution: Attribution = Attribution.FIRST_TOUCH
    campaign_id: str | None = None
    channel: str | None = None

    @property
    def is_filtered(self) -> bool:
        return self.campaign_id is not None or self.channel is not None
