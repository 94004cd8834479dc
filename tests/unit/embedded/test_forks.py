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
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from embedded import forks
from embedded.up import supervisor_command
from tests.support.eventually import eventually
from tests.support.suite import ROOT
from tests.unit.embedded.test_plan import a_plan

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="forks without exec are for Linux")]

OURS, THEIRS = "embedded.supervisor", "supervisor.supervisord"


@contextmanager
def kept(var: Path, keeper: str, **commands: str) -> Iterator[subprocess.Popen[bytes]]:
    """`keeper` keeps these commands, their output in `<name>.log`."""
    var.mkdir(parents=True, exist_ok=True)
    config = f"[supervisord]\nnodaemon=true\nsilent=true\nlogfile={var}/supervisord.log\npidfile={var}/supervisord.pid\nchildlogdir={var}\n"
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
    process = subprocess.Popen(words, cwd=ROOT, env=environment, stdin=terminal[1], stdout=terminal[1], stderr=terminal[1])
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)
        for descriptor in terminal:
            os.close(descriptor)


def log(var: Path, name: str) -> str:
    path = var / f"{name}.log"
    return path.read_text() if path.exists() else ""


def lines(var: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log(var, name).splitlines() if line.startswith("{")]


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def given(process: int) -> str:
    """The environment that the program of a process was started with: of a fork it is its parent's."""
    return Path(f"/proc/{process}/environ").read_text()


async def told(var: Path, name: str, times: int = 1) -> dict[str, Any]:
    """The line that a process wrote when it was started for the `times`-th time."""
    await eventually(lambda: len(lines(var, name)) >= times, within=20)
    return lines(var, name)[times - 1]


def alike(world: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on who keeps the process."""
    own = {key: value for key, value in world["environment"].items() if key not in ("PWD", "SHLVL", "_")}
    return {**world, "environment": own}


async def test_a_forked_process_finds_what_an_interpreter_of_its_own_finds(tmp_path: Path) -> None:
    worlds = {}
    for keeper in (OURS, THEIRS):
        with kept(tmp_path / keeper, keeper, first="python -m tests.support.world wait", second="python -m tests.support.world wait now"):
            worlds[keeper] = alike((await told(tmp_path / keeper, "first"))["world"])
    assert worlds[OURS] == worlds[THEIRS]
    assert worlds[OURS]["name"] == "__main__"
    assert worlds[OURS]["argv"] == ["world.py", "wait"]
    assert worlds[OURS]["environment"]["OF_FIRST"] == "a b"
    assert "OF_SECOND" not in worlds[OURS]["environment"]
    assert worlds[OURS]["command"][1:] == ["-m", "tests.support.world", "wait"]


async def test_two_forks_share_no_chance(tmp_path: Path) -> None:
    with kept(tmp_path, OURS, first="python -m tests.support.world wait", second="python -m tests.support.world wait"):
        first, second = (await told(tmp_path, "first"))["chance"], (await told(tmp_path, "second"))["chance"]
    assert not set(first) & set(second)


async def test_one_that_is_killed_is_forked_anew(tmp_path: Path) -> None:
    with kept(tmp_path, OURS, first="python -m tests.support.world wait", second="python -m tests.support.world wait") as keeper:
        await told(tmp_path, "second")
        parent = (await told(tmp_path, "first"))["parent"]
        assert parent == keeper.pid
        os.kill(children(keeper.pid)[0], signal.SIGKILL)
        await eventually(lambda: len(lines(tmp_path, "first")) + len(lines(tmp_path, "second")) == 3, within=20)


@pytest.mark.parametrize(
    ("words", "status"), [("exit 0", "exit status 0; expected"), ("exit 3", "exit status 3; not"), ("fail", "exit status 1; not")]
)
async def test_it_ends_as_an_interpreter_does(tmp_path: Path, words: str, status: str) -> None:
    with kept(tmp_path, OURS, first=f"python -m tests.support.world {words}"):
        await eventually(lambda: status in log(tmp_path, "supervisord"), within=20)
    assert "child process was not spawned" not in log(tmp_path, "first")
    assert ("RuntimeError: as it was told" in log(tmp_path, "first")) == (words == "fail")


async def test_it_ends_at_sigterm_although_its_parent_handles_that(tmp_path: Path) -> None:
    with kept(tmp_path, OURS, first="python -m tests.support.world wait"):
        await told(tmp_path, "first")
    assert "stopped: first (terminated by SIGTERM)" in log(tmp_path, "supervisord")


async def test_a_module_that_cannot_be_imported_says_so_in_its_own_log_and_nobody_else_suffers(tmp_path: Path) -> None:
    with kept(tmp_path, OURS, first="python -m tests.support.no_such", second="python -m tests.support.world wait"):
        await told(tmp_path, "second")
        await eventually(lambda: "No module named" in log(tmp_path, "first"), within=20)


async def test_where_an_import_starts_a_thread_each_gets_an_interpreter(tmp_path: Path) -> None:
    with kept(tmp_path, OURS, first="python -m tests.support.threaded", second="python -m tests.support.world wait") as keeper:
        await told(tmp_path, "second")
        assert any("OF_SECOND" in given(child) for child in children(keeper.pid)), "it was forked"
    assert "2 threads run here" in log(tmp_path, "supervisord")


async def test_processes_are_started_at_once(tmp_path: Path) -> None:
    with kept(tmp_path, OURS, first="python -m tests.support.world wait"):
        await told(tmp_path, "first")
    assert moment(tmp_path, "spawned: 'first'") - moment(tmp_path, "supervisord started") < timedelta(seconds=0.9)


def moment(var: Path, event: str) -> datetime:
    """When supervisord logged it."""
    line = next(line for line in log(var, "supervisord").splitlines() if event in line)
    return datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC)


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
        forks.load("python -m tests.support.warmed")
    assert sys.modules["tests.support.warmed"].times == ["warmed"]


def test_forks_can_be_turned_off() -> None:
    assert OURS in supervisor_command(a_plan())
    assert THEIRS in supervisor_command(a_plan(), forks=False)


def test_elsewhere_nothing_is_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert THEIRS in supervisor_command(a_plan())
