"""Paths that are passed on: who may, what arrives, what comes back, and what is told when nobody answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from gateway.routes import ROUTES, RouteTable
from tests.support.nats import NatsServer
from tests.unit.gateway.running import Door, PlayedService, gateway_settings, open_door


@pytest.mark.parametrize(
    ("method", "path", "upstream", "template"),
    [
        ("POST", "/v1/people/per_1:merge", "identity", "/v1/people/{person_id}:merge"),
        ("HEAD", "/v1/people/per_1/links", "identity", "/v1/people/{person_id}/links"),
        ("GET", "/v1/people/per_1/timeline", "scoring", "/v1/people/{person_id}/timeline"),
        ("POST", "/v1/rulebooks/scoring/2:activate", "scoring", "/v1/rulebooks/scoring/{version}:activate"),
        ("POST", "/v1/people/per_1:mark", "identity", "/v1/people/{person_id}:mark"),
        ("PUT", "/v1/people/per_1/consent", "identity", "/v1/people/{person_id}/consent"),
        ("POST", "/v1/lifecycle/people/per_1:qualify", "lifecycle", "/v1/lifecycle/people/{person_id}:qualify"),
        ("POST", "/v1/opportunities/opp_1:win", "lifecycle", "/v1/opportunities/{opportunity_id}:win"),
        ("GET", "/v1/rulebooks/lifecycle", "lifecycle", "/v1/rulebooks/lifecycle"),
        ("PUT", "/v1/treatments/trt_1", "nurture", "/v1/treatments/{treatment_id}"),
        ("POST", "/v1/rulebooks/nurture", "nurture", "/v1/rulebooks/nurture"),
        ("GET", "/v1/accounts/acc_1", "identity", "/v1/accounts/{account_id}"),
        ("PUT", "/v1/accounts/acc_1/owner", "routing", "/v1/accounts/{account_id}/owner"),
        ("POST", "/v1/reps/rep_1/credentials", "routing", "/v1/reps/{rep_id}/credentials"),
        ("POST", "/v1/referrals/ref_1:accept", "routing", "/v1/referrals/{referral_id}:accept"),
        ("GET", "/v1/rulebooks/routing/3", "routing", "/v1/rulebooks/routing/{version}"),
        ("PUT", "/v1/rates/USD/2026-03-01", "metrics", "/v1/rates/{currency}/{on}"),
        ("GET", "/v1/reports/time-in-stage", "metrics", "/v1/reports/time-in-stage"),
    ],
)
def test_a_path_finds_its_route(method: str, path: str, upstream: str, template: str) -> None:
    found = RouteTable(ROUTES).find(method, path)
    assert found is not None
    assert (found[0].upstream, found[0].path) == (upstream, template)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/people/per_1:merge"),
        ("GET", "/v1/people/a/b/links"),
        ("GET", "/v1/people/per_1"),
        ("GET", "/v1/people//links"),
        ("GET", "/healthz"),
        ("POST", "/v1/people:lookup"),  # these four are for services among themselves
        ("POST", "/v1/people:consent-lookup"),
        ("POST", "/v1/lifecycle/people:lookup"),
        ("POST", "/v1/metrics/people:lookup"),
        ("POST", "/v1/treatments:select"),  # the gateway's own, as are the next two
        ("GET", "/v1/people/per_1/receipts"),
        ("GET", "/v1/alerts/stream"),
    ],
)
def test_what_the_table_does_not_name_is_not_passed_on(method: str, path: str) -> None:
    assert RouteTable(ROUTES).find(method, path) is None


async def test_a_request_arrives_as_it_was_sent_with_the_inner_token(door: Door, identity: PlayedService) -> None:
    identity.says("POST", "/v1/people/per_1:merge", {"done": True}, 200)
    headers = {
        "cookie": "a=b",
        "x-forwarded-for": "1.1.1.1",
        "connection": "x-hop",
        "x-hop": "1",
        "x-own": "kept",
        "traceparent": "nonsense",
    }
    answer = await door.api(
        "POST", "/v1/people/per_1:merge?dry_run=true&x=%2F%20", json={"with_person_id": "per_2"}, headers=headers
    )
    assert (answer.status_code, answer.json()) == (200, {"done": True})
    assert identity.asked == [("POST", "/v1/people/per_1:merge?dry_run=true&x=%2F%20", b'{"with_person_id":"per_2"}')]
    assert (identity.callers[0].subject, identity.callers[0].roles) == ("bootstrap", frozenset({"admin"}))
    arrived = identity.headers[0]
    assert arrived["x-own"] == "kept"
    assert arrived["traceparent"].startswith("00-")
    assert not {"cookie", "x-forwarded-for", "x-hop"} & arrived.keys()


async def test_a_path_may_be_another_at_the_service(door: Door, scoring: PlayedService) -> None:
    scoring.says("GET", "/v1/scoring/people/per_1/timeline", {"items": []})
    assert (await door.api("GET", "/v1/people/per_1/timeline", params={"limit": 3})).json() == {"items": []}
    assert scoring.asked[0][:2] == ("GET", "/v1/scoring/people/per_1/timeline?limit=3")


async def test_an_error_of_a_service_comes_back_as_it_is(door: Door, identity: PlayedService) -> None:
    identity.says("GET", "/v1/accounts/acc_1", {"title": "Account not found", "status": 404}, 404)
    answer = await door.api("GET", "/v1/accounts/acc_1")
    assert (answer.status_code, answer.json()["title"]) == (404, "Account not found")


async def test_a_large_answer_is_passed_on_whole(door: Door, scoring: PlayedService) -> None:
    async def large(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 3_000_000, headers={"x-own": "back"})

    scoring.answers["GET", "/v1/rulebooks/scoring"] = large
    answer = await door.api("GET", "/v1/rulebooks/scoring")
    assert len(answer.content) == 3_000_000
    assert answer.headers["x-own"] == "back"


async def test_a_service_that_is_away_is_told_as_such(nats_server: NatsServer, tmp_path: Path) -> None:
    async with open_door(gateway_settings(nats_server.url, tmp_path / "g.db")) as door:
        answer = await door.api("GET", "/v1/accounts")
        assert (answer.status_code, answer.json()["detail"]) == (503, "identity cannot be reached")
        assert answer.headers["retry-after"] == "1"


async def test_a_slow_service_is_a_time_out(door: Door, scoring: PlayedService) -> None:
    never = asyncio.Event()

    async def slow(_request: web.Request) -> web.StreamResponse:
        await never.wait()
        raise AssertionError

    scoring.answers["POST", "/v1/scoring/people:lookup"] = slow
    answer = await door.api("POST", "/v1/scoring/people:lookup", json={})
    assert (answer.status_code, answer.headers["content-type"]) == (504, "application/problem+json")


async def test_a_role_that_may_not_is_told_so(door: Door, identity: PlayedService) -> None:
    key = (await door.api("POST", "/v1/keys", json={"subject": "agent", "roles": ["agent"]})).json()["api_key"]
    answer = await door.client.post("/v1/people/per_1:merge", json={}, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 403
    assert identity.asked == []


async def test_each_service_is_asked_at_its_own_address(door: Door, services: dict[str, PlayedService]) -> None:
    for name, path in (("lifecycle", "process"), ("nurture", "people/per_1"), ("routing", "people/per_1/receipts")):
        services[name].says("GET", f"/v1/{name}/{path}", {"from": name})
        assert (await door.api("GET", f"/v1/{name}/{path}")).json() == {"from": name}
    services["metrics"].says("GET", "/v1/reports/funnel", {"from": "metrics"})
    assert (await door.api("GET", "/v1/reports/funnel")).json() == {"from": "metrics"}


async def test_an_agent_may_qualify_and_may_not_see_reports_or_move_reps(door: Door, lifecycle: PlayedService) -> None:
    lifecycle.says("POST", "/v1/lifecycle/people/per_1:qualify", {"stage": "sql"})
    headers = {"authorization": f"Bearer {(await door.key('agent'))['api_key']}"}
    answers = [
        (await door.client.request(method, path, json={}, headers=headers)).status_code
        for method, path in (
            ("POST", "/v1/lifecycle/people/per_1:qualify"),
            ("GET", "/v1/reports/funnel"),
            ("POST", "/v1/reps"),
            ("PUT", "/v1/accounts/acc_1/owner"),
            ("POST", "/v1/campaigns"),
        )
    ]
    assert answers == [200, 403, 403, 403, 403]


async def test_another_method_is_told_what_is_offered(door: Door) -> None:
    for path, offered in (
        ("/v1/people/per_1/links", "GET"),
        ("/v1/sources", "GET, POST"),
        ("/v1/forms/default", "GET, PATCH, POST"),
    ):
        answer = await door.api("DELETE", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, offered), path


async def test_only_named_origins_may_read_the_api(nats_server: NatsServer, tmp_path: Path) -> None:
    async with open_door(
        gateway_settings(nats_server.url, tmp_path / "g.db", api_origins=("https://app.acme.test",))
    ) as door:
        for origin, allowed in (("https://app.acme.test", "https://app.acme.test"), ("https://evil.test", None)):
            for headers in ({"origin": origin}, {"origin": origin, "authorization": ""}):
                answer = await door.api("GET", "/v1/sources", headers=headers)
                assert answer.headers.get("access-control-allow-origin") == allowed
            preflight = await door.client.options(
                "/v1/people", headers={"origin": origin, "access-control-request-method": "GET"}
            )
            assert preflight.headers.get("access-control-allow-origin") == allowed
