"""The capture endpoints: every recorded request is on disk when it is answered, and whatever else comes is told what is
wrong.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.limits import BATCH_BYTES, COMPLETED_FACTOR, ENVELOPE_BYTES, EVENT_BYTES, EXCERPT_BYTES
from contracts.values import Flag, InteractionKind
from gateway.capture import ENDPOINTS
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.unit.gateway.recordings import sdk_requests
from tests.unit.gateway.running import API_KEY, WRITE_KEY, Door, gateway_settings, open_door
from tests.unit.gateway.test_bodies import anything

GOOD = {"type": "track", "event": "Kept", "userId": "u", "messageId": "good"}
LEFT_OUT = ("host", "connection", "content-length")


async def test_every_recorded_request_is_answered_as_its_sdk_expects_and_is_on_disk(door: Door) -> None:
    for key in ("test_write_key_node", "test_write_key_py"):
        made = await door.api("POST", "/v1/sources", json={"name": key, "kind": "server", "write_key": key})
        assert made.status_code == 201
    expected = set()
    for request in sdk_requests():
        headers = {name: value for name, value in request.headers.items() if name not in LEFT_OUT}
        answer = await door.client.request(request.method, request.path, headers=headers, content=request.body)
        assert answer.status_code == (204 if request.method == "OPTIONS" else 200), (
            request.file,
            request.path,
            answer.text,
        )
        if request.method == "POST":
            assert answer.json() == {"success": True}
            raw = gzip.decompress(request.body) if "content-encoding" in headers else request.body
            body = orjson.loads(raw)
            expected |= {event["messageId"] for event in body.get("batch", [body])}
    captured = await door.captured()
    assert {event.interaction.message_id for event in captured} == expected
    assert len(captured) == len(expected)
    assert {event.interaction.source_kind for event in captured} == {"web", "server"}


async def test_every_capture_path_is_open(door: Door) -> None:
    event = {"userId": "u", "event": "e", "groupId": "g", "previousId": "p"}
    for path, kind in ENDPOINTS.items():
        is_one = isinstance(kind, InteractionKind)
        answer = await door.send(path, event if is_one else {"batch": [GOOD]})
        assert (answer.status_code, answer.json()) == (200, {"success": True}), path
    kinds = [event.interaction.kind for event in await door.captured()]
    assert kinds == [
        kind if isinstance(kind, InteractionKind) else InteractionKind.TRACK for kind in ENDPOINTS.values()
    ]


async def test_the_write_key_may_come_in_four_ways(door: Door) -> None:
    for options in (
        {},
        {"auth": None, "headers": {"authorization": f"Bearer {WRITE_KEY}"}},
        {"auth": None, "params": {"writeKey": WRITE_KEY}},
    ):
        assert (await door.send("/v1/track", GOOD, **options)).status_code == 200
    assert (await door.send("/v1/track", {**GOOD, "writeKey": WRITE_KEY}, auth=None)).status_code == 200


async def test_an_unknown_write_key_is_told_where_it_belongs(door: Door) -> None:
    for options in (
        {"auth": None},
        {"auth": ("nobody", "")},
        {"auth": None, "headers": {"authorization": f"Bearer {API_KEY}"}},
    ):
        answer = await door.send("/v1/track", GOOD, **options)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (401, "writeKey")
        assert answer.headers["access-control-allow-origin"] == "*"
    assert await door.captured() == []


WRONG: list[tuple[str, bytes, dict[str, str], int, str]] = [
    ("/v1/track", b"{nope", {}, 400, "body"),
    ("/v1/track", b"", {}, 400, "body"),
    ("/v1/track", b"{}", {"content-encoding": "gzip"}, 400, "body"),
    ("/v1/track", b"{}", {"content-encoding": "br"}, 415, "Content-Encoding"),
    ("/v1/track", b"[]", {}, 422, "body"),
    ("/v1/track", b'{"userId":"u"}', {}, 422, "event"),
    ("/v1/identify", b'{"traits":{}}', {}, 422, "userId"),
    ("/v1/group", b'{"userId":"u"}', {}, 422, "groupId"),
    ("/v1/alias", b'{"userId":"u"}', {}, 422, "previousId"),
    ("/v1/page", b'{"userId":"u","context":[1]}', {}, 422, "context"),
    ("/v1/batch", b'{"batch":{}}', {}, 422, "batch"),
    ("/v1/batch", b'{"batch":[],"context":1}', {}, 422, "context"),
    ("/v1/track", b'{"a":"' + b"x" * EVENT_BYTES + b'"}', {}, 413, "body"),
    ("/v1/batch", b'{"a":"' + b"x" * BATCH_BYTES + b'"}', {}, 413, "body"),
    (
        "/v1/batch",
        gzip.compress(b'{"a":"' + b"x" * BATCH_BYTES + b'"}', mtime=0),
        {"content-encoding": "gzip"},
        413,
        "body",
    ),
]


async def test_what_is_wrong_is_named(door: Door) -> None:
    for path, body, headers, status, field in WRONG:
        answer = await door.send(path, body, headers=headers)
        problem = answer.json()
        assert (answer.status_code, problem["status"], problem["errors"][0]["field"]) == (status, status, field), (
            path,
            body[:50],
        )
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["access-control-allow-origin"] == "*"
    assert await door.captured() == []


async def test_a_body_that_is_longer_than_it_said_is_cut_off(door: Door) -> None:
    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 10_000

    answer = await door.client.post("/v1/track", content=endless(), auth=(WRITE_KEY, ""))
    assert answer.status_code == 413


async def test_bad_events_of_a_batch_are_named_and_good_ones_kept(door: Door) -> None:
    answer = await door.send("/v1/batch", {"batch": [GOOD, {"type": "track", "userId": "u"}, "x"]})
    assert answer.status_code == 200
    assert [(one["index"], one["field"]) for one in answer.json()["rejected"]] == [(1, "event"), (2, "event")]
    assert [event.interaction.message_id for event in await door.captured()] == ["good"]


async def stored_bytes(door: Door) -> int:
    state = (await door.runtime.broker.request("STREAM.INFO.CAPTURE"))["state"]
    return int(state["bytes"])


@pytest.mark.parametrize("is_packed", [False, True])
async def test_a_small_request_whose_context_is_huge_costs_nothing_and_says_so(door: Door, is_packed: bool) -> None:
    """400 KB of context over 60 small events were once 869 bytes on the wire and 48 MB on the stream."""
    body = orjson.dumps(
        {"batch": [{"type": "track", "event": "e", "userId": "u"}] * 60, "context": {"junk": "x" * 400_000}}
    )
    packed = gzip.compress(body, mtime=0)
    assert len(packed) < 1_000
    headers = {"content-encoding": "gzip"} if is_packed else {}
    answer = await door.send("/v1/batch", packed if is_packed else body, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (413, "body" if is_packed else "context")
    assert await stored_bytes(door) == 0
    if not is_packed:  # who sent a body that cannot be read is known by the key alone

        async def listed() -> list[str]:
            return [
                item["field"] for item in (await door.api("GET", "/v1/sources/src_default/rejects")).json()["items"]
            ]

        await eventually(lambda: _equals(listed, ["context"]))


async def test_what_a_batch_costs_on_disk_is_a_stated_factor_of_its_size(door: Door) -> None:
    events = [{"type": "track", "event": "e", "userId": "u", "properties": {"number": number}} for number in range(500)]
    body = orjson.dumps({"batch": events, "context": {"junk": "x" * 700}})
    assert (await door.send("/v1/batch", body)).status_code == 200
    # headers are as much again at most
    assert 0 < await stored_bytes(door) <= COMPLETED_FACTOR * len(body) + 2 * ENVELOPE_BYTES * len(events)


async def test_a_reject_is_kept_short_whatever_was_sent(door: Door) -> None:
    await door.send("/v1/batch", {"batch": [{"type": "nothing", "note": "\N{GRINNING FACE}" * 2_000}] * 3})

    async def sizes() -> list[bool]:
        items = (await door.api("GET", "/v1/sources/src_default/rejects")).json()["items"]
        return [200 < len(item["excerpt"].encode()) <= EXCERPT_BYTES for item in items]

    await eventually(lambda: _equals(sizes, [True] * 3))


async def test_rejects_are_kept_and_listed_newest_first(door: Door) -> None:
    await door.send("/v1/batch", {"batch": [{"type": "track", "userId": "u"}, {"type": "nothing"}]})
    await door.send("/v1/track", b"{nope")

    async def listed() -> list[str]:
        page = (await door.api("GET", "/v1/sources/src_default/rejects")).json()
        return [item["field"] for item in page["items"]]

    await eventually(lambda: _equals(listed, ["body", "type", "event"]))
    first = (await door.api("GET", "/v1/sources/src_default/rejects", params={"limit": 1})).json()
    assert [item["excerpt"] for item in first["items"]] == ["{nope"]
    rest = (await door.api("GET", "/v1/sources/src_default/rejects", params={"cursor": first["next_cursor"]})).json()
    assert [item["field"] for item in rest["items"]] == ["type", "event"]


async def _equals(read: Any, wanted: Any) -> bool:
    return bool(await read() == wanted)


async def test_only_so_many_rejects_are_kept(nats_server: NatsServer, tmp_path: Any) -> None:
    async with open_door(gateway_settings(nats_server.url, tmp_path / "g.db", rejects_kept=3)) as door:
        await door.send("/v1/batch", {"batch": [{"type": f"nothing {number}"} for number in range(9)]})

        async def kept() -> list[str]:
            items = (await door.api("GET", "/v1/sources/src_default/rejects")).json()["items"]
            return [json.loads(item["excerpt"])["type"] for item in items]

        await eventually(lambda: _equals(kept, ["nothing 8", "nothing 7", "nothing 6"]))


async def test_other_methods_are_told_what_is_offered(door: Door) -> None:
    answer = await door.client.get("/v1/track")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")


async def test_a_prefix_that_nobody_configured_is_nobody_s(door: Door) -> None:
    assert (await door.send("/other/v1/track", GOOD)).status_code == 404
    assert (await door.send("/capture/v1/track", GOOD)).status_code == 200
    assert (await door.send("/ingest/v1/batch", {"batch": [GOOD]})).status_code == 200


async def test_any_page_may_ask_first(door: Door) -> None:
    headers = {
        "origin": "https://acme.test",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,x-retry-count",
    }
    for path in ("/v1/p", "/v1/forms/default", "/capture/v1/t", f"/v1/projects/{WRITE_KEY}/settings"):
        answer = await door.client.options(path, headers=headers)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == "https://acme.test"
        assert answer.headers["access-control-allow-headers"] == "authorization,x-retry-count"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["vary"] == "origin, access-control-request-headers"
    strange = await door.client.options("/v1/p", headers=headers | {"access-control-request-headers": "a\tb;<c>"})
    assert "<c>" not in strange.headers["access-control-allow-headers"]


async def test_a_beacon_that_brings_cookies_may_be_sent_and_read(door: Door) -> None:
    for path in ("/v1/t", "/v1/forms/default"):
        answer = await door.send(path, {**GOOD, "email": "ada@example.com"}, headers={"origin": "https://acme.test"})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://acme.test"
        assert answer.headers["access-control-allow-credentials"] == "true"
    assert (await door.send("/v1/t", GOOD)).headers["access-control-allow-origin"] == "*"


async def test_the_beacon_of_a_prefix_is_a_door_too(door: Door) -> None:
    assert (await door.send("/capture/beacon/v1/batch", {"batch": [GOOD]})).status_code == 200
    assert (await door.send("/beacon/v1/batch", {"batch": [GOOD]})).status_code == 200
    assert (await door.send("/strange/beacon/v1/batch", {"batch": [GOOD]})).status_code == 404


async def test_history_that_cannot_say_when_it_happened_is_refused_and_anything_else_flagged(door: Door) -> None:
    event = {"type": "track", "event": "Demo Requested", "userId": "u", "timestamp": "03/04/2026"}
    refused = (await door.send("/v1/import", {"batch": [event, {**event, "timestamp": "2026-03-04"}]})).json()
    assert [(one["index"], one["field"]) for one in refused["rejected"]] == [(0, "timestamp")]
    assert "ISO 8601" in refused["rejected"][0]["reason"]
    await door.send("/v1/batch", {"batch": [event]})
    odd = (await door.captured())[-1].interaction
    assert (odd.flags, odd.extra["timestamp"]) == ((Flag.TIME_UNREADABLE,), "03/04/2026")


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/v1/identify", {"anonymous_Id": "a", "traits": {}}, "`anonymousId`"),
        ("/v1/identify", {"anonymousID": "a"}, "`anonymousId`"),
        ("/v1/track", {"event": "E", "userid": "u"}, "`userId`"),
        ("/v1/track", {"event": "E", "user": "u"}, "`userId`"),
        ("/v1/track", {"event": "E", "properties": {"e-mail": "ada@example.com"}}, "`traits.email`"),
        ("/v1/track", {"userId": "u", "Event": "E"}, "`event`"),
        ("/v1/group", {"userId": "u", "groupID": "g"}, "`groupId`"),
        ("/v1/batch", {"events": [{}]}, "`batch`"),
    ],
)
async def test_whoever_is_refused_is_told_what_would_do(door: Door, path: str, body: Any, said: str) -> None:
    problem = (await door.send(path, body)).json()
    assert said in problem["errors"][0]["remedy"], problem


async def test_the_key_of_the_other_door_is_told_apart(door: Door) -> None:
    answer = await door.send("/v1/track", GOOD, auth=(API_KEY, ""))
    assert (answer.status_code, "This is an API key" in answer.json()["detail"]) == (401, True)
    answer = await door.client.get("/v1/sources", headers={"authorization": f"Bearer {WRITE_KEY}"})
    assert (answer.status_code, "This is a write key" in answer.json()["detail"]) == (401, True)


async def test_a_property_is_the_person_s_trait_where_the_source_says_so(door: Door) -> None:
    event = {"event": "Quote Asked", "userId": "u", "properties": {"budget": "20k", "size": {"seats": 40}}}
    await door.send("/v1/track", event)
    mapping = {"properties.budget": "budget", "properties.size.seats": "employees", "properties.none": "need"}
    changed = await door.api("PATCH", "/v1/sources/src_default", json={"mapping": mapping})
    assert (changed.status_code, changed.json()["mapping"]) == (200, mapping)
    await door.send("/v1/track", event)
    assert [said.interaction.traits for said in await door.captured()] == [{}, {"budget": "20k", "employees": 40}]


async def test_analytics_js_is_told_to_send_here(door: Door) -> None:
    answer = await door.client.get(f"/v1/projects/{WRITE_KEY}/settings")
    assert answer.json()["integrations"]["Segment.io"]["apiHost"] == "gateway.test/v1"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert (await door.client.get("/v1/projects/nobody/settings")).status_code == 404


async def test_a_retry_carries_the_same_capture_id(door: Door) -> None:
    for sent_at in ("2026-11-22T02:00:00Z", "2026-11-22T02:01:00Z"):
        await door.send("/v1/track", {**GOOD, "sentAt": sent_at})
    first, second = await door.captured()
    assert first.meta.event_id == second.meta.event_id


async def test_a_browser_s_address_is_that_before_our_proxies(nats_server: NatsServer, tmp_path: Any) -> None:
    async with open_door(gateway_settings(nats_server.url, tmp_path / "g.db", trusted_proxies=1)) as door:
        await door.send(
            "/v1/track", GOOD, headers={"x-forwarded-for": "6.6.6.6, 203.0.113.9", "user-agent": "Browser/1"}
        )
        (event,) = await door.captured()
    assert event.interaction.context == {"ip": "203.0.113.9", "userAgent": "Browser/1"}


async def test_no_json_whatsoever_is_answered_with_a_5xx(door: Door) -> None:
    """Hypothesis drives one gateway through the whole test, so the loop is inside."""
    bodies: list[bytes] = []

    @settings(max_examples=120, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(anything.map(lambda value: json.dumps(value).encode()), st.binary(max_size=200)))
    def collect(body: bytes) -> None:
        bodies.append(body)

    collect()
    for number, body in enumerate(bodies):
        path = list(ENDPOINTS)[number % len(ENDPOINTS)]
        answer = await door.send(path, body)
        assert answer.status_code in (200, 400, 413, 422), (path, body, answer.text)
        around = b'{"batch":[' + body + b"," + orjson.dumps({**GOOD, "messageId": str(number)}) + b"]}"
        batch = await door.send("/v1/batch", around)
        assert batch.status_code in (200, 400), (body, batch.text)
