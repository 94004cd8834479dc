"""Posts of services that sign: only whoever knows the secret is heard, and the secret is nowhere to be read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.domain.forms.presets import Preset
from gateway.domain.forms.signatures import SIGNED_SECONDS, check
from gateway.domain.refusal import CaptureRefused, RefusalKind
from gateway.domain.secret_box import SecretBox
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.unit.gateway.recordings import NOW
from tests.unit.gateway.running import Door, gateway_settings, open_door
from tests.unit.gateway.test_form_services import TYPEFORM, WEBFLOW

SECRET = "orchard signing key"
BODY = b'{"form_response": {"token": "t-1"}}'


def mac(message: bytes, secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), message, hashlib.sha256).digest()


def typeform(body: bytes = BODY, secret: str = SECRET) -> dict[bytes, bytes]:
    return {b"typeform-signature": b"sha256=" + base64.b64encode(mac(body, secret))}


def meta(body: bytes = BODY, secret: str = SECRET) -> dict[bytes, bytes]:
    return {b"x-hub-signature-256": b"sha256=" + mac(body, secret).hex().encode()}


def webflow(body: bytes = BODY, secret: str = SECRET, late: float = 0) -> dict[bytes, bytes]:
    at = str(int((NOW.timestamp() - late) * 1000)).encode()
    return {b"x-webflow-timestamp": at, b"x-webflow-signature": mac(at + b":" + body, secret).hex().encode()}


def calendly(body: bytes = BODY, secret: str = SECRET, late: float = 0) -> dict[bytes, bytes]:
    at = str(int(NOW.timestamp() - late)).encode()
    signature = mac(at + b"." + body, secret).hex().encode()
    return {b"calendly-webhook-signature": b"t=" + at + b",v1=" + b"0" * 64 + b",v1=" + signature}


SIGNED = {Preset.TYPEFORM: typeform, Preset.META: meta, Preset.WEBFLOW: webflow, Preset.CALENDLY: calendly}


@pytest.mark.parametrize("preset", SIGNED)
def test_what_is_signed_is_taken_and_nothing_else(preset: Preset) -> None:
    sign: Any = SIGNED[preset]
    assert check(preset, SECRET, sign(), BODY, NOW)
    assert check(None, SECRET, sign(), BODY, NOW), "the header says whose it is"
    name = next(name for name in sign() if name.endswith((b"signature", b"256")))
    for headers in (
        sign(secret="another"),
        sign(body=BODY + b" "),
        sign() | {name: b""},
        sign() | {name: b"sha256="},
        sign() | {name: b"x" * 10_000},
        sign() | {name: "sha256=\xe9t,v1=\xe9,t=1".encode("latin-1")},
    ):
        with pytest.raises(CaptureRefused) as refusal:
            check(preset, SECRET, headers, BODY, NOW)
        assert refusal.value.fault is RefusalKind.FORBIDDEN
        assert SECRET not in refusal.value.told
        assert refusal.value.remedy


@pytest.mark.parametrize("sign", [webflow, calendly])
def test_what_was_signed_long_ago_or_ahead_is_played_again(sign: Any) -> None:
    assert check(None, SECRET, sign(late=SIGNED_SECONDS - 2), BODY, NOW)
    assert check(None, SECRET, sign(late=2 - SIGNED_SECONDS), BODY, NOW)
    for late in (SIGNED_SECONDS + 2, -SIGNED_SECONDS - 2):
        with pytest.raises(CaptureRefused, match="seconds"):
            check(None, SECRET, sign(late=late), BODY, NOW)


@pytest.mark.parametrize("moment", ["", "-5", "1e9", "９" * 10, "9" * 400, "nan"])
def test_a_moment_that_is_none_is_refused(moment: str) -> None:
    written = f"t={moment},v1=00".encode("utf-8", "replace")
    with pytest.raises(CaptureRefused):
        check(None, SECRET, {b"calendly-webhook-signature": written}, BODY, NOW)
    headers = {b"x-webflow-signature": b"00", b"x-webflow-timestamp": moment.encode("utf-8", "replace")}
    with pytest.raises(CaptureRefused):
        check(None, SECRET, headers, BODY, NOW)


def test_only_so_many_signatures_of_a_header_are_looked_at() -> None:
    at = b"t=%d," % int(NOW.timestamp())
    good = calendly()[b"calendly-webhook-signature"].rpartition(b"v1=")[2]
    fourth = {b"calendly-webhook-signature": at + b"v1=0," * 3 + b"v1=" + good}
    assert check(None, SECRET, fourth, BODY, NOW)
    with pytest.raises(CaptureRefused):
        check(None, SECRET, {b"calendly-webhook-signature": at + b"v1=0," * 4 + b"v1=" + good}, BODY, NOW)


def names(headers: dict[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in headers.items()}


async def test_a_signed_post_is_a_lead_once_and_an_unsigned_one_is_listed_without_its_secret(door: Door) -> None:
    wish = {"form_id": "talk", "name": "Talk", "preset": "typeform", "webhook_secret": SECRET}
    made = await door.api("POST", "/v1/forms", json=wish)
    assert (made.status_code, made.json()["has_webhook_secret"]) == (201, True)
    assert SECRET not in made.text
    raw = json.dumps(TYPEFORM).encode()
    for _ in range(2):  # delivered again: the token is the message's id
        answer = await door.client.post("/v1/forms/talk", content=raw, headers=names(typeform(raw)))
        assert answer.status_code == 200, answer.text
    assert len({event.meta.event_id for event in await door.captured()}) == 1

    for headers in ({}, names(typeform(raw, "another")), names(meta(raw))):
        answer = await door.client.post("/v1/forms/talk", content=raw, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, "Typeform-Signature")
    assert len(await door.captured()) == 2

    async def is_listed() -> None:
        listed = (await door.api("GET", "/v1/sources/src_default/rejects")).json()["items"]
        assert [one["field"] for one in listed] == ["Typeform-Signature"] * 3
        assert SECRET not in orjson.dumps(listed).decode()

    await eventually(is_listed)


async def test_a_form_whose_secret_signs_takes_nothing_that_proves_nothing(door: Door) -> None:
    await door.api("POST", "/v1/forms", json={"form_id": "any", "name": "Any", "webhook_secret": SECRET})
    at = str(int((await door_now(door)) * 1000)).encode()
    raw = json.dumps(WEBFLOW).encode()
    signed = {b"x-webflow-timestamp": at, b"x-webflow-signature": mac(at + b":" + raw).hex().encode()}
    assert (await door.client.post("/v1/forms/any", content=raw, headers=names(signed))).status_code == 200
    for content, kind in ((raw, "application/json"), (b"email=a@b.example", "application/x-www-form-urlencoded")):
        answer = await door.client.post("/v1/forms/any", content=content, headers={"content-type": kind})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, "body")
    await door.api("PATCH", "/v1/forms/any", json={"webhook_secret": None})
    assert (await door.client.post("/v1/forms/any", content=raw)).status_code == 200


async def door_now(door: Door) -> float:
    return door.runtime.clock().timestamp()


async def test_meta_asks_with_a_token_and_signs_with_the_app_s_secret(door: Door) -> None:
    wish = {"form_id": "ads", "name": "Ads", "preset": "meta_lead_ads", "webhook_secret": SECRET}
    await door.api("POST", "/v1/forms", json=wish | {"verify_token": "our-token"})
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158", "hub.verify_token": "our-token"}
    answer = await door.client.get("/v1/forms/ads", params=asked)
    assert (answer.status_code, answer.text) == (200, "1158")
    assert (await door.client.get("/v1/forms/ads", params=asked | {"hub.verify_token": SECRET})).status_code == 403
    raw = b'{"id": "4440001", "field_data": [{"name": "email", "values": ["ines@orchard.example"]}]}'
    assert (await door.client.post("/v1/forms/ads", content=raw)).status_code == 403
    assert (await door.client.post("/v1/forms/ads", content=raw, headers=names(meta(raw)))).status_code == 200


async def test_a_secret_is_stored_encrypted_and_with_another_signing_key_asked_for_anew(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    settings = gateway_settings(nats_server.url, tmp_path / "gateway.db")
    async with open_door(settings) as door:
        await door.api("POST", "/v1/forms", json={"form_id": "f", "name": "F", "webhook_secret": SECRET})
        (form,) = [form for form in door.runtime.service.directory.known.forms.values() if form.form_id == "f"]
        assert form.secret == SECRET
        assert SECRET not in repr(form)
        door.runtime.service.directory._box = SecretBox(other_key())
        await door.runtime.service.directory.refresh()
        answer = await door.client.post("/v1/forms/f", content=BODY, headers=names(typeform()))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, "webhook_secret")
    assert all(SECRET.encode() not in raw for raw in files_in(tmp_path))


def files_in(folder: Path) -> list[bytes]:
    found = [path.read_bytes() for path in folder.glob("gateway.db*")]
    assert found
    return found


def other_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def test_what_is_sealed_for_one_form_opens_for_no_other() -> None:
    box = SecretBox(other_key())
    sealed = box.seal(SECRET, "form_a", b"n" * 12)
    assert box.open(sealed, "form_a") == SECRET
    assert box.open(sealed, "form_b") is None
    assert box.open("no base64!", "form_a") is None
    assert box.open("", "form_a") is None
