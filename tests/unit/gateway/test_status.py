"""The whole suite on one page: asked in parallel, within a second, whoever is away is named."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from aiohttp import web

from chassis.version import VERSION
from gateway.routes import UPSTREAMS
from tests.support.nats import NatsServer
from tests.unit.gateway.running import Door, PlayedService, gateway_settings, open_door, played

OTHERS = {
    "unmatched",
    "/openapi.json",
    "/docs",
    "/docs/{name}",
    "/healthz",
    "/readyz",
    "/readyz/traffic",
    "/readyz/forms",
}
A_STATUS = {
    "status": "ready",
    "since": "2026-03-01T08:00:00Z",
    "version": VERSION,
    "revision": "",
    "lag": {"CAPTURE": 3},
}


def a_status(name: str, **others: Any) -> dict[str, Any]:
    figures = {"outbox_events": 0, "outbox_age_seconds": 0.0, "dead_letters": 0, "timers_late_seconds": 0.0}
    return {"name": name, **A_STATUS, **figures, "store_bytes": 1000, **others}


@pytest_asyncio.fixture
async def suite(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[tuple[Door, dict[str, PlayedService]]]:
    """A gateway whose scoring is away, whose nurture hangs, and whose metrics is of another version."""
    async with (
        played() as identity,
        played() as lifecycle,
        played() as nurture,
        played() as routing,
        played() as metrics,
    ):
        services = {
            "identity": identity,
            "lifecycle": lifecycle,
            "nurture": nurture,
            "routing": routing,
            "metrics": metrics,
        }
        urls = {f"{name}_url": service.url for name, service in services.items()}
        async with open_door(gateway_settings(nats_server.url, tmp_path / "g.db", **urls)) as door:
            yield door, services


async def test_whoever_is_away_is_named_within_a_second_and_the_others_are_told(
    suite: tuple[Door, dict[str, PlayedService]],
) -> None:
    door, services = suite

    async def hang(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.json_response({})

    problem = {"part": "lane CAPTURE/0", "says": "the same messages have been tried for 20 s", "remedy": ""}
    services["identity"].says("GET", "/v1/status", a_status("identity", status="not-ready", problems=[problem]))
    services["lifecycle"].says("GET", "/v1/status", a_status("lifecycle", dead_letters=2))
    services["nurture"].answers["GET", "/v1/status"] = hang
    services["routing"].says("GET", "/v1/status", a_status("routing", dead_letters=1, figures={"unassigned_leads": 4}))

    began = time.monotonic()
    answer = await door.api("GET", "/v1/status")
    took = time.monotonic() - began
    assert answer.status_code == 200
    assert took < 5, "a service that hangs is given up, however loaded this machine is"
    told = answer.json()
    assert [one["name"] for one in told["services"]] == ["gateway", *UPSTREAMS]
    by_name = {one["name"]: one for one in told["services"]}
    assert {name: one["status"] for name, one in by_name.items()} == {
        "gateway": "ready",
        "identity": "not-ready",
        "scoring": "unreachable",
        "lifecycle": "ready",
        "nurture": "unreachable",
        "routing": "ready",
        "metrics": "unreachable",
    }
    assert by_name["identity"]["problems"] == [problem]
    assert by_name["identity"]["lag"] == {"CAPTURE": 3}
    assert [by_name[name]["problems"][0]["says"] for name in ("scoring", "nurture", "metrics")] == [
        "scoring cannot be reached",
        "nurture did not answer in time",
        "metrics answered 404",
    ]
    assert by_name["scoring"]["lag"] is None
    assert (told["unassigned_leads"], told["dead_letters"]) == (4, 3)
    assert told["version"] == by_name["gateway"]["version"] == VERSION
    assert told["disk"]["size_bytes"] > told["disk"]["free_bytes"] > 0
    assert told["disk"]["stores_bytes"] > 3000
    assert told["disk"]["streams_bytes"] is not None
    assert by_name["routing"]["instances"] == 1


async def test_what_is_no_answer_of_ours_is_not_believed(suite: tuple[Door, dict[str, PlayedService]]) -> None:
    door, services = suite
    services["identity"].says("GET", "/v1/status", {"hello": "world"})
    told = {one["name"]: one for one in (await door.api("GET", "/v1/status")).json()["services"]}
    assert told["identity"]["problems"][0]["says"] == "identity answers, but not as this version would"


async def test_only_operators_are_told(suite: tuple[Door, dict[str, PlayedService]]) -> None:
    door, services = suite
    for roles, status in ((("sales",), 403), (("marketing",), 403), (("ops",), 200), (("admin",), 200)):
        key = (await door.key(*roles))["api_key"]
        answer = await door.client.get("/v1/status", headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == status, roles
    assert (await door.client.get("/v1/status")).status_code == 401
    assert {caller.roles for caller in services["identity"].callers} == {frozenset({"ops"}), frozenset({"admin"})}


async def test_without_nats_and_services_the_answer_is_still_200(tmp_path: Path) -> None:
    settings = gateway_settings(NatsServer().url, tmp_path / "g.db", drain_seconds=0.2)
    async with open_door(settings, joined=False) as door:
        answer = await door.api("GET", "/v1/status")
        assert answer.status_code == 200
        gateway, *others = answer.json()["services"]
        assert (gateway["status"], [one["part"] for one in gateway["problems"]]) == ("not-ready", ["nats"])
        assert {one["status"] for one in others} == {"unreachable"}
        assert answer.json()["unassigned_leads"] is None


async def test_whatever_is_sent_there_are_as_many_series_as_routes(nats_server: NatsServer, tmp_path: Path) -> None:
    async with open_door(gateway_settings(nats_server.url, tmp_path / "g.db")) as door:
        paths = (await door.client.get("/openapi.json")).json()["paths"]
        for path in sorted(paths):
            if path.endswith(("/stream", "/tail")):
                continue  # they do not end
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "TRACE", "BREW"):
                filled = path.replace("{", "").replace("}", "")
                await door.client.request(method, filled, content=b"\xff")
                await door.api(method, f"{filled}x", content=b"{}")
        told = door.runtime.metrics.render().decode()
    assert len(told) < 250_000, len(told)
    routes = set(re.findall(r'route="([^"]*)"', told))
    assert {route for route in routes if route not in paths and route not in OTHERS} == set()
