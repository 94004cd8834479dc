"""What the server asks and what it is answered: JWTs as nats-io/jwt v2 defines them. Pure but for the issuer's key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nkeys
import orjson

_UNLIMITED = -1  # the claims' word for it; 0 would mean none at all
_VERSION = 2


class Unreadable(Exception):
    """This is not a question that the server asks."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody may do once connected: subjects, nothing beside them.

    `name` is how the server's monitoring calls them.

    After `lifetime_seconds` the server hangs up, and who comes again is decided anew. `account`: where they are let
    into, if not where the callout lets everybody.
    """

    name: str
    publish: Sequence[str] = ()
    subscribe: Sequence[str] = ()
    lifetime_seconds: int | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Somebody wants to connect."""

    issuer: str  # the public key that the server expects the answer to be signed with
    server: str
    user_key: str  # made for this one connection; the answer has to name it
    host: str
    user: str
    password: str


def read_question(token: bytes) -> Question:
    """The question in `token`. Raises Unreadable.

    Its signature is not looked at: it names its own key, and the server lets nobody but itself publish on the subject.
    """
    claims = _payload(token)
    nats = _part(claims, "nats")
    if nats.get("type") != "authorization_request":
        raise Unreadable("it is not an authorization request")
    options, client = _part(nats, "connect_opts"), _part(nats, "client_info")
    return Question(
        issuer=_text(claims, "sub"),
        server=_text(_part(nats, "server_id"), "id"),
        user_key=_text(nats, "user_nkey"),
        host=_text(client, "host", ""),
        user=_text(options, "user", ""),
        password=_text(options, "pass", ""),
    )


def granting(question: Question, grant: Grant, issuer: Issuer, account: str, now: int) -> str:
    """The answer that lets them in, into `account` of the server's configuration unless the grant names another.

    `now`: seconds since 1970.
    """
    user: dict[str, Any] = {
        "type": "user",
        "version": _VERSION,
        "pub": _allowing(grant.publish),
        "sub": _allowing(grant.subscribe),
        # the server does not look at these where accounts stand in its configuration: their limits stand there too
        "subs": _UNLIMITED,
        "data": _UNLIMITED,
        "payload": _UNLIMITED,
    }
    claims: dict[str, Any] = {
        "aud": grant.account or account,
        "sub": question.user_key,
        "iss": issuer.public_key,
        "iat": now,
        "name": grant.name,
        "nats": user,
    }
    if grant.lifetime_seconds is not None:
        claims["exp"] = now + grant.lifetime_seconds
    return _answer(question, {"jwt": _signed(claims, issuer)}, issuer, now)


def refusing(question: Question, reason: str, issuer: Issuer, now: int) -> str:
    """The answer that does not. `reason` is for the server's log; who asked learns nothing of it."""
    return _answer(question, {"error": reason}, issuer, now)


def _answer(question: Question, outcome: Mapping[str, str], issuer: Issuer, now: int) -> str:
    nats = {"type": "authorization_response", "version": _VERSION, **outcome}
    return _signed(
        {"aud": question.server, "sub": question.user_key, "iss": issuer.public_key, "iat": now, "nats": nats}, issuer
    )


def _allowing(subjects: Sequence[str]) -> dict[str, list[str]]:
    return {"allow": list(subjects)} if subjects else {"deny": [">"]}  # to the server an empty list means everything


def _signed(claims: dict[str, Any], issuer: Issuer) -> str:
    identified = claims | {"jti": base64.b32encode(hashlib.sha256(orjson.dumps(claims)).digest()).rstrip(b"=").decode()}
    signed = _encode(orjson.dumps({"typ": "JWT", "alg": "ed25519-nkey"})) + b"." + _encode(orjson.dumps(identified))
    return (signed + b"." + _encode(issuer.sign(signed))).decode()


def _encode(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _payload(token: bytes) -> Mapping[str, Any]:
    parts = token.split(b".")
    if len(parts) != 3:
        raise Unreadable("it is not a JWT")
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + b"=" * (-len(parts[1]) % 4)))
    except (binascii.Error, orjson.JSONDecodeError):
        raise Unreadable("it is not a JWT") from None
    if not isinstance(claims, dict):
        raise Unreadable("its claims are not an object")
    return claims


def _part(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = claims.get(name)
    if not isinstance(part, dict):
        raise Unreadable(f"{name} is missing")
    return part


def _text(claims: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = claims.get(name, default)
    if not isinstance(value, str):
        raise Unreadable(f"{name} is missing")
    return value


_SEED_BYTES = 32


def new_issuer_seed() -> str:
    """A new account key, as the seed that NATS tools read and write (`SA...`)."""
    seed: bytes = nkeys.encode_seed(secrets.token_bytes(_SEED_BYTES), nkeys.PREFIX_BYTE_ACCOUNT)
    return seed.decode()


class Issuer:
    """Signs. Raises ValueError, without quoting it, when `seed` is not that of an account key."""

    def __init__(self, seed: str) -> None:
        try:
            kind, raw = nkeys.decode_seed(seed.strip().encode())
            if kind != nkeys.PREFIX_BYTE_ACCOUNT or len(raw) != _SEED_BYTES:
                raise ValueError
            self._pair = nkeys.from_seed(seed.strip().encode())
        except (ValueError, nkeys.NkeysError):
            raise ValueError("the seed is not that of a NATS account key (58 characters that begin with SA)") from None
        self.public_key: str = self._pair.public_key.decode()

    def sign(self, text: bytes) -> bytes:
        """The Ed25519 signature over `text`."""
        signature: bytes = self._pair.sign(text)
        return signature
