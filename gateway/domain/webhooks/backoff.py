"""What an answer means, and when a delivery is tried again: soon at first, then hourly for about a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final

_HOUR: Final = 3_600
SCHEDULE_SECONDS: Final = (5, 30, 120, 600, 1_800, *([_HOUR] * 25))
"""Pauses before the second attempt and those that follow: about 25 hours. No pause is longer than an hour, so that a
receiver that comes back after a night is not left alone until the next one.
"""
MOST_ATTEMPTS: Final = len(SCHEDULE_SECONDS) + 1
_SPREAD: Final = 0.2
_LONGEST_WISH: Final = 24 * _HOUR
_GONE: Final = 410


class Reception(StrEnum):
    """What an answer says of a delivery."""

    DELIVERED = "delivered"
    AGAIN = "again"
    GONE = "gone"  # of the endpoint: nobody wants any of it


def verdict_of(status: int | None) -> Reception:
    """By the status of the answer; None: there was none. A redirect is no delivery, and is not followed."""
    if status is not None and 200 <= status < 300:
        return Reception.DELIVERED
    return Reception.GONE if status == _GONE else Reception.AGAIN


def next_attempt(attempts: int, now: datetime, dice: float, wish_seconds: float | None = None) -> datetime | None:
    """When to try again after `attempts` (1, 2, ...) that failed; None: never. `dice` (0 to 1) spreads what failed
    together; `wish_seconds` is what the receiver asked for by Retry-After, and goes before a shorter pause.
    """
    if attempts > len(SCHEDULE_SECONDS):
        return None
    pause = SCHEDULE_SECONDS[attempts - 1] * (1 - _SPREAD + 2 * _SPREAD * dice)
    return now + timedelta(seconds=max(pause, wish_seconds or 0.0))


def wish_of(retry_after: str | None, now: datetime) -> float | None:
    """Seconds of the header Retry-After (a number, or a date), a day at most; None: it says nothing."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:9]), _LONGEST_WISH))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(max(0.0, (aware - now).total_seconds()), float(_LONGEST_WISH))


def is_given_up(failing_since: datetime | None, now: datetime, patience: timedelta) -> bool:
    """Whether an endpoint that has answered nothing well since then is to be switched off."""
    return failing_since is not None and now - failing_since >= patience
