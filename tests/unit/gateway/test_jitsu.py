"""Jitsu's protocol: Segment's events under paths and with a key of its own."""

from __future__ import annotations

from pathlib import Path

import orjson

from gateway.capture import JITSU
from tests.support.nats import NatsServer
from tests.unit.gateway.running import WRITE_KEY, Door, gateway_settings, open_door
from tests.unit.gateway.served import post, served

KEY = "site-7f2a:5c0e9b1d"
EVENT = {"type": "track", "event": "Demo Requested", "anonymousId": "a-1", "messageId": "m-1"}


async def test_events_come_by_their_own_paths_with_a_key_of_two_parts(door: Door) -> None:
    made = await door.api("POST", "/v1/sources", json={"name": "jitsu", "write_key": KEY})
    assert made.status_code == 201, made.text
    for number, path in enumerate(("/api/s/track", "/api/s/s2s/track", "/capture/v1/track")):
        event = EVENT | {"messageId": f"m-{number}"}
        answer = await door.client.post(path, json=event, headers={"x-write-key": KEY})
        assert (answer.status_code, answer.json()) == (200, {"success": True}), path
    captured = [event.interaction for event in await door.captured()]
    assert {one.source_id for one in captured} == {made.json()["source_id"]}
    assert [one.message_id for one in captured] == ["m-0", "m-1", "m-2"]


async def test_an_authorization_goes_before_and_a_key_that_is_nobody_s_is_told(door: Door) -> None:
    headers = {"x-write-key": "nobody"}
    assert (
        await door.client.post("/api/s/track", json=EVENT, headers=headers, auth=(WRITE_KEY, ""))
    ).status_code == 200
    answer = await door.client.post("/api/s/track", json=EVENT, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (401, "writeKey")


async def test_a_page_may_ask_for_jitsu_s_header(door: Door) -> None:
    asks = {"origin": "https://shop.example", "access-control-request-headers": "content-type,x-write-key"}
    answer = await door.client.request("OPTIONS", "/api/s/page", headers=asks)
    assert (answer.status_code, answer.headers["access-control-allow-headers"]) == (204, "content-type,x-write-key")


async def test_jitsu_s_events_take_the_express_lane(nats_server: NatsServer, tmp_path: Path) -> None:
    settings = gateway_settings(nats_server.url, tmp_path / "gateway.db", sample_ratio=0.0)  # what is traced does not
    async with open_door(settings) as door, served(door) as server:
        event = orjson.dumps(EVENT)
        for path in JITSU:
            answer = await server.ask(post(path, event, f"X-Write-Key: {WRITE_KEY}"))
            expected = 422 if path.endswith(("group", "alias")) else 200
            assert answer.status == expected, (path, answer.body)
        refused = {way for way in server.ways if way.endswith(("group", "alias"))}
        assert set(server.ways) == refused, "what is no plain success alone goes the long way"
