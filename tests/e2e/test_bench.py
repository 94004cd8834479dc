"""`make bench`, as somebody at a terminal meets it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.processes import is_supported, naming
from tests.support.eventually import eventually
from tests.support.suite import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not is_supported(), reason="this kernel does not tell")]


@contextmanager
def benching(folder: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m bench`, whose temporary folders are all in `folder`."""
    command = [sys.executable, "-m", "bench", "--report", str(folder / "report.json"), *options]
    process = subprocess.Popen(command, cwd=ROOT, env={"TMPDIR": str(folder)}, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=360)


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a path that is short enough for a socket in it."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        yield Path(name)


def names(folder: Path) -> list[str]:
    return [one.name for one in folder.iterdir()]


async def test_a_run_that_is_stopped_leaves_nothing(folder: Path) -> None:
    with benching(folder, "--scenes", "start", "--rounds", "1") as process:
        await eventually(lambda: list(folder.glob("rapport-bench-*/supervisord.pid")), within=60)
        process.send_signal(signal.SIGTERM)
        await eventually(lambda: process.poll() is not None, within=90)
    assert process.returncode == 143
    assert list(naming(str(folder))) == []
    assert names(folder) == []


async def test_the_door_is_measured_beside_the_bare_endpoint(folder: Path) -> None:
    with benching(folder, "--scenes", "door-20", "--rounds", "1") as process:
        await eventually(lambda: process.poll() is not None, within=100)
    assert process.returncode == 0
    (scenario,) = json.loads((folder / "report.json").read_text())["scenarios"]
    ours, bare = (
        next(of for name, of in scenario["figures"].items() if name.startswith(start)) for start in ("this", "bare")
    )
    assert scenario["complaints"] == []
    assert {"cpu", "cpu of gateway", "cpu of nats", "rate", "p50", "p99"} <= set(ours)
    ratio = next(one for one in scenario["ratios"] if one["figure"] == "rate")
    assert ratio["median"] == pytest.approx(ours["rate"]["median"] / bare["rate"]["median"], rel=1e-4)
    assert names(folder) == ["report.json"]
