"""`make down`: stop a detached suite, cleanly, and wait until it is gone."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from embedded.up import running_pid

STOP_WITHIN_SECONDS = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="embedded.down", description="Stop the suite that `make up DETACH=1` started."
    )
    parser.add_argument("--var", type=Path, default=Path("var"))
    var = parser.parse_args().var.resolve()
    pid = running_pid(var)
    if pid is None:
        sys.stdout.write("nothing is running.\n")
        return 0
    os.kill(pid, signal.SIGTERM)
    if not _gone(var):
        sys.stdout.write(f"process {pid} is still stopping after {STOP_WITHIN_SECONDS:.0f} s; see {var / 'log'}\n")
        return 1
    sys.stdout.write("stopped.\n")
    return 0


def _gone(var: Path) -> bool:
    deadline = time.monotonic() + STOP_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if running_pid(var) is None:
            return True
        time.sleep(0.05)
    return False


if __name__ == "__main__":
    sys.exit(main())
