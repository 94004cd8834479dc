"""The profile `observe`: its images cannot be tried everywhere, so what they are told is read and judged."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from deployment.catalogue import INNER_PORT, PROCESSES
from tests.support.composition import ROOT, Container
from tests.support.tools import tool

FOLDER = ROOT / "observability"
NAMES = ("otel-collector", "tempo", "prometheus", "grafana")


def test_nothing_of_it_starts_without_being_asked_for(entries: Mapping[str, Container]) -> None:
    assert {name for name, one in entries.items() if one.profiles == ["observe"]} == set(NAMES)
    assert not any(set(one.entry.get("depends_on", ())) & set(NAMES) for one in entries.values())


def test_prometheus_reads_what_is_mounted(entries: Mapping[str, Container], tmp_path: Path) -> None:
    promtool = tool("promtool", "install the package prometheus")
    folder = tmp_path / "etc"
    for volume in entries["prometheus"].entry["volumes"]:
        source, target, *_ = volume.split(":")
        if source.startswith("."):
            (folder / target[1:]).parent.mkdir(parents=True, exist_ok=True)
            (folder / target[1:]).write_text((ROOT / source).read_text())
    (config,) = [word.partition("=")[2] for word in entries["prometheus"].command if word.startswith("--config.file")]
    done = subprocess.run(
        [promtool, "check", "config", str(folder / config[1:])], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rules found" in done.stdout


def test_prometheus_asks_each_process_on_its_inner_port_and_shares_a_network_with_it(
    entries: Mapping[str, Container],
) -> None:
    (job,) = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["scrape_configs"]
    (targets,) = job["dns_sd_configs"]
    assert set(targets["names"]) == {process.name for process in PROCESSES}
    assert targets["port"] == INNER_PORT
    for name in targets["names"]:
        assert _share(entries, "prometheus", name), name


def test_traces_go_from_the_processes_to_the_store(entries: Mapping[str, Container]) -> None:
    collector = yaml.safe_load((FOLDER / "otel-collector.yaml").read_text())
    tempo = yaml.safe_load((FOLDER / "tempo.yaml").read_text())
    assert collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].endswith(":4318")
    for process in PROCESSES:
        assert _share(entries, process.name, "otel-collector"), process.name
        assert "OTEL_EXPORTER_OTLP_ENDPOINT" in entries[process.name].environment
    host, _, port = collector["exporters"]["otlp/tempo"]["endpoint"].partition(":")
    assert _share(entries, "otel-collector", host)
    assert tempo["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"].endswith(f":{port}")
    mounted = [volume.rpartition(":")[2] for volume in entries["tempo"].entry["volumes"]]
    assert any(tempo["storage"]["trace"]["local"]["path"].startswith(path) for path in mounted if path != "ro")


def test_grafana_finds_its_sources_and_its_dashboards_and_has_no_user(entries: Mapping[str, Container]) -> None:
    provisioning = FOLDER / "grafana" / "provisioning"
    for path in (provisioning / "datasources").glob("*.yaml"):
        for source in yaml.safe_load(path.read_text())["datasources"]:
            assert _share(entries, "grafana", str(urlsplit(source["url"]).hostname)), source["name"]
    mounted = {volume.split(":")[1] for volume in entries["grafana"].entry["volumes"]}
    for path in (provisioning / "dashboards").glob("*.yaml"):
        assert {each["options"]["path"] for each in yaml.safe_load(path.read_text())["providers"]} <= mounted
    assert entries["grafana"].environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert entries["grafana"].environment["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"


def _share(entries: Mapping[str, Container], one: str, other: str) -> bool:
    return bool(set(entries[one].entry["networks"]) & set(entries[other].entry["networks"]))
