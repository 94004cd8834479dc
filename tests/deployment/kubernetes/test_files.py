"""What `python -m deployment.kubernetes` writes is what is kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deployment.catalogue import PROCESSES
from deployment.kubernetes.__main__ import main
from deployment.kubernetes.autoscalers import LAG
from deployment.kubernetes.broker import routes, users
from deployment.kubernetes.databases import passwords
from deployment.kubernetes.files import ALERTS, FOLDER, LANES, NODES, alert_rules
from tests.support.tools import missing


def test_the_kept_files_are_those_of_the_code() -> None:
    assert main(["--check"]) == 0, "run `python -m deployment.kubernetes` and keep what it writes"


def test_a_difference_is_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deployment.kubernetes.__main__.FOLDER", Path("/nowhere"))
    assert main(["--check"]) == 1
    assert "k8s/base/nats/nats.conf is not what the code says" in capsys.readouterr().out


def test_the_base_runs_with_the_lanes_that_its_files_were_written_for() -> None:
    settings = dict(
        line.split("=", 1)
        for line in (FOLDER / "base" / "processes.env").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert (int(settings["LANES"]), int(settings["NATS_REPLICAS"])) == (LANES, NODES)


def test_nats_is_given_every_variable_that_its_configuration_names() -> None:
    (nats,) = [one for one in _documents("base/nats/nats.yaml") if one["kind"] == "StatefulSet"]
    given = {variable["name"]: variable for variable in nats["spec"]["template"]["spec"]["containers"][0]["env"]}
    named = set(re.findall(r"(?<= )\$([A-Z][A-Z0-9_]+)", (FOLDER / "base" / "nats" / "nats.conf").read_text()))
    assert named <= set(given)
    assert {f"{user.upper()}_NATS_PASSWORD" for user in users()} <= named
    assert {name: given[name]["value"] for name in routes(NODES)} == routes(NODES)


def test_the_job_of_the_databases_is_given_every_password_that_its_script_reads() -> None:
    (job,) = [one for one in _documents("components/databases/job.yaml") if one["kind"] == "Job"]
    given = {variable["name"] for variable in job["spec"]["template"]["spec"]["containers"][0]["env"]}
    script = (FOLDER / "components" / "databases" / "databases.sql").read_text()
    assert set(re.findall(r"\\getenv \w+ (\w+)", script)) == set(passwords()) <= given


@pytest.mark.parametrize(
    "path", ["components/postgres-operator/cluster.yaml", "components/postgres-single/postgres.yaml"]
)
def test_the_pods_of_postgresql_carry_every_store(path: str) -> None:
    text = (FOLDER / path).read_text()
    assert re.findall(r'rapport/store-(\w+): "true"', text) == [one.name for one in PROCESSES]


def test_the_alerts_are_those_of_prometheus() -> None:
    if not ALERTS.exists():
        missing("observability/alerts.yaml is not there yet; k8s/components/monitoring has no rules until it is")
    kept = yaml.safe_load((FOLDER / "components" / "monitoring" / "rules.yaml").read_text())
    assert kept == alert_rules(ALERTS.read_text())
    assert "rules.yaml" in (FOLDER / "components" / "monitoring" / "kustomization.yaml").read_text()
    assert LAG in ALERTS.read_text(), "what KEDA goes by is not what the alert on lag goes by"


def _documents(path: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / path).read_text()))
