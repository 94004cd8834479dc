"""`make demo`, as somebody meets it who just cloned the repository."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.screen import WIDTH
from demo.show.tables import width
from tests.support.eventually import eventually
from tests.support.suite import ROOT, Suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def the_demo(suite: Suite, *options: str) -> list[str]:
    return [sys.executable, "-m", "demo", "--var", str(suite.var), "--people", "40", "--rate", "500", *options]


def played(suite: Suite, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(the_demo(suite, *options), cwd=ROOT, capture_output=True, text=True, check=False, timeout=960)


async def test_a_market_is_played_shown_and_can_be_played_again(own_suite: Suite) -> None:
    ended = played(own_suite)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    shown = ended.stdout
    assert "run 1: 40 invented people" in shown
    assert re.search(
        r"first alert after \d+\.\d s, to Ana Ruiz by NATS:\n  \S+ .* at Tidewater Freight, is ready", shown
    )
    for title in (
        "The funnel",
        "What the campaigns brought",
        "The first alert, as Ana Ruiz got it",
        "The receipts behind it",
        "Where to look next",
    ):
        assert f"\n{title}" in shown, title
    receipts = shown.split("The receipts behind it")[1].split("Where to look next")[0]
    for owner in ("scoring", "lifecycle", "nurture", "routing"):
        assert f"  {owner}" in receipts, owner
    assert "100 %" in ended.stderr
    reps = " ".join(shown.split("The reps: ")[1].split("\n\n")[0].split())
    # weeks have passed for them, not minutes
    assert re.match(r"\d+ accepted, .*\d+ qualified, \d+ deals opened", reps), reps
    wide = [line for line in shown.splitlines() if width(line) > WIDTH]
    assert all(str(own_suite.var) in line for line in wide), wide  # a path cannot be wrapped
    assert "refused" not in shown

    again = played(own_suite)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "run 2: 40 invented people" in again.stdout
    async with own_suite.client() as client:
        reps = (await client.get("/v1/reps")).json()["items"]
        assert sorted(rep["name"] for rep in reps) == ["Ana Ruiz", "Bo Halloran", "Chidi Obi", "Dóra Lukács"]


def test_a_service_that_is_away_is_named(own_suite: Suite) -> None:
    control = [
        sys.executable,
        "-m",
        "supervisor.supervisorctl",
        "-c",
        str(own_suite.var / "supervisord.conf"),
        "stop",
        "services:metrics",
    ]
    subprocess.run(control, check=True, capture_output=True)
    ended = played(own_suite)
    assert ended.returncode == 1
    assert "The service metrics is not there: GET /v1/campaigns" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


@contextmanager
def begun(suite: Suite, shown: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The demo in the background, slow enough to be interrupted."""
    with shown.open("w") as out:
        process = subprocess.Popen(the_demo(suite, "--rate", "10"), cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=120)


async def test_ctrl_c_ends_the_demo_and_leaves_the_suite_running(suite: Suite, tmp_path: Path) -> None:
    shown = tmp_path / "shown.txt"
    with begun(suite, shown) as process:
        await eventually(lambda: "first alert" in shown.read_text(), within=60)
        process.send_signal(signal.SIGINT)
        await eventually(lambda: process.poll() is not None, within=30)
        assert process.returncode == 130, shown.read_text()
    assert "The suite goes on" in shown.read_text()
    assert "Traceback" not in shown.read_text()
    async with suite.client() as client:
        assert (await client.get("/readyz")).status_code == 200
