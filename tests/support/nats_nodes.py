"""The nodes of a NATS cluster on loopback, from a configuration that was written for containers."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from embedded.ports import free_ports
from tests.support.nats import server_binary

_START_SECONDS: Final = 60.0
_COMMAND: Final = ("nats-server", "--config", "{config}")
_PORTS: Final = ("port", "cluster", "monitor")


class NatsNodes:
    """As many nodes as the configuration has routes (one without any), each with a folder and three ports of its own.

    `config` is the text of `nats.conf`; `environment` what its variables stand for, `POD_NAME` excepted, routes by the
    names of pods. Use as a context manager: every node answers inside.
    """

    def __init__(self, config: str, environment: Mapping[str, str]) -> None:
        self.names = _names(config)
        self.ports = {name: dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True)) for name in self.names}
        self._config, self._environment = config, dict(environment)
        self._directory = Path(tempfile.mkdtemp(prefix="nats-nodes-"))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str, command: Sequence[str] = _COMMAND, variables: Mapping[str, str] | None = None) -> None:
        """Start these (default: all), on the same ports and stores as before; `{config}` in the command is the file,
        `variables` are others than those of the cluster.
        """
        for name in names or self.names:
            folder = self._directory / name
            folder.mkdir(exist_ok=True)
            path = folder / "nats.conf"
            path.write_text(self._local(name, folder))
            words = [word.replace("{config}", str(path)) for word in command]
            words[0] = str(server_binary()) if words[0] == "nats-server" else words[0]
            with (folder / "log").open("ab") as log:
                self._processes[name] = subprocess.Popen(
                    words, stdout=log, stderr=log, env=self._variables(name, variables or {})
                )

    def until_healthy(self, *names: str) -> None:
        """Wait until these (default: those that run) say that all their streams are up to date."""
        deadline = time.monotonic() + _START_SECONDS
        waiting = set(names or self._processes)
        while waiting and time.monotonic() < deadline:
            waiting = {name for name in waiting if not self._is_healthy(name)}
            time.sleep(0.05)
        assert not waiting, "\n".join(f"{name} is not healthy:\n{self.log(name)[-3000:]}" for name in sorted(waiting))

    def kill(self, name: str) -> None:
        """SIGKILL; the store stays."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal."""
        self._processes[name].send_signal(number)

    def wait(self, name: str, within: float = 90.0) -> int:
        """The exit code, once it has ended."""
        return self._processes.pop(name).wait(within)

    def url(self, name: str, user: str, password: str) -> str:
        """Where a client connects."""
        return f"nats://{user}:{password}@127.0.0.1:{self.ports[name]['port']}"

    def monitor(self, name: str) -> str:
        """Where it tells how it is."""
        return f"http://127.0.0.1:{self.ports[name]['monitor']}"

    def folder(self, name: str) -> Path:
        """What is `/data` to it."""
        return self._directory / name / "data"

    def log(self, name: str) -> str:
        """What it wrote so far."""
        return (self._directory / name / "log").read_text()

    def stop(self) -> None:
        """End all of them and forget what they stored."""
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._processes.clear()
        shutil.rmtree(self._directory, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        try:
            self.until_healthy()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _is_healthy(self, name: str) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.monitor(name)}/healthz", timeout=1).status_code == 200
        return False

    def _variables(self, name: str, others: Mapping[str, str]) -> dict[str, str]:
        variables = {**os.environ, **self._environment, **others, "POD_NAME": name}
        for other, theirs in self.ports.items():
            at = f"127.0.0.1:{theirs['cluster']}"
            variables = {key: re.sub(rf"{other}\.[\w-]+:6222", at, value) for key, value in variables.items()}
        return variables

    def _local(self, name: str, folder: Path) -> str:
        """The configuration with this node's folder and everybody's ports, on loopback."""
        ports = self.ports[name]
        text = self._config.replace("/data/", f"{folder / 'data'}/")
        text = text.replace('"0.0.0.0:8222"', f'"127.0.0.1:{ports["monitor"]}"').replace("0.0.0.0", "127.0.0.1")
        text = re.sub(r"^port: 4222$", f"port: {ports['port']}", text, flags=re.MULTILINE)
        text = text.replace(" port: 6222", f" host: 127.0.0.1\n port: {ports['cluster']}")
        (folder / "data").mkdir(exist_ok=True)
        return text


def _names(config: str) -> list[str]:
    return [f"nats-{number}" for number in range(len(re.findall(r"\$NATS_ROUTE_\d+", config)) or 1)]
