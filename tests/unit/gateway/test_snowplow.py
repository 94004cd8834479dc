"""Snowplow's trackers: what they say in two letters and base64 is read as any capture is."""

from __future__ import annotations

import base64
import json
from typing import Any

import orjson
import pytest

from chassis.settings import SettingsRefused
from contracts.events.gateway import InteractionReceived
from contracts.limits import EVENT_LEVELS
from contracts.values import Flag
from gateway.domain.batch import read_batch
from gateway.domain.protocols.snowplow import segment_event
from gateway.domain.refusal import CaptureRefused
from tests.support.eventually import eventually
from tests.unit.gateway.recordings import arrival
from tests.unit.gateway.running import WRITE_KEY, Door, gateway_settings, open_door

POSTS = "/com.snowplowanalytics.snowplow/tp2"
ODD = "?>?>~~\u00ff???>>>"  # in base64 for addresses it has the letters that others write otherwise
DEVICE, CHROME = {"duid": "6f1d2a0c", "eid": "e-1"}, {"user-agent": "Mozilla/5.0 Chrome/156"}


def described(name: str, data: Any) -> dict[str, Any]:
    return {"schema": f"iglu:example.orchard/{name}/jsonschema/1-0-0", "data": data}


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, ensure_ascii=False).encode()).decode().rstrip("=")


def unstruct(name: str, data: Any) -> dict[str, Any]:
    return described("unstruct_event", described(name, data))


def read(**event: Any) -> InteractionReceived:
    reading = read_batch({"batch": [segment_event(event)]}, 5_000, arrival())
    (capture,) = reading.captures
    return InteractionReceived.from_wire(capture.headers(), capture.body)


def test_a_page_view_is_a_page_with_its_campaign_screen_and_device() -> None:
    event = read(
        e="pv", url="https://orchard.example/prices?utm_source=news", page="Prices", refr="https://search.example/",
        res="1920x1080", vp="800x600", lang="de-CH", tz="Europe/Zurich", tv="js-4.10.1", **DEVICE,
    )  # fmt: skip
    said = event.interaction
    assert (said.kind, said.name, said.message_id) == ("page", "Prices", "e-1")
    assert said.properties["search"] == "?utm_source=news"
    assert said.properties["referrer"] == "https://search.example/"
    assert said.context["screen"] == {"width": 1920, "height": 1080, "viewport_width": 800, "viewport_height": 600}
    assert (said.context["locale"], said.context["timezone"]) == ("de-CH", "Europe/Zurich")
    assert [(one.kind, one.value) for one in event.identifiers] == [("anonymous_id", "6f1d2a0c")]


def test_whoever_is_named_is_known_by_user_and_device() -> None:
    event = read(e="se", se_ca="demo", se_ac="Demo Requested", se_va="40", uid="u-7", nuid="network-1", eid="e-2")
    assert [(one.kind, one.value) for one in event.identifiers] == [("user_id", "u-7"), ("anonymous_id", "network-1")]
    assert event.interaction.name == "Demo Requested"
    assert event.interaction.properties == {"category": "demo", "action": "Demo Requested", "value": 40.0}


@pytest.mark.parametrize("is_packed", [False, True])
def test_self_describing_events_and_contexts_are_read_plain_and_in_base64(is_packed: bool) -> None:
    what, around = (
        unstruct("trial_started", {"seats": 40, "odd": ODD}),
        described("contexts", [described("plan", {"tier": "pro"})]),
    )
    if is_packed:
        event = read(e="ue", ue_px=packed(what), cx=packed(around), **DEVICE)
    else:
        event = read(e="ue", ue_pr=json.dumps(what), co=json.dumps(around), **DEVICE)
    assert event.interaction.name == "Trial Started"
    assert (event.interaction.properties["seats"], event.interaction.properties["odd"]) == (40, ODD)
    assert event.interaction.context["entities"] == [described("plan", {"tier": "pro"})]


def test_a_form_that_a_tracker_heard_of_says_who_sent_it() -> None:
    elements = [{"name": "email", "value": "ines@orchard.example", "nodeName": "INPUT"}, {"name": "x", "value": None}]
    event = read(e="ue", ue_px=packed(unstruct("submit_form", {"formId": "f", "elements": elements})), **DEVICE)
    assert event.interaction.name == "Submit Form"
    assert ("email", "ines@orchard.example") in [(one.kind, one.value) for one in event.identifiers]


def test_a_phone_s_session_names_its_device() -> None:
    around = described("contexts", [described("client_session", {"userId": "phone-1", "sessionIndex": 3})])
    assert read(e="pp", pp_miy="10", eid="e", co=json.dumps(around)).identifiers[0].value == "phone-1"


def test_the_device_s_clock_is_corrected_and_the_true_time_is_not() -> None:
    sent = {"dtm": "1795315600000", "stm": "1795315700000"}  # it is a hundred seconds slow
    assert read(e="pp", **sent, **DEVICE).interaction.flags == (Flag.CLOCK_CORRECTED,)
    assert str(read(e="pp", ttm="1763000000000", **DEVICE).interaction.occurred_at) == "2025-11-13 02:13:20+00:00"


DEEP = '{"schema":"s","data":' + "[" * 500 + "]" * 500 + "}"


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"e": "xx"}, "e"),
        ({}, "e"),
        ({"e": "pv", "url": "https://a.example"}, "duid"),
        ({"e": "se", **DEVICE}, "se_ac"),
        ({"e": "ue", **DEVICE}, "ue_px"),
        ({"e": "ue", "ue_px": "%%%", **DEVICE}, "ue_px"),
        ({"e": "ue", "ue_px": 7, **DEVICE}, "ue_px"),
        ({"e": "ue", "ue_pr": "[]", **DEVICE}, "ue_pr"),
        ({"e": "ue", "ue_pr": DEEP, **DEVICE}, "ue_pr"),
        ({"e": "ue", "ue_pr": '{"data":{"schema":"no","data":{}}}', **DEVICE}, "ue_pr"),
        ({"e": "pv", "cx": packed("x"), **DEVICE}, "cx"),
        ("x", "data"),
    ],
)
def test_what_is_wrong_is_named_by_snowplow_s_own_names(event: Any, field: str) -> None:
    with pytest.raises(CaptureRefused) as refusal:
        segment_event(event)
    assert refusal.value.field == field


def test_what_is_packed_nests_no_deeper_than_anything_else() -> None:
    with pytest.raises(CaptureRefused, match=str(EVENT_LEVELS)):
        segment_event({"e": "ue", "ue_pr": DEEP, **DEVICE})


async def test_a_post_is_on_disk_under_the_source_of_its_app_id_and_bad_events_are_named(door: Door) -> None:
    wish = {"name": "shop", "app_ids": ["shop"]}
    source_id = (await door.api("POST", "/v1/sources", json=wish)).json()["source_id"]
    events = [
        {"e": "pv", "aid": "shop", **DEVICE},
        {"e": "zz", "aid": "shop"},
        {"e": "pp", "aid": WRITE_KEY, "uid": "u"},
    ]
    body = {"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": events}
    answer = await door.client.post(POSTS, json=body, headers=CHROME | {"origin": "https://shop.example"})
    assert (answer.status_code, answer.json()["rejected"]) == (
        200,
        [{"index": 1, "field": "e", "reason": "must be one of pv, pp, se, ue, tr, ti"}],
    )
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    first, second = [event.interaction for event in await door.captured()]
    assert (first.source_id, first.context["app"], first.context["userAgent"]) == (
        source_id,
        {"name": "shop"},
        CHROME["user-agent"],
    )
    assert second.source_id == "src_default"
    assert WRITE_KEY not in orjson.dumps(second.context).decode()

    async def is_listed() -> None:
        listed = (await door.api("GET", f"/v1/sources/{source_id}/rejects")).json()["items"]
        assert [one["field"] for one in listed] == ["e"]

    await eventually(is_listed)


async def test_a_pixel_is_a_capture_too(door: Door) -> None:
    query = {"e": "se", "se_ca": "a", "se_ac": "Clicked", "aid": WRITE_KEY, "cx": packed(described("c", [])), **DEVICE}
    answer = await door.client.get("/i", params=query)
    assert (answer.status_code, answer.headers["content-type"], answer.content[:6]) == (200, "image/gif", b"GIF89a")
    assert answer.headers["cache-control"] == "no-store"
    assert [event.interaction.name for event in await door.captured()] == ["Clicked"]
    assert (await door.client.get("/i", params={"e": "zz", "aid": WRITE_KEY})).status_code == 422
    assert (await door.client.get("/i", params={"e": "pv"} | DEVICE)).status_code == 401
    assert (await door.client.get("/i?" + "a=1&" * 300)).status_code == 413


async def test_nobody_s_app_id_is_told_and_a_page_may_ask_first(door: Door) -> None:
    answer = await door.client.post(POSTS, json={"data": [{"e": "pv", "aid": "nobody", **DEVICE}]})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (401, "aid")
    asks = {"origin": "https://shop.example", "access-control-request-headers": "content-type,sp-anonymous"}
    asked = await door.client.request("OPTIONS", POSTS, headers=asks)
    assert asked.headers["access-control-allow-headers"] == "content-type,sp-anonymous"
    assert asked.headers["access-control-allow-credentials"] == "true"
    assert (await door.client.get(POSTS)).status_code == 405
    assert (await door.client.post(POSTS, content=b'{"data":{}}')).status_code == 422
    assert await door.captured() == []


async def test_an_app_id_leads_to_one_source_and_to_none_whose_word_is_believed(door: Door) -> None:
    made = (await door.api("POST", "/v1/sources", json={"name": "a", "app_ids": ["www"]})).json()
    again = await door.api("POST", "/v1/sources", json={"name": "b", "app_ids": ["www"]})
    assert (again.status_code, again.json()["type"].rpartition("/")[2]) == (409, "app-id-taken")
    server = await door.api("POST", "/v1/sources", json={"name": "c", "kind": "server", "app_ids": ["api"]})
    assert (server.status_code, server.json()["errors"][0]["field"]) == (422, "body.app_ids")
    kept = await door.api("PATCH", f"/v1/sources/{made['source_id']}", json={"app_ids": ["www", "blog"]})
    assert kept.json()["app_ids"] == ["www", "blog"]
    assert (await door.client.get("/i", params={"e": "pv", "aid": "blog"} | DEVICE)).status_code == 200


async def test_a_path_of_one_s_own_is_a_setting(nats_server: Any, tmp_path: Any) -> None:
    settings = gateway_settings(nats_server.url, tmp_path / "gateway.db", snowplow_paths="/collect/tp2")
    async with open_door(settings) as door:
        answer = await door.client.post("/collect/tp2", json={"data": [{"e": "pv", "aid": WRITE_KEY, **DEVICE}]})
        assert answer.status_code == 200, answer.text
        assert len(await door.captured()) == 1
    with pytest.raises(SettingsRefused, match="/collect/tp2"):
        gateway_settings(nats_server.url, tmp_path / "gateway.db", snowplow_paths="/v1/people")
