"""A real Prometheus on loopback, for what it makes of our metrics, rules and queries."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.support.process import ROOT, free_port
from tests.support.tools import tool

REMEDY = "apt-get install --no-install-recommends prometheus"
OBSERVABILITY = ROOT / "observability"


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    url: str

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer of its API. Raises AssertionError with what it says when it refuses."""
        answer = httpx.post(f"{self.url}/api/v1/{path}", data=parameters, timeout=30)
        told = answer.json()
        assert told["status"] == "success", f"{parameters}: {told}"
        return told["data"]

    def get(self, path: str) -> Any:
        return httpx.get(f"{self.url}/api/v1/{path}", timeout=30).json()["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that `expression` gives now."""
        found: list[dict[str, Any]] = self.ask("query", query=expression)["result"]
        return found

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


@contextmanager
def watching(targets: Mapping[str, str], folder: Path) -> Iterator[Prometheus]:
    """Prometheus with our rules, asking `targets` (service -> host:port) every second."""
    program = tool("prometheus", REMEDY)
    config = yaml.safe_load((OBSERVABILITY / "prometheus.yaml").read_text())
    [job] = config["scrape_configs"]
    for name in ("dns_sd_configs", "relabel_configs"):  # which turn a name among containers into what stands below
        del job[name]
    job["static_configs"] = [{"targets": [where], "labels": {"service": name}} for name, where in targets.items()]
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(OBSERVABILITY / "alerts.yaml")]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [
        program,
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield Prometheus(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)
