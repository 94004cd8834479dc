"""Moments that callers claim."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chassis.errors import BadInput

_AHEAD = timedelta(minutes=1)  # clocks differ
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_WAIT = timedelta(days=3660)


def happened(claimed: datetime | None, now: datetime) -> datetime:
    """When something happened. Raises BadInput."""
    if claimed is None:
        return now
    if claimed > now + _AHEAD:
        raise BadInput("This has not happened yet", field="body.occurred_at", remedy="Leave it out for now, or name a moment that is over")
    if claimed < _BEFORE_ALL:
        raise BadInput("Nothing was recorded then", field="body.occurred_at", remedy="Name a moment after 1970")
    return claimed


def ahead(wanted: datetime | None, now: datetime) -> datetime | None:
    """When to come back to somebody. Raises BadInput."""
    if wanted is None or now < wanted <= now + _LONGEST_WAIT:
        return wanted
    raise BadInput("This moment is over, or more than ten years ahead", field="body.wake_at", remedy="Name a moment within ten years")
