"""A public key tied to its pages; unknown keys, tried one after the other; and a Host header that decides nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from gateway.domain.origins import clean_origin, is_allowed, origin_told
from gateway.wrong_keys import WrongKeys
from tests.support.nats import NatsServer
from tests.unit.gateway.running import API_KEY, WRITE_KEY, Door, PlayedService, gateway_settings, open_door
from tests.unit.gateway.served import post, served

EVENT = {"anonymousId": "a", "event": "Looked"}
TIED = ["https://www.acme.example", "https://*.shop.example"]


async def tied(door: Door) -> None:
    changed = await door.api("PATCH", "/v1/sources/src_default", json={"origins": TIED})
    assert (changed.status_code, changed.json()["origins"]) == (200, TIED)


@pytest.mark.parametrize(("headers", "status"), [
    ({"origin": "https://www.acme.example"}, 200),
    ({"origin": "https://WWW.acme.example"}, 200),
    ({"origin": "https://a.b.shop.example"}, 200),
    ({"referer": "https://www.acme.example/prices?x=1"}, 200),
    ({"origin": "null", "referer": "https://www.acme.example/"}, 200),
    ({"origin": "https://shop.example"}, 403),
    ({"origin": "https://evilshop.example"}, 403),
    ({"origin": "http://www.acme.example"}, 403),
    ({"origin": "https://www.acme.example.evil.example"}, 403),
    ({"origin": "https://evil.example", "referer": "https://www.acme.example/"}, 403),
    ({"referer": "https://www.acme.example@evil.example/"}, 403),
    ({"origin": "null"}, 403),
    ({}, 403),
])  # fmt: skip
async def test_a_key_that_is_tied_to_pages_is_taken_from_those_alone(
    door: Door, headers: dict[str, str], status: int
) -> None:
    await tied(door)
    answer = await door.send("/v1/track", EVENT, headers=headers)
    assert answer.status_code == status
    if status == 403:
        problem = answer.json()
        assert problem["type"] == "/problems/origin-not-allowed"
        assert problem["errors"][0]["field"] == "header.origin"
        assert problem["remedy"]
        assert answer.headers["access-control-allow-origin"]  # its developer can read it
        assert await door.captured() == []
    else:
        assert len(await door.captured()) == 1


async def test_forms_of_a_tied_source_take_services_that_name_no_page_and_no_other_page(door: Door) -> None:
    await tied(door)
    lead = {"email": "lea@lead.example"}
    for headers, status in (
        ({}, 200),
        ({"origin": "https://www.acme.example"}, 200),
        ({"origin": "https://x.example"}, 403),
    ):
        assert (await door.client.post("/v1/forms/default", json=lead, headers=headers)).status_code == status


async def test_a_secret_key_is_not_asked_for_its_page(door: Door) -> None:
    wish = {"name": "shop", "kind": "server", "write_key": "test_server_key_of_a_shop", "origins": TIED}
    assert (await door.api("POST", "/v1/sources", json=wish)).status_code == 201
    assert (await door.send("/v1/track", EVENT, auth=(wish["write_key"], ""))).status_code == 200


async def test_an_origin_that_could_never_be_met_is_refused(door: Door) -> None:
    for written in ("www.acme.example", "https://www.acme.example/shop", "https://*", "*", "https://a.*.example"):
        answer = await door.api("PATCH", "/v1/sources/src_default", json={"origins": [written]})
        assert answer.status_code == 422, written
    assert clean_origin("HTTPS://Www.Acme.example:443/") == "https://www.acme.example"
    assert is_allowed(["https://*.a.example"], origin_told("https://x.a.example", ""))
    assert origin_told("", "http://[broken") == ""


@pytest.mark.parametrize("written", ["https://[::1]:3000", "http://localhost:3000", "https://*.acme.example"])
def test_an_origin_is_kept_as_it_is_written(written: str) -> None:
    assert clean_origin(written) == written


@pytest.mark.parametrize(
    "written", ["https://*.]iy", "https://[0.7]", "https://a:99999", "https://a:b", "acme.example"]
)
def test_what_is_no_origin_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="an origin is scheme and host"):
        clean_origin(written)


# --- keys that nobody has


@pytest_asyncio.fixture
async def strict(nats_server: NatsServer, tmp_path: Path, services: dict[str, PlayedService]) -> AsyncIterator[Door]:
    urls = {f"{name}_url": service.url for name, service in services.items()}
    given: dict[str, Any] = {"wrong_keys": 3, "trusted_proxies": 1, "sample_ratio": 0.0, **urls}
    async with open_door(gateway_settings(nats_server.url, tmp_path / "gateway.db", **given)) as opened:
        yield opened


FROM = {"x-forwarded-for": "192.0.2.1"}


async def test_whoever_tries_keys_waits_longer_and_longer_and_a_known_one_is_served_all_the_time(strict: Door) -> None:
    tries = [
        await strict.send("/v1/track", EVENT, auth=("wk_wrong_1", ""), headers=FROM),
        await strict.client.get("/v1/sources", headers=FROM | {"authorization": "Bearer rk_wrong_2"}),
        await strict.client.get("/v1/reps", headers=FROM | {"authorization": "Bearer rk_wrong_3"}),
        await strict.client.get("/v1/people", headers=FROM | {"authorization": "Bearer rk_wrong_4"}),
        await strict.client.post("/v1/track", content=orjson.dumps(EVENT | {"writeKey": "wk_wrong_5"}), headers=FROM),
    ]
    assert [one.status_code for one in tries] == [401, 401, 401, 429, 429]
    waits = [int(one.headers["retry-after"]) for one in tries[3:]]
    assert 0 < waits[0] < waits[1] <= 40
    assert tries[4].json()["type"] == "/problems/too-many-wrong-keys"
    assert tries[4].headers["access-control-allow-origin"] == "*"
    assert (await strict.send("/v1/track", EVENT, headers=FROM)).status_code == 200
    assert (await strict.api("GET", "/v1/sources", headers=FROM)).status_code == 200
    elsewhere = await strict.send("/v1/track", EVENT, auth=("wk_wrong_6", ""), headers={"x-forwarded-for": "192.0.2.2"})
    assert elsewhere.status_code == 401


async def test_no_key_and_another_door_s_key_are_no_tries(strict: Door) -> None:
    for _ in range(5):
        assert (await strict.client.post("/v1/track", content=orjson.dumps(EVENT), headers=FROM)).status_code == 401
        assert (await strict.client.get("/v1/sources", headers=FROM)).status_code == 401
        assert (await strict.send("/v1/track", EVENT, auth=(API_KEY, ""), headers=FROM)).status_code == 401
        taken_for = FROM | {"authorization": f"Bearer {WRITE_KEY}"}
        assert (await strict.client.get("/v1/sources", headers=taken_for)).status_code == 401
    assert (await strict.send("/v1/track", EVENT, auth=("wk_wrong", ""), headers=FROM)).status_code == 401


async def test_keys_that_are_tried_by_the_express_lane_count_too(strict: Door) -> None:
    body = orjson.dumps(EVENT | {"writeKey": "wk_wrong"})
    async with served(strict) as express:
        assert [(await express.ask(post("/v1/track", body))).status for _ in range(5)] == [401, 401, 401, 429, 429]


def test_a_minute_of_peace_forgives_and_the_wait_has_an_end() -> None:
    now = [0.0]
    tried = WrongKeys(30, clock=lambda: now[0])
    assert [tried.seconds_to_wait("a") for _ in range(32)] == [0] * 30 + [2, 4]
    assert max(tried.seconds_to_wait("a") for _ in range(10_000)) == 600
    now[0] += 660
    assert tried.seconds_to_wait("a") == 0
    assert all(WrongKeys(0).seconds_to_wait("a") == 0 for _ in range(100))


# --- the Host header


async def test_the_host_header_decides_nothing(door: Door, identity: PlayedService) -> None:
    evil = {"host": "evil.example", "x-forwarded-host": "evil.example"}
    settings = await door.client.get(f"/v1/projects/{WRITE_KEY}/settings", headers=evil)
    assert settings.status_code == 200
    assert "evil.example" not in settings.text
    assert settings.json()["integrations"]["Segment.io"]["apiHost"] == "gateway.test/v1"  # what the connection came to
    moved = await door.api("GET", "/v1/people/?limit=1", headers=evil)
    assert (moved.status_code, moved.json()["remedy"]) == (404, "Did you mean /v1/people?")
    assert "evil.example" not in str(moved.headers) + moved.text
    identity.says("GET", "/v1/people/per_01J8/consent", {"person_id": "per_01J8"})
    link = await door.api(
        "POST", "/v1/people/per_01J8/consent-links", json={"channel": "email", "consent": "granted"}, headers=evil
    )
    assert link.status_code == 201
    assert link.json()["url"].startswith("http://gateway.test/v1/consent/")
