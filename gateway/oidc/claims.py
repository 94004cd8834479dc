"""What a token says, once its signature holds: whether it is for us and for now, and whom it makes of its bearer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.errors import Unauthenticated
from chassis.web.auth import Principal

ROLES = frozenset({"marketing", "sales", "manager", "agent", "ops", "admin"})
_REP_ID = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_SUBJECT = re.compile(r"[\x21-\x7e]{1,255}")  # https://openid.net/specs/openid-connect-core-1_0.html#IDToken
_MOST_TEAMS = 50


class TokenRefused(Unauthenticated):
    """A token of the sign-in service that is not acceptable."""

    slug = "token-refused"


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What is expected of a token, and which claims say what; names may be dotted paths (`realm_access.roles`)."""

    issuer: str
    audiences: tuple[str, ...]
    role_claim: str = "roles"
    role_mapping: Mapping[str, str] = field(default_factory=dict)  # empty: the values are our roles
    rep_claim: str = "rep_id"
    teams_claim: str = "teams"
    leeway_seconds: float = 30.0


def check_times(claims: Mapping[str, Any], now: datetime, leeway: float) -> None:
    """Raises TokenRefused unless the token is good now, give or take `leeway` seconds."""
    moment = now.timestamp()
    expires, begins, issued = (_time(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None or issued is None:
        raise TokenRefused("The token does not say when it was issued and when it ends (iat, exp)")
    if moment >= expires + leeway:
        raise TokenRefused("The token has expired", remedy="Sign in again, or have it refreshed")
    if (begins is not None and moment < begins - leeway) or moment < issued - leeway:
        raise TokenRefused("The token is not valid yet", remedy="Set the clocks right: it is from the future")


def check_addressed(claims: Mapping[str, Any], rules: ClaimRules) -> None:
    """Raises TokenRefused unless it is this issuer's, and for one of our audiences."""
    if claims.get("iss") != rules.issuer:
        raise TokenRefused("The token is of another issuer", remedy=f"Sign in at {rules.issuer}")
    meant = claims.get("aud")
    named = [meant] if isinstance(meant, str) else meant if isinstance(meant, list) else []
    if not any(isinstance(one, str) and one in rules.audiences for one in named):
        raise TokenRefused("The token is for another audience", remedy="Ask for a token for this API")


def principal_in(claims: Mapping[str, Any], rules: ClaimRules) -> Principal:
    """Whom the token makes of its bearer: `<issuer>#<sub>`, with the roles that are known here. Raises TokenRefused."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise TokenRefused("The token names nobody (sub)")
    rep_id = _at(claims, rules.rep_claim)
    if rep_id is not None and not (isinstance(rep_id, str) and _REP_ID.fullmatch(rep_id)):
        raise TokenRefused(
            f"The token's {rules.rep_claim} is not the id of a rep", remedy="Set it as GET /v1/reps has it"
        )
    told = _texts(_at(claims, rules.role_claim))
    roles = {rules.role_mapping.get(one, "") for one in told} if rules.role_mapping else told
    teams = frozenset(list(_texts(_at(claims, rules.teams_claim)))[:_MOST_TEAMS])
    # an issuer has no fragment, so that this can be nobody else
    return Principal(f"{rules.issuer}#{subject}", frozenset(roles) & ROLES, rep_id, teams)


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise TokenRefused(f"The token's {name} is not a time")
    return float(value)


def _at(claims: Mapping[str, Any], path: str) -> Any:
    if path in claims:  # names may be addresses, with dots in them
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.split()
    return [one for one in value if isinstance(one, str) and 0 < len(one) <= 100] if isinstance(value, list) else []
