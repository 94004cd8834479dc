"""Tokens: who signs, who verifies, for how long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from chassis.errors import Unauthenticated
from chassis.web.auth import (
    Principal,
    TokenIssuer,
    TokenVerifier,
    generate_key_pair,
    issue_token,
    read_private_key,
    read_public_keys,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRIVATE, PUBLIC = generate_key_pair()
KEY = read_private_key(PRIVATE)
KEYS = read_public_keys(PUBLIC)
JANE = Principal("usr_jane", frozenset({"sales", "manager"}), "rep_7", frozenset({"dach"}))


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def verify_token(public_keys: Sequence[Ed25519PublicKey], token: str, now: datetime) -> Principal:
    """As a verifier answers that hears of the token for the first time."""
    return TokenVerifier(public_keys, lambda: now).principal_of(token)


def claims(**changes: Any) -> str:
    """A token with the right signature and other claims."""
    moment = int(NOW.timestamp())
    return jwt.encode(
        {"aud": "rapport", "sub": "x", "iat": moment, "exp": moment + 60} | changes, KEY, algorithm="EdDSA"
    )


@pytest.mark.parametrize("principal", [JANE, Principal("svc_gateway")])
def test_a_token_carries_the_principal(principal: Principal) -> None:
    assert verify_token(KEYS, issue_token(KEY, principal, NOW), NOW) == principal


@pytest.mark.parametrize(("seconds", "is_good"), [(-6, False), (-4, True), (0, True), (64, True), (66, False)])
def test_a_token_lives_a_minute_with_a_little_leeway(seconds: int, is_good: bool) -> None:
    token, then = issue_token(KEY, JANE, NOW), NOW + timedelta(seconds=seconds)
    if is_good:
        verify_token(KEYS, token, then)
    else:
        with pytest.raises(Unauthenticated):
            verify_token(KEYS, token, then)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        claims(aud="another"),
        claims(sub=None),
        claims(exp="soon"),
        claims(roles="admin"),
        jwt.encode({"aud": "rapport", "sub": "x"}, KEY, algorithm="EdDSA"),
        jwt.encode({"aud": "rapport", "sub": "x", "iat": 1, "exp": 9**10}, PUBLIC, algorithm="HS256"),
        jwt.encode({"aud": "rapport", "sub": "x", "iat": 1, "exp": 9**10}, "", algorithm="none"),
    ],
)
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        verify_token(KEYS, token, NOW)


def test_a_changed_token_is_refused() -> None:
    head, body, signature = issue_token(KEY, JANE, NOW).split(".")
    with pytest.raises(Unauthenticated):
        verify_token(KEYS, f"{head}.{body[:-4]}AAAA.{signature}", NOW)


def test_old_and_new_key_are_good_while_they_rotate() -> None:
    new_private, new_public = generate_key_pair()
    both = read_public_keys(f"{PUBLIC}, {new_public}")
    assert verify_token(both, issue_token(KEY, JANE, NOW), NOW) == verify_token(
        both, issue_token(read_private_key(new_private), JANE, NOW), NOW
    )
    with pytest.raises(Unauthenticated):
        verify_token(read_public_keys(new_public), issue_token(KEY, JANE, NOW), NOW)


def test_keys_may_be_pem() -> None:
    private_pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public_pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert (
        verify_token(read_public_keys(public_pem), issue_token(read_private_key(private_pem), JANE, NOW), NOW) == JANE
    )


@pytest.mark.parametrize(
    "text", ["", " , ", "hush", "aHVzaA==", "-----BEGIN PUBLIC KEY-----\nhush\n-----END PUBLIC KEY-----"]
)
def test_what_is_no_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011
        read_public_keys(text)
    assert "hush" not in str(refusal.value)


def test_the_issuer_signs_anew_at_half_life() -> None:
    clock = Clock()
    issuer = TokenIssuer(KEY, clock)
    first = issuer.token_for(JANE)
    clock.now += timedelta(seconds=29)
    assert issuer.token_for(JANE) is first
    assert issuer.token_for(Principal("other")) != first
    clock.now += timedelta(seconds=2)
    assert issuer.token_for(JANE) != first


def test_a_token_that_was_good_runs_out_all_the_same() -> None:
    clock = Clock()
    verifier = TokenVerifier(KEYS, clock)
    token = issue_token(KEY, JANE, NOW)
    assert verifier.principal_of(token) == verifier.principal_of(token) == JANE
    clock.now += timedelta(seconds=70)
    with pytest.raises(Unauthenticated):
        verifier.principal_of(token)
