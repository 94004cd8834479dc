"""A suite of its own for a measurement: fresh stores in a temporary folder, free ports, stopped at the end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.processes import descendants, naming

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS, STOP_SECONDS, SETTLE_SECONDS = 180.0, 90.0, 15.0


@dataclass(frozen=True)
class BenchTarget:
    """A running suite and a source of it."""

    var: Path
    url: str
    write_key: str
    api_key: str
    source_id: str
    nats_url: str

    def keeper(self) -> int:
        """The process that keeps all others."""
        return int((self.var / "supervisord.pid").read_text())

    def processes(self) -> Mapping[str, int]:
        """Process id by name, of all that supervisord keeps.

        For a second after its start it knows none by number; raises TimeoutError for one that does not come to run:
        what it costs would be left out of every sum.
        """
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            states = self._states()
            if states and all(words[1] == "RUNNING" for words in states):
                return {words[0].rpartition(":")[2]: int(words[words.index("pid") + 1]) for words in states}
            if time.monotonic() > deadline:
                raise TimeoutError(f"not all of the suite runs: {states}")
            time.sleep(0.2)

    def _states(self) -> list[list[str]]:
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(self.var / "supervisord.conf"), "status"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        return [words for line in answer.splitlines() if len(words := line.replace(",", "").split()) > 1]


@contextmanager
def fresh_suite(root: Path = ROOT) -> Iterator[BenchTarget]:
    """Start everything that `make up` starts in the checkout at `root`; yields where it is and its default source."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        try:
            _run(root, "up", folder, "--port", "0", "--detach", within=START_SECONDS)
            yield _target(Path(folder))
        finally:
            _stop(root, folder)


def _run(root: Path, module: str, folder: str, *options: str, within: float) -> None:
    command = [sys.executable, "-m", f"embedded.{module}", "--var", folder, *options]
    subprocess.run(command, cwd=root, env=environment(), check=True, stdout=subprocess.DEVNULL, timeout=within)


def environment() -> dict[str, str]:
    """Ours without PYTHONPATH: what is imported is what lies in the checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def _stop(root: Path, folder: str) -> None:
    """Also what has come up in part.

    What does not stop is killed, so that nothing is left to run in a folder that is gone.
    """
    try:
        _run(root, "down", folder, within=STOP_SECONDS)
    finally:
        for pid in [one for named in list(naming(folder)) for one in (named, *descendants(named))]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _target(var: Path) -> BenchTarget:
    known = dict(line.split("=", 1) for line in (var / "rapport.env").read_text().splitlines())
    url, api_key = known["RAPPORT_URL"], known["RAPPORT_API_KEY"]
    sources = (
        httpx.get(f"{url}/v1/sources", headers={"authorization": f"Bearer {api_key}"})
        .raise_for_status()
        .json()["items"]
    )
    default = next(source for source in sources if source["name"] == "default")
    return BenchTarget(var, url, known["RAPPORT_WRITE_KEY"], api_key, default["source_id"], known["RAPPORT_NATS_URL"])
