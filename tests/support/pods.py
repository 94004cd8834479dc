"""The containers of rendered manifests as processes of this machine: their own command, environment and probes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from deployment.catalogue import INNER_PORT, PORT
from tests.support.eventually import eventually
from tests.support.kubernetes_tools import ROOT
from tests.support.manifests import Manifest, containers, of_kind, pod_of

_VARIABLE: Final = re.compile(r"\$\(([\w.-]+)\)")
_PASSED_ON: Final = ("PATH", "LANG", "TZ")
STARTUP, LIVENESS, READINESS = "startupProbe", "livenessProbe", "readinessProbe"


@dataclass(frozen=True)
class Source:
    """Where a container's environment comes from: the objects of an overlay, and secrets by key."""

    objects: Sequence[Manifest]
    secrets: Mapping[str, str]

    def config(self, name: str) -> dict[str, str]:
        """The data of a ConfigMap, by its rendered name."""
        (found,) = [one for one in of_kind(list(self.objects), "ConfigMap") if one["metadata"]["name"] == name]
        return dict(found["data"])

    def environment(self, container: Manifest, overridden: Mapping[str, str], pod: str = "pod") -> dict[str, str]:
        """As the kubelet makes it: ConfigMaps first, then each variable, with what is known by then put in.

        `overridden` stands for ConfigMap values (by variable), because addresses are others here.
        """
        known: dict[str, str] = {}
        for one in container.get("envFrom", []):
            data = self.config(one["configMapRef"]["name"])
            known |= {f"{one.get('prefix', '')}{key}": value for key, value in data.items()}
        known |= {name: value for name, value in overridden.items() if name in known}
        for variable in container.get("env", []):
            known[variable["name"]] = self._value(variable, known, pod)
        return known

    def _value(self, variable: Manifest, known: Mapping[str, str], pod: str) -> str:
        if "value" in variable:
            return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), variable["value"])
        origin: Any = variable["valueFrom"]
        if "fieldRef" in origin:
            assert origin["fieldRef"]["fieldPath"] == "metadata.name"
            return pod
        return self.secrets[origin["secretKeyRef"]["key"]]


class Pod:
    """One pod of a workload of ours on loopback: `ports` says which local port stands for which of its own.

    `environment` is what the container is told, and nothing of this process's besides.
    """

    def __init__(self, workload: Manifest, environment: Mapping[str, str], ports: Mapping[int, int], log: Path) -> None:
        (self._container,) = containers(workload)
        self._grace: float = pod_of(workload).get("terminationGracePeriodSeconds", 30)
        self.name: str = workload["metadata"]["name"]
        self.ports, self._environment, self._log = dict(ports), dict(environment), log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run its command."""
        words = [sys.executable if word == "python" else word for word in self._container["command"]]
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                words,
                cwd=ROOT,
                env={**passed_on, "PYTHONPATH": str(ROOT), **self._environment},  # as the image says it
                stdout=log,
                stderr=log,
            )

    def run(self, within: float = 120.0) -> int:
        """Run a job to its end; the exit code."""
        self.start()
        assert self._process is not None
        return self._process.wait(within)

    def probe(self, kind: str) -> httpx.Response | None:
        """The answer to one of its own probes; None while nobody answers."""
        asked = self._container[kind]["httpGet"]
        number = next(one["containerPort"] for one in self._container["ports"] if one["name"] == asked["port"])
        try:
            return httpx.get(
                f"http://127.0.0.1:{self.ports[number]}{asked['path']}", timeout=self._container[kind]["timeoutSeconds"]
            )
        except httpx.HTTPError:
            return None

    async def until(self, kind: str, within: float = 60.0) -> None:
        """Wait until one of its own probes is content."""

        def is_content() -> bool:
            self.must_run()
            answer = self.probe(kind)
            assert answer is not None, "nobody answers"
            assert answer.is_success, answer.text
            return True

        try:
            await eventually(is_content, within=within)
        except AssertionError as error:
            raise AssertionError(f"{self.name} {kind}: {error}\n{self.log()[-3000:]}") from None

    def must_run(self) -> None:
        """Raises RuntimeError with its log when it has ended."""
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self._process.returncode}:\n{self.log()[-3000:]}")

    def stop(self) -> int:
        """SIGTERM, and its exit code; an AssertionError when the grace period does not suffice."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(self._grace)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {self._grace} s:\n{self.log()[-3000:]}") from None

    def kill(self) -> None:
        """For the end of a test, however it went."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def memory(self) -> int:
        """What it holds now, in MiB."""
        assert self._process is not None
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self._process.pid}/status").read_text())
        assert found is not None
        return int(found[1]) // 1024

    def log(self) -> str:
        """What it wrote so far."""
        return self._log.read_text() if self._log.exists() else ""


def local(environment: Mapping[str, str], prefix: str, ports: Mapping[str, Mapping[int, int]]) -> dict[str, str]:
    """The same environment with the ports of this machine: of the process itself, and of those it asks."""
    own = ports[prefix.rstrip("_").lower()]
    told = {**environment, f"{prefix}HOST": "127.0.0.1"}
    told |= {f"{prefix}PORT": str(own[PORT]), f"{prefix}INNER_PORT": str(own[INNER_PORT])}
    for name, theirs in ports.items():
        told = {key: value.replace(f"//{name}:{PORT}", f"//127.0.0.1:{theirs[PORT]}") for key, value in told.items()}
    return told
