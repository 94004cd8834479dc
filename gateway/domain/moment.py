"""When it happened: the sender's claim, corrected by the sender's own clock against ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from contracts.values import Flag
from gateway.domain import written_times

# Below this the difference between sentAt and our clock is the way over the network, not a
# wrong clock; correcting it would shuffle
# events of one visitor that travelled at different speeds.
NOTICEABLE_SKEW = timedelta(seconds=2)
# Beyond this sentAt is not "just before we got it" but the date of an old recording that is being sent again.
SANE_SKEW = timedelta(hours=24)
FUTURE_TOLERANCE = timedelta(seconds=5)

_EPOCH_YEAR = 1970
_DIGITS_OF_A_DATE = 8  # 20260301
_USUAL_CHARACTERS = 40  # 35 for nanoseconds and a zone; what is longer is not remembered
READABLE = "ISO 8601 with a zone (2026-03-01T10:00:00Z), or seconds or milliseconds since 1970"


def occurred(claimed: Any, sent_at: Any, received_at: datetime) -> tuple[datetime, list[Flag]]:
    """The moment (aware UTC) an event happened, and what was odd about the claim.

    Segment's rule: occurred_at = received_at - (sentAt - timestamp), when both are given and the clocks differ
    noticeably yet sanely. Source: https://segment.com/docs/connections/spec/common/#timestamps
    """
    if claimed is None or claimed == "":
        return received_at, [Flag.TIME_MISSING]
    moment = read_moment(claimed)
    if moment is None:
        return received_at, [Flag.TIME_UNREADABLE]
    flags: list[Flag] = []
    skew = _skew(sent_at, received_at)
    if skew is not None:
        moment += skew
        flags.append(Flag.CLOCK_CORRECTED)
    if moment > received_at and moment - received_at > FUTURE_TOLERANCE:
        moment = received_at
        flags.append(Flag.FUTURE_CLAMPED)
    return moment, flags


def read_moment(value: Any) -> datetime | None:
    """ISO 8601 (first: as good as everybody writes it), another way of `written_times`, or seconds, milliseconds,
    microseconds or nanoseconds since 1970, as a number or its digits; None when it is none of these.
    Without a zone: UTC.
    """
    if isinstance(value, str):
        text = value.strip()
        if len(text) > _DIGITS_OF_A_DATE and text.isdigit():  # ISO's reader takes some counts for a date and a time
            return _plausible(written_times.of_text(text))
        moment = _from_text(text)
        return moment if moment is not None else _plausible(written_times.of_text(text))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _plausible(written_times.of_number(value))
    return None


def _skew(sent_at: Any, received_at: datetime) -> timedelta | None:
    if sent_at is None:
        return None
    return (
        _usual_skew(sent_at, received_at)
        if isinstance(sent_at, str) and len(sent_at) <= _USUAL_CHARACTERS
        else _skew_of(sent_at, received_at)
    )


def _skew_of(sent_at: Any, received_at: datetime) -> timedelta | None:
    sent = read_moment(sent_at)
    if sent is None:
        return None
    skew = received_at - sent
    return skew if NOTICEABLE_SKEW < abs(skew) <= SANE_SKEW else None


_usual_skew = lru_cache(maxsize=64)(_skew_of)  # all events of a batch were sent at one moment, and came at one


def _from_text(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not UTC:
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return _plausible(moment)


def _plausible(moment: datetime | None) -> datetime | None:
    # a century on either side leaves room for every correction without leaving the calendar
    return moment if moment is not None and _EPOCH_YEAR <= moment.year <= 9000 else None
