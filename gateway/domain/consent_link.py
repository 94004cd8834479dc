"""A signed link by which a person says themselves whether they may be reached: what it holds, made and read.

A JWT (EdDSA) for an audience of its own, signed with the key that the inner tokens are signed with: neither passes for
the other. Who opens it proves that they read what was sent to them, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.ids import derive_id
from contracts.values import Consent, ConsentChannel

AUDIENCE: Final = "rapport-consent"
_ALGORITHM: Final = "EdDSA"
_LONGEST_TOKEN: Final = 2_000


class LinkOutlived(Exception):
    """The link was good once."""


class LinkUnknown(Exception):
    """Nobody here signed it."""


@dataclass(frozen=True, slots=True)
class ConsentLink:
    """What somebody confirms by it. `reference` makes it one statement however often it is confirmed."""

    person_id: str
    channel: ConsentChannel
    consent: Consent
    issued_by: str
    reference: str
    expires_at: datetime


def new_link(
    person_id: str, asked: tuple[ConsentChannel, Consent], by: str, lives: tuple[datetime, int]
) -> ConsentLink:
    """A link that is good from `lives[0]` on for `lives[1]` days."""
    (channel, consent), (now, days) = asked, lives
    reference = derive_id("cns", now, "link", person_id, channel.value, consent.value, by, now.isoformat())
    return ConsentLink(person_id, channel, consent, by, reference, now + timedelta(days=days))


class ConsentLinks:
    """Signs links and reads them back."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self._public_key = private_key.public_key()

    def token_of(self, link: ConsentLink) -> str:
        claims: dict[str, Any] = {
            "aud": AUDIENCE,
            "sub": link.person_id,
            "jti": link.reference,
            "exp": int(link.expires_at.timestamp()),
            "channel": link.channel.value,
            "consent": link.consent.value,
            "by": link.issued_by,
        }
        return jwt.encode(claims, self._private_key, algorithm=_ALGORITHM)

    def read(self, token: str, now: datetime) -> ConsentLink:
        """What a token holds. Raises LinkOutlived, LinkUnknown."""
        options: Any = {"verify_exp": False, "require": ["exp", "sub", "aud", "jti"]}
        try:
            if len(token) > _LONGEST_TOKEN:
                raise LinkUnknown
            claims = jwt.decode(token, self._public_key, algorithms=[_ALGORITHM], audience=AUDIENCE, options=options)
            link = ConsentLink(
                person_id=claims["sub"],
                channel=ConsentChannel(claims["channel"]),
                consent=Consent(claims["consent"]),
                issued_by=claims["by"],
                reference=claims["jti"],
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            )
        except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, OverflowError) as error:
            raise LinkUnknown from error
        if now > link.expires_at:
            raise LinkOutlived
        return link
