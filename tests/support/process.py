"""A service as a real process: started, killed, asked to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from embedded.ports import free_ports
from tests.support.eventually import eventually
from tests.support.service import token

ROOT = Path(__file__).resolve().parents[2]


class ServiceProcess:
    """`python -m module` with `environment`, on one port however often it is started.

    `prefix` is that of its settings, as `ECHO_`; `folder` the checkout that it is run from.

    Use as an async context manager: it is ready inside, and gone afterwards.
    """

    def __init__(
        self, module: str, prefix: str, environment: Mapping[str, str], log: Path, *, folder: Path = ROOT
    ) -> None:
        self._folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._module = module
        self.environment = {**os.environ, **environment, f"{prefix}PORT": str(self.port)}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        """Start the process, and do not wait."""
        assert self._process is None, "the process is running"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module], cwd=self._folder, env=self.environment, stdout=log, stderr=log
            )

    async def start(self, within: float = 45.0) -> None:
        """Start the process and wait until it is ready."""
        self.spawn()
        try:
            await eventually(self.is_ready, within=within)
        except AssertionError:
            raise AssertionError(f"{self._module} is not ready:\n{self.log()[-3000:]}") from None

    @property
    def pid(self) -> int:
        """Of the process that is running."""
        assert self._process is not None, "the process is not running"
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL."""
        self._signal(signal.SIGKILL)
        self.wait()

    def terminate(self) -> None:
        """SIGTERM, and do not wait."""
        self._signal(signal.SIGTERM)

    def wait(self, within: float = 80.0) -> int:
        """The exit code, once the process has ended."""
        assert self._process is not None, "the process is not running"
        code = self._process.wait(within)
        self._process = None
        return code

    def client(self) -> httpx.AsyncClient:
        """A client that is let in."""
        return httpx.AsyncClient(
            base_url=self.url, headers={"authorization": f"Bearer {token(ttl_seconds=3600)}"}, timeout=60
        )

    def log(self) -> str:
        """What the process wrote so far."""
        return self._log.read_text()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.kill()

    async def is_ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._module} ended with {self._process.returncode}:\n{self.log()[-3000:]}")
        async with httpx.AsyncClient() as client:
            try:
                return (await client.get(f"{self.url}/readyz")).status_code == 200
            except httpx.HTTPError:
                return False

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the process is not running"
        self._process.send_signal(number)


def free_port() -> int:
    """A port that nobody listens on now, and that no outgoing connection is given before it is listened on."""
    [port] = free_ports(1)
    return port
