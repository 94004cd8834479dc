"""Every alert rule fires when it should and is silent when it should be, as Prometheus itself judges it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployment.catalogue import PROCESSES
from tests.support.process import ROOT
from tests.support.tools import tool

RULES = ROOT / "observability" / "alerts.yaml"
REMEDY = "apt-get install --no-install-recommends prometheus"
ALL_UP = {f'rapport_build_info{{service="{process.name}"}}': "1x60" for process in PROCESSES}
REQUESTS = 'rapport_http_requests_total{service="gateway",method="POST",route="/v1/track",status="%s"}'
BUCKET = 'rapport_http_request_duration_seconds_bucket{service="gateway",method="POST",route="/v1/track",le="%s"}'
ROOM = 'rapport_disk_%s_bytes{service="gateway"}'
JETSTREAM = 'rapport_jetstream_%s_bytes{service="gateway"}'
LAG = 'rapport_consumer_lag_messages{service="scoring",stream="IDENTITY",consumer="scoring"}'
SPOOL = 'rapport_outbox_events{service="gateway"}'
STARTED = 'process_start_time_seconds{job="rapport",service="nurture"}'


@dataclass(frozen=True)
class Case:
    """Series (as promtool writes them: start, step, number of minutes) with which an alert is firing at `at`, and with
    which it is not.
    """

    alert: str
    firing: dict[str, str]
    silent: dict[str, str]
    at: str = "20m"


def gauge(name: str, bad: str, good: str = "0x60", service: str = "scoring") -> tuple[dict[str, str], dict[str, str]]:
    series = f'{name}{{service="{service}"}}'
    return {series: bad}, {series: good}


CASES = [
    Case("RapportServiceDown", {k: v for k, v in ALL_UP.items() if "nurture" not in k}, ALL_UP),
    Case("RapportInstanceDown", {'up{job="rapport",service="scoring"}': "0x60"}, {'up{job="rapport"}': "0 1x60"}),
    Case("RapportRestarts", {STARTED: "1+60x60"}, {STARTED: "1x30 2x30"}, at="40m"),
    Case("RapportNotReady", *gauge("rapport_ready", "0x60", "1x60")),
    Case("RapportNotReady", *gauge("rapport_ready", "0x60", "1x18 0 1x60")),  # one scrape is nothing
    Case("RapportStoreAway", *gauge("rapport_store_ready", "0x60", "1x60")),
    Case("RapportNatsUnreachable", *gauge("rapport_nats_connected", "0x60", "1x60")),
    Case(
        "RapportNatsRefusesWrites",
        {'rapport_nats_connected{service="identity"}': "1x60", 'rapport_nats_ready{service="identity"}': "0x60"},
        {'rapport_nats_connected{service="identity"}': "0x60", 'rapport_nats_ready{service="identity"}': "0x60"},
    ),
    Case("RapportConsumerLag", {LAG: "6000x60"}, {LAG: "9000x14 0x60"}),
    Case(
        "RapportLagUnknown",
        {'rapport_ready{service="scoring",instance="a"}': "1x60"},
        {
            'rapport_ready{service="scoring",instance="a"}': "1x60",
            'rapport_ready{service="gateway",instance="b"}': "1x60",
            LAG.replace("}", ',instance="a"}'): "0x60",
        },
    ),
    Case("RapportOutboxOld", *gauge("rapport_outbox_age_seconds", "0+60x60", "3x60")),
    Case("RapportSpoolGrowing", {SPOOL: "1x60"}, {SPOOL: "500-10x60"}),
    Case("RapportSpoolGrowing", {SPOOL: "1+5x60"}, {SPOOL: "0x60"}),
    Case("RapportDeadLetters", *gauge("rapport_dead_letters_waiting", "1x60")),
    Case("RapportEventsRefused", *gauge("rapport_outbox_refused_events", "1x60")),
    Case("RapportTimersLate", *gauge("rapport_timers_late_seconds", "0+60x60", "30x60")),
    Case("RapportTimersFailing", *gauge("rapport_timers_failing", "1x60")),
    Case(
        "RapportHandlerFailures",
        {'rapport_handler_failures_total{service="scoring",handler="on_x",error="ValueError"}': "0+1x60"},
        {'rapport_handler_failures_total{service="scoring",handler="on_x",error="ValueError"}': "0x5 1x60"},
    ),
    Case("RapportUnassignedLeads", *gauge("rapport_unassigned_leads", "2x60", "0x10 2x60", "routing")),
    Case(
        "RapportErrorRate",
        {REQUESTS % 200: "0+90x60", REQUESTS % 503: "0+10x60"},
        {REQUESTS % 200: "0+99x60", REQUESTS % 503: "0+1x60"},
    ),
    Case(
        "RapportErrorRate",
        {REQUESTS % 200: "0+90x60", REQUESTS % 500: "0+10x60"},
        {
            REQUESTS % 200: "0+99x60",
            'rapport_http_requests_total{service="gateway",route="/readyz",status="503"}': "0+99x60",
        },
    ),
    Case(
        "RapportCapturesSlow",
        {BUCKET % "1.0": "0+50x60", BUCKET % "2.5": "0+100x60", BUCKET % "+Inf": "0+100x60"},
        {BUCKET % "0.1": "0+100x60", BUCKET % "1.0": "0+100x60", BUCKET % "+Inf": "0+100x60"},
    ),
    Case(
        "RapportDiskFull",
        {ROOM % "free": "9x60", ROOM % "size": "100x60"},
        {ROOM % "free": "11x60", ROOM % "size": "100x60"},
    ),
    Case(
        "RapportDiskFilling",
        {ROOM % "free": "5000-5x600", ROOM % "size": "20000x600"},  # 7,200 a day
        {ROOM % "free": "9000-1x600", ROOM % "size": "20000x600"},
        at="500m",
    ),
    Case(
        "RapportJetStreamFull",
        {JETSTREAM % "used": "90x60", JETSTREAM % "limit": "100x60"},
        {JETSTREAM % "used": "80x60", JETSTREAM % "limit": "100x60"},
    ),
]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def test_every_rule_fires_and_is_silent_when_it_should(tmp_path: Path) -> None:
    promtool = tool("promtool", REMEDY)
    tests = [
        _test(case.alert, case.at, series, expected)
        for case in CASES
        for series, expected in ((case.firing, True), (case.silent, False))
    ]
    path = tmp_path / "alerts.test.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    ended = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def _test(alert: str, at: str, series: dict[str, str], is_firing: bool) -> dict[str, Any]:
    return {
        "name": f"{alert} {'fires' if is_firing else 'is silent'}: {series}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                "eval_time": at,
                "exp_samples": [{"labels": "{}", "value": 1}] if is_firing else [],
            }
        ],
    }


def test_every_rule_has_a_case() -> None:
    assert {case.alert for case in CASES} == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_rule_waits_is_weighed_and_says_what_it_means_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert re.fullmatch(r"\d+m", rule["for"])
    assert rule["labels"]["severity"] in ("critical", "warning")
    told = rule["annotations"]
    assert set(told) == {"summary", "description", "runbook_url"}
    assert len(told["summary"]) <= 80
    assert told["description"].endswith(".")
    assert told["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"


def test_a_service_that_is_down_is_missed_whichever_it_is() -> None:
    (rule,) = [rule for rule in rules() if rule["alert"] == "RapportServiceDown"]
    assert set(re.findall(r'"service", "(\w+)"', rule["expr"])) == {process.name for process in PROCESSES}
