"""The processes of a suite, found by the lock that they hold; and ending those that nobody keeps any more.

Those that know no lock (of an older version, or started one by one) are found by the stores and logs that they have
open.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deployment.catalogue import GATEWAY, SERVICES
from embedded.lock import is_held, lock_path

SUPERVISOR, STARTER, NATS, WATCHDOG = "supervisord", "make up", "nats", "watchdog"
_PROC = Path("/proc")
_BY_MODULE = {
    "embedded.supervisor": SUPERVISOR,
    "supervisor.supervisord": SUPERVISOR,
    "embedded.up": STARTER,
    "cli": STARTER,
    "embedded.watchdog": WATCHDOG,
    "gateway.main": GATEWAY,
    **{f"services.{name}.main": name for name in SERVICES},
}
_KEPT = {*_BY_MODULE.values(), NATS} - {STARTER}
# as supervisord does it: those who are called by others end after these
_LAST, _BEFORE = (NATS,), SERVICES
_END_SECONDS, _LOOK_SECONDS = 20.0, 0.05


@dataclass(frozen=True)
class SuiteProcess:
    """A process that lives in a folder's lock. `name`: as in the Procfile, or SUPERVISOR, STARTER."""

    pid: int
    name: str


def holders(var: Path) -> list[SuiteProcess]:
    """The processes of the suite in `var` that live, as far as they can be seen: one's own, on this machine."""
    if not is_held(var):
        return former(var)
    pids = _pids_by_proc(lock_path(var)) if _PROC.is_dir() else _pids_by_lsof(lock_path(var))
    return [SuiteProcess(pid, _name_of(_words_of(pid))) for pid in sorted(pids) if pid != os.getpid()]


def former(var: Path) -> list[SuiteProcess]:
    """The processes of a suite that have files in `var` open, whether they hold its lock or know of none.

    One's own alone, and by the files themselves: a path is what the other's file system calls it.
    """
    found = []
    for descriptors in _own_descriptors():
        with suppress(OSError):  # gone
            if any(_is_of(descriptor, var) for descriptor in descriptors.iterdir()):
                pid = int(descriptors.parent.name)
                found.append(SuiteProcess(pid, _name_of(_words_of(pid))))
    return [one for one in found if one.name in _KEPT]


def keeper(found: Iterable[SuiteProcess]) -> SuiteProcess | None:
    """Who keeps the others: supervisord, or whoever is about to start it."""
    by_name = {process.name: process for process in found}
    return by_name.get(SUPERVISOR) or by_name.get(STARTER)


def running_pid(var: Path) -> int | None:
    """The process id of the supervisord that keeps `var`, if it lives."""
    return next((process.pid for process in holders(var) if process.name == SUPERVISOR), None)


def end(find: Callable[[], list[SuiteProcess]]) -> list[SuiteProcess]:
    """End all that `find` finds, as their supervisor would: the gateway first, NATS last. Answers who they were."""
    found = find()
    for stage in _stages(found):
        names = {process.name for process in stage}
        for number in (signal.SIGTERM, signal.SIGKILL):
            _signal([process for process in find() if process.name in names], number)
            if _are_gone(find, names):
                break
    return found


def _stages(found: Sequence[SuiteProcess]) -> Iterator[list[SuiteProcess]]:
    first = [process for process in found if process.name not in (*_LAST, *_BEFORE)]
    for stage in (first, *([one for one in found if one.name in names] for names in (_BEFORE, _LAST))):
        if stage:
            yield stage


def _signal(processes: Iterable[SuiteProcess], number: signal.Signals) -> None:
    for process in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, number)


def _are_gone(find: Callable[[], list[SuiteProcess]], names: set[str]) -> bool:
    deadline = time.monotonic() + _END_SECONDS
    while any(process.name in names for process in find()):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _own_descriptors() -> Iterator[Path]:
    """Of each process of this user. Root sees those of others, who decide what they show and are not ours to end."""
    for descriptors in _PROC.glob("[0-9]*/fd"):
        with suppress(OSError):  # gone
            if descriptors.parent.stat().st_uid == os.geteuid():
                yield descriptors


def _is_of(descriptor: Path, var: Path) -> bool:
    with suppress(OSError):
        return is_inside(str(descriptor.readlink()), descriptor.stat(), var)
    return False


def is_inside(path: str, opened: os.stat_result, var: Path) -> bool:
    """Whether the file that a process has `opened`, and calls `path`, is that of `var` here: its names may be those of
    another file system.
    """
    if not path.startswith(f"{var}{os.sep}"):
        return False
    with suppress(OSError):
        if opened.st_nlink == 0:  # it was removed meanwhile; its path names nothing any more
            return opened.st_dev == var.stat().st_dev
        return os.path.samestat(opened, os.stat(path))  # noqa: PTH116 - as it stands in /proc
    return False


def _pids_by_proc(path: Path) -> set[int]:
    wanted = path.stat()
    found = set()
    for descriptors in _own_descriptors():
        with suppress(OSError):  # gone
            if any(_is_same(descriptor, wanted) for descriptor in descriptors.iterdir()):
                found.add(int(descriptors.parent.name))
    return found


def _is_same(descriptor: Path, wanted: os.stat_result) -> bool:
    with suppress(OSError):
        return os.path.samestat(descriptor.stat(), wanted)
    return False


def _pids_by_lsof(path: Path) -> set[int]:
    lsof = shutil.which("lsof")
    if lsof is None:
        return set()
    answer = subprocess.run([lsof, "-t", "--", str(path)], capture_output=True, text=True, check=False)  # noqa: S603 - a path of ours
    return {int(line) for line in answer.stdout.split()}


def _words_of(pid: int) -> list[str]:
    if _PROC.is_dir():
        with suppress(OSError):
            return (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
        return []
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607 - a number
    return shown.stdout.split()


def _name_of(words: Sequence[str]) -> str:
    if words and Path(words[0]).name == "nats-server":
        return NATS
    modules = [after for before, after in itertools.pairwise(words) if before == "-m"]
    return next((_BY_MODULE[module] for module in modules if module in _BY_MODULE), " ".join(words[:3]) or "a process")
