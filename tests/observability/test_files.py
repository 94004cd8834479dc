"""The files beside the rules fit each other: scrape targets, collector, trace store, Grafana."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from deployment import dashboard
from deployment.catalogue import INNER_PORT, PROCESSES
from tests.support.prometheus import OBSERVABILITY, REMEDY
from tests.support.tools import tool

GRAFANA = OBSERVABILITY / "grafana"


def read(*names: str) -> Any:
    return yaml.safe_load(OBSERVABILITY.joinpath(*names).read_text())


def test_prometheus_takes_its_configuration() -> None:
    path = OBSERVABILITY / "prometheus.yaml"
    ended = subprocess.run(
        [tool("promtool", REMEDY), "check", "config", str(path)], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_process_is_asked_on_its_inner_port() -> None:
    [job] = read("prometheus.yaml")["scrape_configs"]
    [names] = job["dns_sd_configs"]
    assert (sorted(names["names"]), names["port"]) == (sorted(process.name for process in PROCESSES), INNER_PORT)
    assert (job["job_name"], job["honor_labels"]) == ("rapport", True), "as the rules and queries select"


def test_the_collector_takes_what_our_processes_send_and_hands_it_to_the_trace_store() -> None:
    collector, tempo = read("otel-collector.yaml"), read("tempo.yaml")
    pipeline = collector["service"]["pipelines"]["traces"]
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) == set(collector[kind]), f"{kind} that are defined and not used, or the reverse"
    assert collector["service"]["extensions"] == [*collector["extensions"]]
    assert pipeline["processors"][0] == "memory_limiter", "first, or memory is full before it is asked"
    [receiver] = collector["receivers"].values()
    assert [*receiver["protocols"]] == ["http"], "chassis/telemetry.py speaks OTLP over HTTP"
    assert receiver["protocols"]["http"]["endpoint"].endswith(":4318")
    [exporter] = collector["exporters"].values()
    host, _, port = exporter["endpoint"].partition(":")
    taken = tempo["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    assert (host, port) == ("tempo", taken.rpartition(":")[2])


def test_grafana_is_given_what_the_dashboard_and_the_trace_store_need() -> None:
    sources = {one["uid"]: one for one in read("grafana", "provisioning", "datasources", "rapport.yaml")["datasources"]}
    used = set(re.findall(r'"uid": "(\w+)"', (GRAFANA / "dashboards" / "rapport.json").read_text())) - {"rapport"}
    assert used <= sources.keys()
    assert urlsplit(sources["tempo"]["url"]).port == read("tempo.yaml")["server"]["http_listen_port"]
    interval = read("prometheus.yaml")["global"]["scrape_interval"]
    assert sources["prometheus"]["jsonData"]["timeInterval"] == interval
    [provider] = read("grafana", "provisioning", "dashboards", "rapport.yaml")["providers"]
    assert provider["type"] == "file"


def test_the_dashboard_is_what_its_source_says() -> None:
    assert dashboard.TARGET.read_text() == dashboard.dashboard_text(), "run `python -m deployment.dashboard`"


def test_no_panel_lies_on_another_and_each_says_what_it_is_for() -> None:
    panels = json.loads(dashboard.TARGET.read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for one, other in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)
    for panel in panels:
        assert panel["type"] == "row" or (panel["description"].endswith(".") and panel["targets"])
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24


def test_drift_of_the_dashboard_is_an_error(tmp_path: Path) -> None:
    made = tmp_path / "rapport.json"
    made.write_text("{}")
    assert dashboard.write(made, only_check=True) == 1
    assert dashboard.write(made) == 0
    assert dashboard.write(made, only_check=True) == 0
