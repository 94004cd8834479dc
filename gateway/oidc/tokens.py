"""Tokens of the sign-in service, checked: by a key of the issuer and by that key's own algorithm, for us, for now.

A good one is remembered by its hash until it ends or the issuer's keys are others: a signature costs a tenth of a
millisecond, and callers come in streaks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import jwt

from chassis.errors import Unavailable
from chassis.web.auth import Principal
from contracts.values import JsonObject
from gateway.domain.keys import hash_of
from gateway.oidc.claims import ClaimRules, TokenRefused, check_addressed, check_times, principal_in
from gateway.oidc.key_set import ALGORITHMS, KeySet

_REMEMBERED = 10_000
_MOST_CHARACTERS = 8_192
_PARTS = 3
_CHECKED_HERE: Any = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


class _Seen(NamedTuple):
    claims: Mapping[str, Any]  # times alone
    principal: Principal
    version: int | None  # of the key set; None: another process has checked it


class TokenDesk:
    """Says who bears a token."""

    def __init__(self, keys: KeySet, rules: ClaimRules, clock: Callable[[], datetime]) -> None:
        self._keys = keys
        self._rules = rules
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    async def prepare(self, token: str) -> None:
        """Look for the token's key where it is not known: the only call to outside on the way of a request."""
        header = _header(token) if _looks_like_one(token) else None
        if header is not None and header.get("alg") in ALGORITHMS and not self._keys.knows(_key_id(header)):
            await self._keys.look_again()

    def principal_of(self, token: str) -> Principal | None:
        """Who `token` is; None: it is no token at all. Raises TokenRefused, Unavailable while no key is known."""
        if not _looks_like_one(token):
            return None
        hashed = hash_of(token)
        seen = self._good(hashed)
        if seen is None:
            claims = self._verified(token)
            check_addressed(claims, self._rules)
            check_times(claims, self._clock(), self._rules.leeway_seconds)
            times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
            seen = _Seen(times, principal_in(claims, self._rules), self._keys.version)
            self._remember(hashed, seen)
        return seen.principal

    def principal_by_hash(self, hashed: str) -> Principal | None:
        """Who a token is that was good here before; None: it is unknown, or good no more."""
        try:
            seen = self._good(hashed)
        except TokenRefused:
            return None
        return None if seen is None else seen.principal

    def told(self, hashed: str) -> JsonObject | None:
        """What another process needs to know of a token that is good here."""
        seen = self._good(hashed)
        if seen is None:
            return None
        who = seen.principal
        said = {"subject": who.subject, "roles": sorted(who.roles), "rep_id": who.rep_id, "teams": sorted(who.teams)}
        return said | {"times": dict(seen.claims)}

    def believe(self, hashed: str, told: JsonObject) -> None:
        """Take another process's word (`told`) for a token."""
        who = Principal(told["subject"], frozenset(told["roles"]), told["rep_id"], frozenset(told["teams"]))
        self._remember(hashed, _Seen(told["times"], who, None))

    def _good(self, hashed: str) -> _Seen | None:
        seen = self._seen.get(hashed)
        if seen is None or seen.version not in (None, self._keys.version):
            return None
        check_times(seen.claims, self._clock(), self._rules.leeway_seconds)
        return seen

    def _remember(self, hashed: str, seen: _Seen) -> None:
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[hashed] = seen

    def _verified(self, token: str) -> Mapping[str, Any]:
        header = _header(token)
        algorithm = None if header is None else header.get("alg")
        if header is None or algorithm not in ALGORITHMS or "crit" in header:
            raise TokenRefused(
                f"The token is not signed by {', '.join(ALGORITHMS[:-1])} or {ALGORITHMS[-1]}",
                remedy="Send a token of the sign-in service, as it gave it",
            )
        if self._keys.is_empty:
            raise Unavailable("Tokens cannot be checked now: the keys of the sign-in service were not reached yet")
        key = self._keys.find(_key_id(header), algorithm)
        if key is None:
            raise TokenRefused("The token is signed by a key that the sign-in service does not have")
        try:
            claims: Mapping[str, Any] = jwt.decode(token, key.key, algorithms=[key.algorithm], options=_CHECKED_HERE)
        except jwt.InvalidTokenError:
            raise TokenRefused("The token's signature does not hold") from None
        return claims


def _looks_like_one(token: str) -> bool:
    return token.startswith("eyJ") and token.count(".") == _PARTS - 1 and len(token) <= _MOST_CHARACTERS


def _header(token: str) -> Mapping[str, Any] | None:
    try:
        return jwt.get_unverified_header(token)
    except jwt.InvalidTokenError:
        return None


def _key_id(header: Mapping[str, Any]) -> str | None:
    key_id = header.get("kid")
    return key_id if isinstance(key_id, str) else None
