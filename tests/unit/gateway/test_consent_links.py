"""Signed consent links: what a person sees in the browser, and that only their button changes anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chassis.web.auth import Principal, issue_token, read_private_key
from contracts.values import Consent, ConsentChannel
from gateway.domain.consent_link import ConsentLinks, LinkOutlived, LinkUnknown, new_link
from tests.unit.gateway.running import API_KEY, PRIVATE_KEY, Door, PlayedService

PERSON = "per_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
MADE = f"/v1/people/{PERSON}/consent-links"
CONFIRMED = f"/v1/people/{PERSON}:confirm-consent"


@pytest.fixture(autouse=True)
def ledger(identity: PlayedService) -> None:
    identity.says("GET", f"/v1/people/{PERSON}/consent", {"person_id": PERSON, "items": []})
    identity.says("POST", CONFIRMED, {"person_id": PERSON, "items": []})


async def made(door: Door, **asked: Any) -> str:
    body = {"channel": "email", "consent": "granted", **asked}
    answer = await door.client.post(MADE, json=body, headers={"authorization": f"Bearer {API_KEY}"})
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["url"]
    return url[url.index("/v1/consent/") :]


def confirmations(identity: PlayedService) -> list[dict[str, Any]]:
    return [orjson.loads(body) for method, path, body in identity.asked if (method, path) == ("POST", CONFIRMED)]


async def test_looking_changes_nothing_and_the_button_does(door: Door, identity: PlayedService) -> None:
    link = await made(door)
    for _ in range(3):  # a mail scanner, a preview, the person
        page = await door.client.get(link)
        assert page.status_code == 200
        assert "May we contact you by e-mail?" in page.text
        assert '<form method="post">' in page.text
        assert "<script" not in page.text
        assert PERSON not in page.text
        assert "script-src" not in page.headers["content-security-policy"]
        assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
    assert confirmations(identity) == []
    for _ in range(2):
        thanks = await door.client.post(link, content=b"List-Unsubscribe=One-Click")
        assert (thanks.status_code, "Thank you" in thanks.text) == (200, True)
    first, second = confirmations(identity)
    assert first == second  # one statement, however often it is sent
    assert (first["channel"], first["consent"], first["reference"][:4]) == ("email", "granted", "cns_")
    assert identity.callers[-1].roles == {"link"}
    assert identity.callers[-1].subject.startswith("link:")


async def test_a_link_may_withdraw_too(door: Door, identity: PlayedService) -> None:
    link = await made(door, channel="any", consent="withdrawn", expires_in_days=90)
    assert "Shall we no longer contact you by e-mail, phone or post?" in (await door.client.get(link)).text
    assert "You will not hear from us" in (await door.client.post(link)).text
    assert [(one["channel"], one["consent"]) for one in confirmations(identity)] == [("any", "withdrawn")]


async def test_what_nobody_here_signed_changes_nothing_and_says_so(door: Door, identity: PlayedService) -> None:
    link = await made(door)
    forged = ConsentLinks(Ed25519PrivateKey.generate())
    lives = (datetime.now(UTC), 14)
    other = forged.token_of(new_link(PERSON, (ConsentChannel.EMAIL, Consent.GRANTED), "ada", lives))
    inner = issue_token(read_private_key(PRIVATE_KEY), Principal("ada", frozenset({"admin"})), datetime.now(UTC))
    for token in (link[:-6] + "AAAAAA", f"/v1/consent/{other}", f"/v1/consent/{inner}", "/v1/consent/nonsense"):
        for answer in (await door.client.get(token), await door.client.post(token)):
            assert answer.status_code == 404
            assert "Nothing was changed" in answer.text
    assert confirmations(identity) == []


async def test_a_link_is_no_key(door: Door) -> None:
    token = (await made(door)).removeprefix("/v1/consent/")
    answer = await door.client.get("/v1/people", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_a_person_that_is_not_there_and_an_identity_that_is_away(door: Door, identity: PlayedService) -> None:
    link = await made(door)
    identity.says("POST", CONFIRMED, {"title": "gone"}, 404)
    assert (await door.client.post(link)).status_code == 410
    identity.says("POST", CONFIRMED, {"title": "away"}, 503)
    away = await door.client.post(link)
    assert (away.status_code, "Nothing was recorded" in away.text) == (503, True)
    identity.says("GET", f"/v1/people/{PERSON}/consent", {"title": "gone"}, 404)
    absent = await door.client.post(
        MADE, json={"channel": "email", "consent": "granted"}, headers={"authorization": f"Bearer {API_KEY}"}
    )
    assert absent.status_code == 404
    nobody = await door.client.post(MADE, json={"channel": "email", "consent": "granted"})
    assert nobody.status_code == 401


def test_a_link_outlives_its_days_by_nothing_and_holds_what_it_was_made_for() -> None:
    key = Ed25519PrivateKey.generate()
    links, link = ConsentLinks(key), new_link(PERSON, (ConsentChannel.PHONE, Consent.GRANTED), "ada", (NOW, 1))
    token = links.token_of(link)
    assert links.read(token, NOW + timedelta(days=1)) == link
    with pytest.raises(LinkOutlived):
        links.read(token, NOW + timedelta(days=1, seconds=1))
    claims = jwt.decode(token, options={"verify_signature": False})
    unsigned = jwt.encode(claims, "", algorithm="none")
    odd = jwt.encode({**claims, "channel": "fax"}, key, algorithm="EdDSA")
    for one in ("", "a.b.c", unsigned, odd, "x" * 3000):
        with pytest.raises(LinkUnknown):
            links.read(one, NOW)
