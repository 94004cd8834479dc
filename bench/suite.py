"""A suite of its own for a measurement: fresh stores in a temporary folder, free ports, stopped at the end."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Target:
    """A running suite and a source of it."""

    var: Path
    url: str
    write_key: str
    api_key: str
    source_id: str
    nats_url: str

    def processes(self) -> Mapping[str, int]:
        """Process id by name, of all that supervisord keeps."""
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(self.var / "supervisord.conf"), "status"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        rows = [line.replace(",", "").split() for line in answer.splitlines() if "RUNNING" in line]
        return {row[0].rpartition(":")[2]: int(row[row.index("pid") + 1]) for row in rows}


@contextmanager
def fresh_suite() -> Iterator[Target]:
    """Start everything that `make up` starts; yields where it is and its default source."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        subprocess.run(_command("up", folder, "--port", "0", "--detach"), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        try:
            yield _target(Path(folder))
        finally:
            subprocess.run(_command("down", folder), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _command(module: str, folder: str, *options: str) -> list[str]:
    return [sys.executable, "-m", f"embedded.{module}", "--var", folder, *options]


def _target(var: Path) -> Target:
    known = dict(line.split("=", 1) for line in (var / "rapport.env").read_text().splitlines())
    url, api_key = known["RAPPORT_URL"], known["RAPPORT_API_KEY"]
    sources = httpx.get(f"{url}/v1/sources", headers={"authorization": f"Bearer {api_key}"}).raise_for_status().json()["items"]
    default = next(source for source in sources if source["name"] == "default")
    return Target(var, url, known["RAPPORT_WRITE_KEY"], api_key, default["source_id"], known["RAPPORT_NATS_URL"])
