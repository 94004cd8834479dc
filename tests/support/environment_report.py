"""A program that writes what world it finds, as one line of JSON; `exit 3` and `sys.exit` words end it so, `wait` waits
to be ended.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import sys
import threading
from pathlib import Path


def world() -> dict[str, object]:
    """What a process is given by who starts it."""
    handlers = {number: signal.getsignal(number) for number in sorted(signal.valid_signals())}
    mask = os.umask(0o22)
    os.umask(mask)
    return {
        "name": __name__,
        "main": sys.modules["__main__"].__dict__["__doc__"],
        "argv": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "path": sys.path[1:],
        "environment": dict(os.environ),
        "signals": {str(number): getattr(handler, "__name__", str(handler)) for number, handler in handlers.items()},
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "descriptors": [number for number in range(1024) if _is_open(number)],
        "folder": str(Path.cwd()),
        "umask": mask,
        "leads_its_group": os.getpgrp() == os.getpid(),
        "threads": [thread.name for thread in threading.enumerate()],
        "command": Path("/proc/self/cmdline").read_bytes().rstrip(b"\0").decode().split("\0"),
        "buffered": [sys.stdout.line_buffering, sys.stderr.line_buffering],
    }


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def chance() -> list[float | str]:
    """What no two processes may have in common."""
    return [random.random(), secrets.token_hex(8)]


if __name__ == "__main__":
    sys.stdout.write(json.dumps({"world": world(), "chance": chance(), "parent": os.getppid()}) + "\n")
    match sys.argv[1:]:
        case ["exit", code]:
            sys.exit(int(code))
        case ["wait"]:
            sys.stdout.flush()
            signal.pause()
        case ["fail"]:
            raise RuntimeError("as it was told")
