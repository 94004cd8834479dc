"""Who is asking. The gateway signs a short-lived token (EdDSA JWT) for each caller; every service verifies it and
refuses without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from fastapi import Depends
from fastapi.openapi.models import HTTPBearer as BearerModel
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from chassis.errors import Forbidden, Unauthenticated
from chassis.keys import generate_key_pair as generate_key_pair
from chassis.keys import read_private_key as read_private_key
from chassis.keys import read_public_keys as read_public_keys

AUDIENCE = "rapport"
ALGORITHM = "EdDSA"
LEEWAY = timedelta(seconds=5)  # clocks of one installation differ by less
_REMEMBERED = 1024  # verified tokens; an Ed25519 verification costs about 0.1 ms


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and as what."""

    subject: str
    roles: frozenset[str] = frozenset()
    rep_id: str | None = None
    teams: frozenset[str] = frozenset()


def issue_token(private_key: Ed25519PrivateKey, principal: Principal, now: datetime, ttl_seconds: int = 60) -> str:
    """A token that vouches for `principal` until `now + ttl_seconds`."""
    issued_at = int(now.timestamp())
    claims: dict[str, Any] = {
        "aud": AUDIENCE,
        "sub": principal.subject,
        "roles": sorted(principal.roles),
        "iat": issued_at,
        "exp": issued_at + ttl_seconds,
    }
    if principal.rep_id is not None:
        claims["rep_id"] = principal.rep_id
    if principal.teams:
        claims["teams"] = sorted(principal.teams)
    return jwt.encode(claims, private_key, algorithm=ALGORITHM)


class TokenIssuer:
    """Signs tokens and keeps each for half its life, because callers come in streaks and a signature costs."""

    def __init__(self, private_key: Ed25519PrivateKey, clock: Callable[[], datetime], ttl_seconds: int = 60) -> None:
        self._private_key = private_key
        self._clock = clock
        self._ttl_seconds = ttl_seconds
        self._issued: dict[Principal, tuple[datetime, str]] = {}

    def token_for(self, principal: Principal) -> str:
        """A token for `principal` with at least half its life ahead."""
        now = self._clock()
        issued = self._issued.get(principal)
        if issued is not None and issued[0] > now:
            return issued[1]
        token = issue_token(self._private_key, principal, now, self._ttl_seconds)
        if len(self._issued) >= _REMEMBERED:
            self._issued.clear()
        self._issued[principal] = (now + timedelta(seconds=self._ttl_seconds / 2), token)
        return token


class TokenVerifier:
    """Verifies tokens and remembers the good ones until they run out."""

    def __init__(self, public_keys: Sequence[Ed25519PublicKey], clock: Callable[[], datetime]) -> None:
        self._public_keys = tuple(public_keys)
        self._clock = clock
        self._known: dict[str, tuple[Mapping[str, Any], Principal]] = {}

    def principal_of(self, token: str) -> Principal:
        """Who `token` vouches for now. Raises Unauthenticated."""
        known = self._known.get(token)
        if known is None:
            claims = _verified_claims(self._public_keys, token)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[token] = (claims, _principal(claims))
        _refuse_outlived(known[0], self._clock())
        return known[1]

    def principal_of_header(self, authorization: str | None) -> Principal:
        """Who the header `Authorization: Bearer <token>` vouches for. Raises Unauthenticated."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated(
                "The request carries no token", remedy="Send Authorization: Bearer <token>; the gateway issues it"
            )
        return self.principal_of(token.strip())


class InnerToken(SecurityBase):
    """The dependency that hands over the principal which the door (`chassis.web.middleware`) has verified, and tells
    OpenAPI of the scheme.
    """

    def __init__(self) -> None:
        self.model = BearerModel(
            bearerFormat="JWT",
            description="A token of 60 seconds that the gateway signs (EdDSA) for each request it passes on.",
        )
        self.scheme_name = "inner"

    async def __call__(self, connection: HTTPConnection) -> Principal:
        principal = connection.scope.get("rapport.principal")
        if not isinstance(principal, Principal):
            raise Unauthenticated("The request carries no token")
        return principal


INNER_TOKEN = InnerToken()
Caller = Annotated[Principal, Depends(INNER_TOKEN)]
"""The verified principal of a request."""


def require(caller: Principal, *roles: str) -> None:
    """Raises Forbidden unless `caller` has one of `roles`."""
    if caller.roles.isdisjoint(roles):
        raise Forbidden(
            f"This needs one of the roles {', '.join(sorted(roles))}", remedy="Ask an administrator for the role"
        )


def _verified_claims(public_keys: Sequence[Ed25519PublicKey], token: str) -> Mapping[str, Any]:
    options: Any = {
        "verify_exp": False,
        "verify_nbf": False,
        "verify_iat": False,
        "require": ["exp", "iat", "sub", "aud"],
    }
    for public_key in public_keys:
        try:
            return jwt.decode(token, public_key, algorithms=[ALGORITHM], audience=AUDIENCE, options=options)
        except jwt.InvalidSignatureError:
            continue  # signed by another key of the rotation, or by none
        except jwt.InvalidTokenError as refusal:
            raise Unauthenticated(f"The token is not acceptable: {type(refusal).__name__}") from None
    raise Unauthenticated("The token is not signed by a known key")


def _refuse_outlived(claims: Mapping[str, Any], now: datetime) -> None:
    moment, leeway = now.timestamp(), LEEWAY.total_seconds()
    if not isinstance(claims["exp"], int) or not isinstance(claims["iat"], int):
        raise Unauthenticated("The token carries times that are not times")
    if moment > claims["exp"] + leeway:
        raise Unauthenticated("The token has run out", remedy="Ask again with a fresh one")
    if moment < claims["iat"] - leeway:
        raise Unauthenticated("The token is from the future", remedy="Set the clocks right")


def _principal(claims: Mapping[str, Any]) -> Principal:
    roles, teams = claims.get("roles", []), claims.get("teams", [])
    if not isinstance(roles, list) or not isinstance(teams, list):
        raise Unauthenticated("The token's roles and teams are not lists")
    return Principal(claims["sub"], frozenset(map(str, roles)), claims.get("rep_id"), frozenset(map(str, teams)))
