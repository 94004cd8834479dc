"""A forked process that goes on as `python -m module` would in a new interpreter: what its parent imported is there, in
memory that both share.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import importlib
import os
import runpy
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

VARIABLE = "RAPPORT_FORK"
"""0: an interpreter is started for each process."""
_OURS = Path(sys.executable)
_LATE = ("uvloop", "uvicorn.protocols.http.httptools_impl", "uvicorn.lifespan.on", "aiosqlite")
"""What our processes import by themselves only when they run."""
_parents: list[object] = []
# of /proc/<pid>/stat after the name: where the words of the command line begin and end in memory
_ARGUMENTS = slice(45, 47)


def module_of(command: Sequence[str]) -> str | None:
    """The module that a command runs in an interpreter like ours; None for all other commands."""
    match command:
        case [program, "-m", module, *_] if Path(program).parent == _OURS.parent and Path(program).name.startswith(
            "python"
        ):
            return module
    return None


def load(command: str) -> None:
    """Import and warm what `command`, a line of the Procfile, will run, in the parent.

    What fails is the child's to tell: it tries again.
    """
    match shlex.split(command):
        case ["python", "-m", module, *_] if module not in sys.modules:
            with contextlib.suppress(Exception, SystemExit):
                getattr(importlib.import_module(module), "warm", _nothing)()
                for late in _LATE if "uvicorn" in sys.modules else ():
                    importlib.import_module(late)


def _nothing() -> None:
    """Most modules have nothing to warm."""


def threads() -> int:
    """How many this process has, those of libraries in C included.

    A fork has one of them, and the locks that the others held are held for ever.
    """
    return len(list(Path("/proc/self/task").iterdir()))


def go_on_as(module: str, command: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    """Run `module` and end as the interpreter would. To be called in the child, with its descriptors in place."""
    _forget_handlers()
    os.environ.clear()
    os.environ.update(environment)
    _open_streams()
    _show(command)
    os._exit(_run(module, command))


def _forget_handlers() -> None:
    # as exec does: what was handled is as at the start of a process, what was ignored stays so
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _open_streams() -> None:
    # the parent's are made for where it writes itself, or closed as it became a daemon;
    # kept, since their descriptors are ours now
    _parents.extend((sys.stdin, sys.stdout, sys.stderr))
    at_once = bool(os.environ.get("PYTHONUNBUFFERED"))
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", buffering=1 if at_once else -1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115


def _run(module: str, command: Sequence[str]) -> int:
    sys.argv = ["-m", *command[3:]]
    sys.orig_argv = list(command)
    sys.modules.pop(module, None)  # the parent's, which was not run as the main module
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = _code(end)
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the interpreter does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return code


def _code(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)  # noqa: T201 - what sys.exit("...") does
    return 1


def _show(command: Sequence[str]) -> None:
    """Have `ps` and `pgrep -f` show `command`: its words are written over those of the parent, as far as there is
    room.
    """
    with contextlib.suppress(OSError, ValueError):
        begin, end = map(int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[_ARGUMENTS])
        room = end - begin
        words = b"\0".join(map(os.fsencode, command))[: max(0, room - 1)]
        if begin and words:
            ctypes.memmove(begin, words.ljust(room, b"\0"), room)
