"""`make up` and `make down`, as somebody at a terminal meets them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from embedded.files import is_open
from embedded.lock import is_held
from embedded.plan import SERVICES
from embedded.up import running_pid
from tests.support.eventually import eventually
from tests.support.suite import ROOT, Suite, running_suite

pytestmark = pytest.mark.slow


def up(var: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "embedded.up", "--var", str(var), *options]


@contextmanager
def started(var: Path, shown: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`make up` in the background of a script, where shells have SIGINT ignored: the harder case."""
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *up(var, "--port", "0")]
    with shown.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=120)


async def test_ctrl_c_stops_everything_cleanly(tmp_path: Path) -> None:
    shown = tmp_path / "shown.txt"
    with started(tmp_path / "var", shown) as process:
        await eventually(lambda: "Rapport is ready" in shown.read_text(), within=60)
        assert "write key  wk_" in shown.read_text()
        process.send_signal(signal.SIGINT)
        await eventually(lambda: process.poll() is not None, within=30)
        assert process.returncode == 0, shown.read_text()
    assert running_pid(tmp_path / "var") is None
    log = (tmp_path / "var" / "log" / "supervisord.log").read_text()
    assert "SIGKILL" not in log, "a process had to be killed"
    assert not is_held(tmp_path / "var")
    for name in ("gateway", "identity", "scoring"):
        assert '"service.stopped"' in (tmp_path / "var" / "log" / f"{name}.log").read_text(), name


def test_a_port_that_is_taken_is_named_with_the_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            up(tmp_path, "--port", str(port)), cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
        )
    assert ended.returncode == 1
    assert f"port {port} is taken" in ended.stdout
    assert "PORT=" in ended.stdout


def test_a_second_suite_in_the_same_folder_is_refused(suite: Suite) -> None:
    ended = subprocess.run(
        up(suite.var, "--port", "0", "--detach"), cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
    assert ended.returncode == 1
    assert "make down" in ended.stdout
    keeper = int((suite.var / "supervisord.pid").read_text())
    assert f"process {keeper}, since" in ended.stdout, "it names who holds the folder"
    assert suite.url in ended.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="forks without exec are for Linux")
def test_services_are_processes_of_their_own_that_share_what_they_imported(suite: Suite) -> None:
    keeper = int((suite.var / "supervisord.pid").read_text())
    for name in SERVICES:
        process = Path(f"/proc/{suite.pid(name)}")
        assert process.joinpath("cmdline").read_bytes().rstrip(b"\0").split(b"\0")[1:] == [
            b"-m",
            f"services.{name}.main".encode(),
        ]
        assert int(process.joinpath("stat").read_text().rpartition(")")[2].split()[1]) == keeper
        memory = dict(line.split()[:2] for line in process.joinpath("smaps_rollup").read_text().splitlines()[1:])
        shared = int(memory["Shared_Dirty:"]) + int(memory["Shared_Clean:"])
        assert shared > int(memory["Private_Dirty:"]), f"{name} imported for itself: {memory}"


def test_reports_give_way_to_what_somebody_waits_for(suite: Suite) -> None:
    niceness = {name: os.getpriority(os.PRIO_PROCESS, suite.pid(name)) for name in SERVICES}
    reports = niceness.pop("metrics")
    assert set(niceness.values()) == {reports - 10}


def test_an_interpreter_for_each_process_can_be_asked_for(tmp_path: Path) -> None:
    with running_suite(tmp_path, "--exec") as suite:
        memory = dict(
            line.split()[:2] for line in Path(f"/proc/{suite.pid('scoring')}/smaps_rollup").read_text().splitlines()[1:]
        )
        assert int(memory["Shared_Dirty:"]) == 0


def test_down_with_nothing_running_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "embedded.down", "--var", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert (ended.returncode, ended.stdout) == (0, "nothing is running.\n")


def test_everything_in_the_folder_is_its_owners_alone(suite: Suite) -> None:
    assert [path for path in (suite.var, *suite.var.rglob("*")) if is_open(path)] == []


def _as_a_terminal() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever runs the tests in the background has it ignored


@pytest.mark.parametrize("module", ["embedded.up", "cli"])
@pytest.mark.parametrize("seconds", [0.2, 0.6, 1.2])
def test_ctrl_c_before_it_began_is_told_in_a_line_and_leaves_nothing(
    tmp_path: Path, module: str, seconds: float
) -> None:
    words = ("up",) if module == "cli" else ()
    command = [sys.executable, "-m", module, *words, "--var", str(tmp_path / "var"), "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_as_a_terminal
    ) as process:
        try:
            time.sleep(seconds)  # wherever it may be by then
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert "Traceback" not in out + err
    assert len(err.splitlines()) <= 2, err
    assert not is_held(tmp_path / "var")
