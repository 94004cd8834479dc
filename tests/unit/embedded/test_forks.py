"""What is forked finds the world that an interpreter of its own would find, under a real supervisord."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from supervisor import supervisord

from embedded import forks
from embedded.lock import DESCRIPTOR_VARIABLE, is_held, take
from embedded.processes import holders
from embedded.supervisor import Supervisor
from tests.support.eventually import eventually
from tests.support.suite import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="forks without exec are for Linux")]

OURS, THEIRS = "embedded.supervisor", "supervisor.supervisord"
PROGRAM = "python -m tests.support.environment_report"


@contextmanager
def kept(var: Path, keeper: str, **commands: str) -> Iterator[subprocess.Popen[bytes]]:
    """`keeper` keeps these commands, their output in `<name>.log`."""
    var.mkdir(parents=True, exist_ok=True)
    config = f"[supervisord]\nnodaemon=true\nsilent=true\nlogfile={var}/supervisord.log\n"
    config += f"pidfile={var}/supervisord.pid\nchildlogdir={var}\n"
    for name, command in commands.items():
        config += textwrap.dedent(f"""
            [program:{name}]
            command={command}
            environment=OF_{name.upper()}="a b"
            stdout_logfile={var}/{name}.log
            redirect_stderr=true
            startsecs=0
            autorestart=unexpected
            exitcodes=0
            """)
    (var / "supervisord.conf").write_text(config)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONUNBUFFERED", None)
    words, terminal = [sys.executable, "-m", keeper, "-c", str(var / "supervisord.conf")], pty.openpty()
    process = subprocess.Popen(
        words, cwd=ROOT, env=environment, stdin=terminal[1], stdout=terminal[1], stderr=terminal[1], close_fds=False
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=80)
        for descriptor in terminal:
            os.close(descriptor)


def log(var: Path, name: str) -> str:
    path = var / f"{name}.log"
    return path.read_text() if path.exists() else ""


def has_logged(var: Path, words: str) -> bool:
    return words in log(var, "supervisord")


def lines(var: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log(var, name).splitlines() if line.startswith("{")]


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def given(process: int) -> str:
    """The environment that the program of a process was started with: of a fork it is its parent's; of one that has
    ended meanwhile nothing is told.
    """
    with suppress(ProcessLookupError, FileNotFoundError):
        return Path(f"/proc/{process}/environ").read_text()
    return ""


async def told(var: Path, name: str, times: int = 1) -> dict[str, Any]:
    """The line that a process wrote when it was started for the `times`-th time."""
    await eventually(lambda: len(lines(var, name)) >= times, within=20)
    return lines(var, name)[times - 1]


def alike(world: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on who keeps the process."""
    own = {key: value for key, value in world["environment"].items() if key not in ("PWD", "SHLVL", "_")}
    return {**world, "environment": own}


async def test_a_forked_process_finds_what_an_interpreter_of_its_own_finds(tmp_path: Path) -> None:
    worlds, programs = {}, {"first": f"{PROGRAM} wait", "second": f"{PROGRAM} wait now"}
    with kept(tmp_path / OURS, OURS, **programs), kept(tmp_path / THEIRS, THEIRS, **programs):
        for keeper in (OURS, THEIRS):
            worlds[keeper] = alike((await told(tmp_path / keeper, "first"))["world"])
    assert worlds[OURS] == worlds[THEIRS]
    assert worlds[OURS]["name"] == "__main__"
    assert worlds[OURS]["argv"] == ["environment_report.py", "wait"]
    assert worlds[OURS]["environment"]["OF_FIRST"] == "a b"
    assert "OF_SECOND" not in worlds[OURS]["environment"]
    assert worlds[OURS]["command"][1:] == ["-m", "tests.support.environment_report", "wait"]


async def test_two_forks_share_no_chance_one_that_is_killed_is_forked_anew_and_both_end_at_sigterm(
    tmp_path: Path,
) -> None:
    """Although their parent handles SIGTERM."""
    with kept(tmp_path, OURS, first=f"{PROGRAM} wait", second=f"{PROGRAM} wait") as keeper:
        first, second = await told(tmp_path, "first"), await told(tmp_path, "second")
        assert not set(first["chance"]) & set(second["chance"])
        assert first["parent"] == second["parent"] == keeper.pid
        os.kill(children(keeper.pid)[0], signal.SIGKILL)
        await eventually(lambda: len(lines(tmp_path, "first")) + len(lines(tmp_path, "second")) == 3, within=20)
    assert "stopped: first (terminated by SIGTERM)" in log(tmp_path, "supervisord")
    assert "stopped: second (terminated by SIGTERM)" in log(tmp_path, "supervisord")


async def test_it_ends_as_an_interpreter_does(tmp_path: Path) -> None:
    ends = {
        "good": ("exit 0", "exit status 0; expected"),
        "bad": ("exit 3", "exit status 3; not"),
        "broken": ("fail", "exit status 1; not"),
    }
    with kept(tmp_path, OURS, **{name: f"{PROGRAM} {words}" for name, (words, _) in ends.items()}):
        for name, (_, status) in ends.items():
            await eventually(partial(has_logged, tmp_path, f"{name} ({status}"), within=20)
    for name in ends:
        assert "child process was not spawned" not in log(tmp_path, name)
        assert ("RuntimeError: as it was told" in log(tmp_path, name)) == (name == "broken")


async def test_a_module_that_cannot_be_imported_says_so_in_its_own_log_and_nobody_else_suffers(tmp_path: Path) -> None:
    with kept(tmp_path, OURS, first="python -m tests.support.no_such", second=f"{PROGRAM} wait"):
        await told(tmp_path, "second")
        await eventually(lambda: "No module named" in log(tmp_path, "first"), within=20)


async def test_where_an_import_starts_a_thread_each_gets_an_interpreter(tmp_path: Path) -> None:
    with kept(tmp_path, OURS, first="python -m tests.support.program_with_thread", second=f"{PROGRAM} wait") as keeper:
        await told(tmp_path, "second")
        assert any("OF_SECOND" in given(child) for child in children(keeper.pid)), "it was forked"
    assert "2 threads run here" in log(tmp_path, "supervisord")


def test_processes_are_started_before_supervisord_waits_a_second_for_somebody_to_talk_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []

    class Group:
        def transition(self) -> None:
            done.append("started")

    monkeypatch.setattr(supervisord.Supervisor, "runforever", lambda _: done.append("waits"))
    supervisor = Supervisor(None)
    supervisor.process_groups = {"first": Group()}
    supervisor.runforever()
    assert done == ["started", "waits"]


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ([sys.executable, "-m", "gateway.main"], "gateway.main"),
        (["/usr/bin/python3", "-m", "gateway.main"], None),
        ([sys.executable, "gateway/main.py"], None),
        ([sys.executable, "-O", "-m", "gateway.main"], None),
        ([str(Path(sys.executable).parent / "nats-server"), "-m", "8222"], None),
    ],
)
def test_only_a_module_in_an_interpreter_like_ours_is_forked(command: list[str], module: str | None) -> None:
    assert forks.module_of(command) == module


def test_the_parent_warms_what_it_imports_once() -> None:
    for _ in range(2):
        forks.load("python -m tests.support.program_with_preload")
    assert sys.modules["tests.support.program_with_preload"].times == ["warmed"]


async def test_forks_can_be_turned_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(forks.VARIABLE, "0")
    with kept(tmp_path, OURS, first=f"{PROGRAM} wait") as keeper:
        await told(tmp_path, "first")
        assert any("OF_FIRST" in given(child) for child in children(keeper.pid)), "it was forked"


@pytest.mark.parametrize("forking", ["1", "0"])
async def test_every_process_inherits_the_lock_on_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forking: str
) -> None:
    lock = take(tmp_path)
    assert lock is not None
    os.set_inheritable(lock.descriptor, True)
    monkeypatch.setenv(forks.VARIABLE, forking)
    monkeypatch.setenv(DESCRIPTOR_VARIABLE, str(lock.descriptor))
    with kept(tmp_path, OURS, first=f"{PROGRAM} wait", second="sleep 60") as keeper:
        await told(tmp_path, "first")
        living = {keeper.pid, *children(keeper.pid)}
        await eventually(lambda: {one.pid for one in holders(tmp_path)} == living, within=10)
        assert len(living) >= 2
    lock.release()
    assert not is_held(tmp_path)
