"""A web developer sees why calls were refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.request_log import REQUEST_OWNERS, REQUESTS, RequestLog
from tests.support.nats import NatsServer
from tests.unit.gateway.running import API_KEY, WRITE_KEY, Door, gateway_settings, open_door
from tests.unit.gateway.served import post, served

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
EVENT = {"event": "e", "userId": "u"}
OF_SOURCE = "/v1/sources/src_default/requests"


async def requests_of(door: Door, path: str = OF_SOURCE, **query: Any) -> list[dict[str, Any]]:
    answer = await door.api("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_source_sees_what_it_sent_and_why_it_was_refused(door: Door) -> None:
    agent = {"user-agent": "acme-site/1.0 " + "x" * 500}
    assert (await door.send("/v1/track?writeKey=in-the-query", EVENT, headers=agent)).status_code == 200
    assert (await door.send("/v1/track", {"event": "e"})).status_code == 422
    assert (await door.send("/v1/track", b"{")).status_code == 400
    batch = {"batch": [{"type": "track", **EVENT}, {"type": "track", "userId": "u"}]}
    assert (await door.send("/capture/v1/batch", batch)).status_code == 200
    await door.client.post("/v1/forms/default", data={"email": "ada@harbour.example"})
    form, partly, malformed, wrong, good = await requests_of(door)
    assert (good["status"], good["reason"], good["events"], good["rejected"]) == (200, None, 1, 0)
    assert good["path"] == "/v1/track"
    assert len(good["user_agent"]) == 120
    assert (wrong["status"], wrong["events"]) == (422, None)
    assert "userId" in wrong["reason"]
    assert malformed["status"] == 400
    assert malformed["reason"]
    assert (partly["path"], partly["status"], partly["events"], partly["rejected"]) == ("/capture/v1/batch", 200, 1, 1)
    assert "event" in partly["reason"]
    assert (form["path"], form["status"], form["events"]) == ("/v1/forms/default", 200, 1)
    assert [one["status"] for one in await requests_of(door, refused=True)] == [200, 400, 422]
    assert len(await requests_of(door, limit=1)) == 1


async def test_the_express_lane_is_remembered_like_the_long_way(nats_server: NatsServer, tmp_path: Path) -> None:
    body = b'{"userId":"u","event":"Kept","messageId":"m%d","writeKey":"%b"}'
    settings = gateway_settings(nats_server.url, tmp_path / "gateway.db", sample_ratio=0.0)  # what is traced does not
    async with open_door(settings) as door:
        async with served(door) as server:
            for number in range(3):
                said = await server.ask(post("/v1/track", body % (number, WRITE_KEY.encode()), "User-Agent: curl/8"))
                assert said.status == 200
            assert not server.ways
        told = [(one["status"], one["events"], one["user_agent"]) for one in await requests_of(door)]
    assert told == [(200, 1, "curl/8")] * 3


async def test_a_key_that_is_good_no_more_shows_who_still_sends_it(door: Door) -> None:
    made = (await door.api("POST", "/v1/sources", json={"name": "shop"})).json()
    path = f"/v1/sources/{made['source_id']}"
    await door.api("POST", f"{path}:rotate", json={"overlap_hours": 0})
    assert (await door.send("/v1/track", EVENT, auth=(made["write_key"], ""))).status_code == 401
    (one,) = await requests_of(door, f"{path}/requests")
    assert one["status"] == 401
    assert "was replaced by another" in one["reason"]
    assert (await door.api("GET", path)).json()["last_used_at"] is None


async def test_an_api_key_sees_its_own_calls(door: Door) -> None:
    made = await door.key("marketing")
    headers = {"authorization": f"Bearer {made['api_key']}"}
    assert (await door.client.get("/v1/keys", headers=headers)).status_code == 403
    assert (await door.client.get("/v1/people/per_1/links", headers=headers)).status_code == 404
    assert (await door.client.get("/v1/people?limit=9999", headers=headers)).status_code == 422
    await door.api("DELETE", f"/v1/keys/{made['key_id']}")
    assert (await door.client.get("/v1/sources", headers=headers)).status_code == 401
    found = await requests_of(door, f"/v1/keys/{made['key_id']}/requests")
    assert [(one["status"], one["path"]) for one in found] == [
        (401, "/v1/sources"), (422, "/v1/people"), (404, "/v1/people/per_1/links"), (403, "/v1/keys"),
    ]  # fmt: skip
    assert "revoked" in found[0]["reason"]
    assert "needs one of the roles admin" in found[3]["reason"]
    assert API_KEY not in str(found)


async def test_who_may_look_and_at_what(door: Door) -> None:
    marketing = {"authorization": f"Bearer {(await door.key('marketing'))['api_key']}"}
    assert (await door.client.get(OF_SOURCE, headers=marketing)).status_code == 200
    assert (await door.client.get("/v1/keys/key_bootstrap/requests", headers=marketing)).status_code == 403
    for path in ("/v1/sources/src_nobody/requests", "/v1/keys/key_nobody/requests"):
        assert (await door.api("GET", path)).status_code == 404
    assert (await door.api("GET", f"{OF_SOURCE}?refuse=true")).status_code == 422


async def test_what_another_gateway_process_remembers_is_shown_too(nats_server: NatsServer, tmp_path: Path) -> None:
    settings = gateway_settings(nats_server.url, tmp_path / "g.db")
    async with open_door(settings) as one, open_door(settings) as other:
        await one.send("/v1/track", EVENT)
        await other.send("/v1/track", {"event": "e"})
        answer = (await one.api("GET", OF_SOURCE)).json()
        assert answer["processes"] == 2
        assert [item["status"] for item in answer["items"]] == [422, 200]


def test_a_log_has_a_size_whatever_is_sent() -> None:
    log = RequestLog(lambda: NOW)
    for number in range(REQUESTS + 50):
        log.note(a_request("src_1", path=f"/{number}" + "x" * 10_000), 422, "y" * 10_000)
    kept = log.of("src_1")
    assert len(kept) == REQUESTS
    assert kept[0].path.startswith(f"/{REQUESTS + 49}x")
    assert max(len(kept[0].path), len(kept[0].reason or "")) <= 200
    for number in range(REQUEST_OWNERS):
        log.note(a_request(f"src_{number + 2}"), 200)
    assert not log.of("src_1")
    assert log.of("src_2")
    log.note({"method": "GET", "path": "/", "headers": []}, 401)  # a stranger's: in nobody's list
    assert not log.of("")


def a_request(owner: str, path: str = "/v1/track") -> dict[str, Any]:
    return {"rapport.owner": owner, "method": "POST", "path": path, "headers": []}
