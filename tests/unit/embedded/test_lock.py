"""One suite in a folder, and who it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from embedded import processes
from embedded.files import is_open, make_private, write_private
from embedded.lock import Lock, is_held, lock_path, note_of, take
from embedded.processes import SUPERVISOR, SuiteProcess, end, holders, keeper, running_pid
from tests.support.eventually import eventually

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def taken(var: Path) -> Lock:
    lock = take(var)
    assert lock is not None
    return lock


@contextmanager
def heir(var: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process that inherits the lock, which is then let go of here."""
    lock = taken(var)
    process = subprocess.Popen(words, pass_fds=(lock.descriptor,), stdout=subprocess.PIPE, text=True)
    lock.release()
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_it_is_had_once_and_again_when_it_was_let_go(tmp_path: Path) -> None:
    first = taken(tmp_path)
    assert take(tmp_path) is None
    assert is_held(tmp_path)
    first.release()
    assert not is_held(tmp_path)
    taken(tmp_path).release()


def test_looking_at_a_folder_leaves_nothing_there(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    assert holders(tmp_path) == []
    assert running_pid(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_it_lives_as_long_as_whoever_inherited_it(tmp_path: Path) -> None:
    with heir(tmp_path, "sleep", "60") as process:
        assert take(tmp_path) is None
        assert holders(tmp_path) == [SuiteProcess(process.pid, "sleep 60")]
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not is_held(tmp_path)


async def test_processes_are_known_by_what_they_run_and_a_supervisor_keeps_the_others(tmp_path: Path) -> None:
    """`-m` and a module stand on the command line of a program that only waits."""
    code = "import time; time.sleep(60)"
    with heir(tmp_path, sys.executable, "-c", code, "-m", "embedded.supervisor") as process:
        await eventually(lambda: [one.name for one in holders(tmp_path)] == [SUPERVISOR], within=10)
        assert running_pid(tmp_path) == process.pid
        assert keeper(holders(tmp_path)) == SuiteProcess(process.pid, SUPERVISOR)


def test_who_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded.processes._END_SECONDS", 0.5)
    with heir(tmp_path, sys.executable, "-c", DEAF) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "deaf\n"
        assert [one.pid for one in end(partial(holders, tmp_path))] == [process.pid]
        assert process.wait(timeout=10) == -signal.SIGKILL
        assert not is_held(tmp_path)


def test_a_note_is_for_whoever_is_refused_and_a_torn_one_says_nothing(tmp_path: Path) -> None:
    lock = taken(tmp_path)
    lock.note(process=12, since="long ago", more="x" * 100)
    lock.note(process=34)
    assert note_of(tmp_path) == {"process": 34}
    lock_path(tmp_path).write_text('{"proc')
    assert note_of(tmp_path) == {}
    lock.release()


def test_a_file_is_replaced_whole_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_of_an_older_version_is_closed_to_others(tmp_path: Path) -> None:
    log = tmp_path / "var" / "log" / "identity.log"
    log.parent.mkdir(parents=True)
    log.write_text("names and addresses")
    log.chmod(0o644)
    (tmp_path / "var" / "gone").symlink_to(tmp_path / "nowhere")
    make_private(tmp_path / "var")
    assert [path for path in (tmp_path / "var", *(tmp_path / "var").rglob("*")) if is_open(path)] == []
    assert os.access(log, os.R_OK)


async def test_a_suite_that_knows_no_lock_is_seen_by_what_it_has_open(tmp_path: Path) -> None:
    """One of an older version; whoever else looks into the folder is none of it."""
    code = "import time; time.sleep(60)"
    words = ([sys.executable, "-c", code, "-m", "gateway.main"], ["sleep", "60"])
    with (tmp_path / "gateway.log").open("w") as log:
        gateway, reader = (subprocess.Popen(each, stdout=log) for each in words)  # noqa: ASYNC220 - at once
    try:
        await eventually(lambda: holders(tmp_path) == [SuiteProcess(gateway.pid, "gateway")], within=10)
        assert [one.pid for one in end(partial(holders, tmp_path))] == [gateway.pid]
        assert gateway.wait(timeout=10) == -signal.SIGTERM
        assert reader.poll() is None
    finally:
        for process in (gateway, reader):
            process.kill()
            process.wait()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is another user at will")
def test_what_another_user_has_open_is_none_of_the_suite(tmp_path: Path) -> None:
    """Root sees it; it is neither in the way nor ended."""
    lock = taken(tmp_path)
    with (tmp_path / "nats.log").open("w") as log:
        words = ["nats-server", "60"]
        stranger, own = (
            subprocess.Popen(words, executable="/bin/sleep", stdout=log, pass_fds=(lock.descriptor,), user=user)
            for user in (54321, None)
        )
    try:
        assert holders(tmp_path) == [SuiteProcess(own.pid, "nats")]
        assert processes.former(tmp_path) == [SuiteProcess(own.pid, "nats")]
        end(partial(holders, tmp_path))
        assert (stranger.poll(), own.wait(timeout=10)) == (None, -signal.SIGTERM)
    finally:
        lock.release()
        for process in (stranger, own):
            process.kill()
            process.wait()


def test_a_name_of_another_file_system_is_not_believed(tmp_path: Path) -> None:
    """As a process that was moved into one shows it."""
    own, other = tmp_path / "gateway.log", tmp_path / "twin"
    own.write_text("")
    other.write_text("")
    assert processes.is_inside(str(own), own.stat(), tmp_path)
    assert not processes.is_inside(str(own), other.stat(), tmp_path)
    assert not processes.is_inside(str(tmp_path / "nowhere"), own.stat(), tmp_path)
    assert not processes.is_inside(str(own), own.stat(), tmp_path / "gate")
    with own.open() as opened:
        own.unlink()
        assert processes.is_inside(f"{own} (deleted)", os.fstat(opened.fileno()), tmp_path)
