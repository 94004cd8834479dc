"""A suite of its own for a measurement: fresh stores in a temporary folder, free ports, stopped at the end."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from bench.latency import Target

ROOT = Path(__file__).resolve().parent.parent


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
    key = {"authorization": f"Bearer {known['RAPPORT_API_KEY']}"}
    sources = httpx.get(f"{known['RAPPORT_URL']}/v1/sources", headers=key).raise_for_status().json()["items"]
    default = next(source for source in sources if source["name"] == "default")
    return Target(known["RAPPORT_URL"], known["RAPPORT_WRITE_KEY"], default["source_id"], known["RAPPORT_NATS_URL"])
