"""Giving a key another secret while the one before stays good for a stated time, the same for API keys and sources."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from chassis.errors import BadInput, Conflict
from chassis.web.fields import WHOLE, Moment
from gateway.admin.access import AdminRequest, AdminView
from gateway.domain.key_life import MOST_OVERLAP_HOURS, OVERLAP_HOURS, KeyState, overlap_end
from gateway.store import ApiKeyRow, SourceRow

ExpiresAt = Annotated[
    Moment | None,
    Field(
        description="From then on the key answers 401, and says that it expired; left out: it does not end by itself",
        examples=["2027-03-01T00:00:00Z"],
    ),
]


class KeySetElsewhere(Conflict):
    """This key comes from the installation's settings, which would put it back at the next start."""

    slug = "key-set-elsewhere"


class RotationWish(AdminRequest):
    """How a key is rotated."""

    overlap_hours: Annotated[int, Field(ge=0, le=MOST_OVERLAP_HOURS), WHOLE] = Field(
        default=OVERLAP_HOURS,
        description="So long the secret before stays good; 0: it is refused at once, as after a leak",
        examples=[24],
    )
    expires_at: ExpiresAt = Field(default=None, description="When the key expires; left out: as it was said before")


class KeyLifeView(AdminView):
    """How long a key is good, and when it was used."""

    expires_at: datetime | None = Field(
        default=None, description="When it expires; null: it does not end by itself", examples=["2027-03-01T00:00:00Z"]
    )
    last_used_at: datetime | None = Field(
        default=None,
        description="When it was used last, to the minute and written once a minute; null: not since this is recorded",
        examples=["2026-03-01T08:00:00Z"],
    )
    rotated_at: datetime | None = Field(
        default=None, description="When it was given its present secret", examples=["2026-02-01T08:00:00Z"]
    )
    previous_until: datetime | None = Field(
        default=None, description="Until when the secret before is good", examples=["2026-02-02T08:00:00Z"]
    )


STATE = Field(
    description="active; expiring (within 14 days); rotated (the secret before is still good); expired; revoked;"
    " disabled (its source is switched off)",
    examples=[KeyState.ACTIVE],
)


def check_expiry(expires_at: datetime | None, now: datetime) -> None:
    """Raises BadInput for an end that is past."""
    if expires_at is not None and expires_at <= now:
        raise BadInput(
            "The key would have expired already", field="body.expires_at", remedy="Name a later moment, or leave it out"
        )


def rotate(row: ApiKeyRow | SourceRow, hashed: str, wish: RotationWish, now: datetime) -> None:
    """Give `row` the secret of this hash. Raises BadInput when that would be of no use."""
    check_expiry(wish.expires_at, now)
    expires_at = wish.expires_at or row.expires_at
    if expires_at is not None and expires_at <= now:
        raise BadInput(
            "The key has expired, and would stay so",
            field="body.expires_at",
            remedy="Say when the new one is to expire",
        )
    row.previous_until = overlap_end(now, wish.overlap_hours, row.expires_at)
    row.rotated_at, row.expires_at = now, expires_at
    if isinstance(row, ApiKeyRow):
        row.previous_hash, row.key_hash = row.key_hash, hashed
    else:
        row.previous_hash, row.write_key_hash = row.write_key_hash, hashed
