"""The whole suite as real processes, as `make up DETACH=1` runs it, in a folder and on ports of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from embedded.plan import SERVICE_GROUP, SERVICES

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = tuple(line.partition(":")[0] for line in (ROOT / "Procfile").read_text().splitlines() if line.strip())


@dataclass(frozen=True)
class Suite:
    """A running suite."""

    var: Path
    url: str
    write_key: str
    api_key: str
    nats_url: str
    operator_nats_url: str

    def client(self) -> httpx.AsyncClient:
        """An HTTP client of somebody with an API key."""
        return httpx.AsyncClient(base_url=self.url, headers={"authorization": f"Bearer {self.api_key}"}, timeout=120)

    def pid(self, process: str) -> int:
        """The process id supervisord knows `process` by; 0 while it is not running."""
        name = f"{SERVICE_GROUP}:{process}" if process in SERVICES else process
        answer = subprocess.run(self._control("pid", name), capture_output=True, text=True, check=False)
        return int(answer.stdout) if answer.stdout.strip().isdigit() else 0

    def kill(self, process: str) -> int:
        """kill -9; supervisord starts it again. Returns the id of the process that died."""
        pid = self.pid(process)
        assert pid > 0, f"{process} is not running"
        os.kill(pid, signal.SIGKILL)
        return pid

    def setting(self, process: str, name: str) -> str:
        """A setting that a process was started with, as in var/supervisord.conf."""
        for line in (self.var / "supervisord.conf").read_text().split(f"[program:{process}]")[1].splitlines():
            if line.startswith("environment="):
                pairs = dict(pair.split("=", 1) for pair in line.removeprefix("environment=").split(","))
                return pairs[name].strip('"').replace("%%", "%")
        raise KeyError(name)

    def log(self, process: str) -> str:
        return (self.var / "log" / f"{process}.log").read_text()

    def _control(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(self.var / "supervisord.conf"), *words]


@contextmanager
def running_suite(var: Path, *options: str, environment: Mapping[str, str] | None = None) -> Iterator[Suite]:
    """Start the suite under `var`, stop it at the end.

    The path must be short: a unix socket lives in it. `environment` is for all processes.
    """
    command = [sys.executable, "-m", "embedded.up", "--port", "0", "--var", str(var), "--detach", *options]
    started = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | dict(environment or {})
    )
    if started.returncode != 0:
        logs = "\n".join(f"--- {path.name}\n{path.read_text()[-2000:]}" for path in sorted((var / "log").glob("*.log")))
        pytest.fail(f"the suite did not start:\n{started.stdout}\n{started.stderr}\n{logs}")
    try:
        yield _read(var)
    finally:
        subprocess.run(
            [sys.executable, "-m", "embedded.down", "--var", str(var)], cwd=ROOT, check=True, capture_output=True
        )


def _read(var: Path) -> Suite:
    known = dict(line.split("=", 1) for line in (var / "rapport.env").read_text().splitlines())
    names = ("URL", "WRITE_KEY", "API_KEY", "NATS_URL", "OPERATOR_NATS_URL")
    return Suite(var, *(known[f"RAPPORT_{name}"] for name in names))


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """One suite for all tests that leave it as they found it; some of them ask with hundreds of wrong keys."""
    with running_suite(tmp_path_factory.mktemp("suite"), environment={"GATEWAY_WRONG_KEYS": "0"}) as running:
        yield running


@pytest.fixture
def own_suite(tmp_path: Path) -> Iterator[Suite]:
    """A suite that this test may break."""
    with running_suite(tmp_path) as running:
        yield running
