"""Signatures by the Standard Webhooks specification (https://www.standardwebhooks.com), so that receivers check them
with a library they have: HMAC-SHA256 over `id.timestamp.body`, in base64 behind `v1,`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what all begin with
SECRET_BYTES: Final = 32
"""Of entropy. The specification asks for 24 to 64."""
MOST_SECRETS: Final = 3
"""Secrets that sign at once, the newest first: a rotation begun before the last one ended is possible twice."""


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """A secret as it is kept: sealed, and until when it signs beside the newer ones (None: it is the newest)."""

    sealed: str
    expires_at: datetime | None = None

    def row(self) -> dict[str, Any]:
        """As the store holds it."""
        return {"sealed": self.sealed, "expires_at": self.expires_at.isoformat() if self.expires_at else None}

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> KeptSecret:
        """What `row` made."""
        expires_at = row["expires_at"]
        return cls(row["sealed"], datetime.fromisoformat(expires_at) if expires_at else None)


def secret_from(entropy: bytes) -> str:
    """A secret made of `entropy`: `whsec_...`."""
    return SECRET_PREFIX + base64.b64encode(entropy).decode()


def signed_headers(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of one attempt; one signature for each of `secrets`, with spaces between."""
    seconds = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), seconds.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets),
    }


def rotated(kept: Sequence[KeptSecret], sealed: str, now: datetime, until: datetime) -> tuple[KeptSecret, ...]:
    """A new secret before those that still sign; the newest of them signs until `until`, others no longer than they
    would have.
    """
    older = [KeptSecret(one.sealed, min(one.expires_at or until, until)) for one in in_force(kept, now)]
    return (KeptSecret(sealed), *(one for one in older if (one.expires_at or now) > now))[:MOST_SECRETS]


def in_force(kept: Sequence[KeptSecret], now: datetime) -> tuple[KeptSecret, ...]:
    """Those that sign at `now`."""
    return tuple(one for one in kept if one.expires_at is None or one.expires_at > now)


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
