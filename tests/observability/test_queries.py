"""A real suite, watched by a real Prometheus: every query of the dashboard and of the rules finds what it asks for."""

from __future__ import annotations

import asyncio
import re
import subprocess
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml
from prometheus_client.parser import text_string_to_metric_families

from chassis.exposition import CATALOGUE
from chassis.metrics import Metrics
from chassis.version import VERSION
from deployment.catalogue import PROCESSES
from deployment.dashboard import SOURCE, queries
from embedded.plan import SERVICES
from tests.observability.test_alerts import rules
from tests.support.actors import Visitor, ago, hire
from tests.support.eventually import eventually
from tests.support.prometheus import REMEDY, Prometheus, watching
from tests.support.suite import Suite, running_suite
from tests.support.tools import tool

pytestmark = [pytest.mark.slow, pytest.mark.timeout(360), pytest.mark.asyncio(loop_scope="module")]

HOT = {"email": "mara.lindqvist@tidewater.example", "title": "VP Sales", "employees": 800}
DASHBOARD = queries(yaml.safe_load(SOURCE.read_text()))
SELECTOR = re.compile(r"\b(?:rapport|process)_\w+(?:\{[^}]*\})?")
ONLY_AFTER_TROUBLE = {
    "rapport_handler_failures_total": "a handler failed",
    "rapport_batch_failures_total": "a batch failed",
    "rapport_dead_letters_total": "a message was given up",
    "rapport_jetstream_limit_bytes": "the account has a limit",
}
"""Metrics that a sound suite does not tell, and what has to happen first."""


@dataclass(frozen=True)
class Watched:
    """A suite and who watches it."""

    suite: Suite
    prometheus: Prometheus
    urls: dict[str, str]  # of each process, for metrics

    def metrics(self, process: str) -> str:
        return httpx.get(f"{self.urls[process]}/metrics", timeout=30).text


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    """A suite in which a lead went all the way and some questions were asked, and was watched doing so."""
    tool("prometheus", REMEDY)
    var = tmp_path_factory.mktemp("w")
    with running_suite(var, environment={"GATEWAY_PATIENCE_SECONDS": "0"}) as suite:
        env = dict(line.split("=", 1) for line in (var / "rapport.env").read_text().splitlines())
        ports = {name: suite.setting(name, f"{name.upper()}_PORT") for name in SERVICES}
        urls = {"gateway": env["RAPPORT_INNER_URL"]}
        urls |= {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        targets = {name: url.removeprefix("http://") for name, url in urls.items()}
        with watching(targets, var / "p") as prometheus:
            await eventually(prometheus.is_ready, within=30)
            await eventually(lambda: len(prometheus.query("rapport_build_info")) == len(PROCESSES), within=60)
            await a_lead_goes_all_the_way(suite)
            told = (
                'rate(rapport_handler_events_total{service="routing"}[60s])',
                'rate(rapport_stream_appended_total{stream="CAPTURE"}[60s])',
                'rate(rapport_http_requests_total{service="gateway", status="503", route="/v1/campaigns"}[60s])',
                'rapport_build_info{service="metrics"}',
            )

            def all_told() -> bool:
                assert [query for query in told if not prometheus.query(query)] == []
                return True

            await eventually(all_told, within=30)
            yield Watched(suite, prometheus, urls)


async def a_lead_goes_all_the_way(suite: Suite) -> None:
    ana = await hire(suite, "Ana Ruiz")
    lead = Visitor(suite, "browser-1", suite.write_key, {})
    await lead.does("Demo Requested", ago(minutes=1), HOT)
    await ana.next_alerts(1)
    async with suite.client() as client:
        assert (await client.get("/v1/people?email=mara.lindqvist@tidewater.example")).status_code == 200
        assert (await client.get("/v1/people/per_nobody")).status_code == 404
        answer = await client.get("/v1/status")
        assert answer.status_code == 200
        suite.kill("metrics")  # it is back in a moment
        assert (await client.get("/v1/campaigns")).status_code == 503


def known_metrics() -> set[str]:
    """The names of the series that the code can tell, beside those of the service routing."""
    families = list(Metrics("any").registry.collect())
    names = {f"{family.name}{end}" for family in families for end in ("", "_total", "_bucket", "_count", "_sum")}
    return names | set(CATALOGUE) | {"rapport_unassigned_leads"}


@pytest.mark.parametrize("process", [process.name for process in PROCESSES])
async def test_what_a_process_tells_is_well_formed(watched: Watched, process: str) -> None:
    told = watched.metrics(process)
    ended = await asyncio.to_thread(
        subprocess.run,
        [tool("promtool", REMEDY), "check", "metrics"],
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    families = {family.name: family for family in text_string_to_metric_families(told)}
    assert {"process_cpu_seconds", "process_resident_memory_bytes", "process_start_time_seconds"} <= families.keys()
    assert "python_info" in families
    [build] = families["rapport_build_info"].samples
    assert build.labels == {"service": process, "version": VERSION, "revision": ""}
    assert not [name for name in families if name.endswith("_created")]


async def test_no_label_holds_what_people_told_us_or_an_id(watched: Watched) -> None:
    for process in watched.urls:
        for family in text_string_to_metric_families(watched.metrics(process)):
            values = [value for sample in family.samples for value in sample.labels.values()]
            odd = [
                value for value in values if re.search(r"@|tidewater|\b(per|ref|rep|acc|frg|evt)_[0-9A-Z]{8}", value)
            ]
            assert odd == [], family.name


@pytest.mark.parametrize(("panel", "query"), DASHBOARD, ids=[panel for panel, _ in DASHBOARD])
async def test_every_query_of_the_dashboard_finds_something(watched: Watched, panel: str, query: str) -> None:
    asked = query.replace("$service", ".*").replace("$__rate_interval", "60s")
    assert "$" not in asked
    found = watched.prometheus.query(asked)
    names = {name.partition("{")[0] for name in SELECTOR.findall(asked)}
    assert names <= known_metrics()
    if not names & ONLY_AFTER_TROUBLE.keys():
        assert found, f"{panel}: {asked}"
        assert not [one for one in found if "NaN" in one["value"][1]] or "quantile" in asked


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
async def test_every_rule_asks_for_what_is_there(watched: Watched, rule: dict[str, Any]) -> None:
    watched.prometheus.query(rule["expr"])
    selectors = set(SELECTOR.findall(re.sub(r"\s+", " ", rule["expr"])))
    assert {name.partition("{")[0] for name in selectors} <= known_metrics()
    for selector in selectors:
        if selector.partition("{")[0] not in ONLY_AFTER_TROUBLE:
            assert watched.prometheus.query(f"last_over_time({selector}[5m])"), selector


async def test_prometheus_takes_the_rules_and_a_sound_suite_alarms_nobody(watched: Watched) -> None:
    told = [rule for group in watched.prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in told} == {rule["alert"] for rule in rules()}
    assert [(rule["name"], rule.get("lastError")) for rule in told if rule["health"] == "err"] == []
    assert {rule["name"] for rule in told if rule["state"] == "firing"} <= {"RapportDiskFull"}  # this machine's own


async def test_whatever_is_sent_the_answer_stays_small(watched: Watched) -> None:
    before = len(watched.metrics("gateway"))
    async with watched.suite.client() as client:
        for number in range(400):
            path = f"/v1/people/{uuid.uuid4()}" if number % 2 else f"/{uuid.uuid4()}/v1/track"
            await client.request(("GET", "PUT", "BREW", "DELETE")[number % 4], path)
        for path in sorted({route["path"] for route in await every_path(client)}):
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "TRACE"):
                if not path.endswith(("/stream", "/tail")):
                    await client.request(method, path.replace("{", "").replace("}", ""), content=b"\xff")
    after = watched.metrics("gateway")
    assert len(after) < 500_000, (before, len(after))
    routes = set(re.findall(r'route="([^"]*)"', after))
    assert not [route for route in routes if re.search(r"[0-9a-f]{8}-", route)]


async def every_path(client: httpx.AsyncClient) -> list[dict[str, str]]:
    return [{"path": path} for path in (await client.get("/openapi.json")).json()["paths"]]
