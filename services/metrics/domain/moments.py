"""Moments as whole microseconds since 1970: both stores can subtract and sort them exactly."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_FIRST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(us: int) -> datetime:
    """The aware moment, in UTC; the first or the last that there is, where it lies beyond."""
    return _EPOCH + min(max(us, _FIRST), _LAST) * _MICROSECOND


def midnight(day: date, zone: ZoneInfo) -> int:
    """When `day` begins in `zone`, in microseconds."""
    return micros(datetime.combine(day, time(), zone))


def day_of(us: int, zone: ZoneInfo) -> date:
    """The day in `zone` that the moment lies in."""
    try:
        return moment_of(us).astimezone(zone).date()
    except OverflowError:  # the first or last day that there is, seen from the other side of the world
        return moment_of(us).date()


def first_day_from(us: int, zone: ZoneInfo) -> date:
    """The first day in `zone` that begins at this moment or later."""
    day = day_of(us, zone)
    return day if day == date.max or midnight(day, zone) >= us else day + _DAY
