"""How long a key is good: until it expires, is revoked, or, of the secret before the last rotation, until the overlap
is over.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

EXPIRES_SOON = timedelta(days=14)
"""From when on a key is shown as expiring: somebody has to give out another in that time."""
OVERLAP_HOURS = 24
MOST_OVERLAP_HOURS = 30 * 24


class KeyState(StrEnum):
    """How a key stands now."""

    ACTIVE = "active"
    EXPIRING = "expiring"  # within EXPIRES_SOON
    ROTATED = "rotated"  # the secret before is still good
    EXPIRED = "expired"
    REVOKED = "revoked"
    DISABLED = "disabled"  # of a source that is switched off


class KeyFate(StrEnum):
    """Why a secret is good no more."""

    EXPIRED = "expired"
    REPLACED = "replaced"
    REVOKED = "revoked"
    DISABLED = "disabled"


class KeyLife(NamedTuple):
    """What is known of a key's life. `off`: whether, and how, somebody ended it."""

    off: KeyFate | None
    expires_at: datetime | None
    previous_until: datetime | None  # until when the secret before is good


class SecretEnd(NamedTuple):
    """When a secret that is good ends, and why."""

    at: datetime
    why: KeyFate


class LostSecret(NamedTuple):
    """A secret that is good no more: the key or source it was of, why, and since when, where that is known."""

    owner_id: str
    why: KeyFate
    at: datetime | None


def state_of(life: KeyLife, now: datetime) -> KeyState:
    """How the key stands; the worst that is true of it."""
    if life.off is not None:
        return KeyState.REVOKED if life.off is KeyFate.REVOKED else KeyState.DISABLED
    if life.expires_at is not None and life.expires_at <= now:
        return KeyState.EXPIRED
    if life.previous_until is not None and life.previous_until > now:
        return KeyState.ROTATED
    if life.expires_at is not None and life.expires_at - EXPIRES_SOON <= now:
        return KeyState.EXPIRING
    return KeyState.ACTIVE


def end_of(life: KeyLife, *, is_previous: bool) -> SecretEnd | None:
    """When the secret, or the one before it, ends; None: nobody said."""
    expiry = None if life.expires_at is None else SecretEnd(life.expires_at, KeyFate.EXPIRED)
    if not is_previous or life.previous_until is None:
        return expiry
    return SecretEnd(life.previous_until, KeyFate.REPLACED)


def overlap_end(now: datetime, hours: float, expires_at: datetime | None) -> datetime:
    """Until when the secret before stays good: for the overlap, and never for longer than it was to be anyway."""
    end = now + timedelta(hours=hours)
    return end if expires_at is None else min(end, expires_at)
