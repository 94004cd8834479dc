"""`make down`: stop the suite of a folder, cleanly, however it was started and whatever was killed; wait until it is
gone.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from embedded import processes
from embedded.files import ForeignFile, refuse_foreign
from embedded.lock import is_held, lock_path, note_of

STOP_WITHIN_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_LET_GO_SECONDS = (
    5.0  # a process that is ending is not seen any more and still holds its files, on a busy machine for long
)


@dataclass(frozen=True)
class SuiteEnd:
    """What became of it. `orphans`: those that nobody kept any more; `held_by`: who could not be stopped."""

    was_running: bool
    orphans: tuple[str, ...] = ()
    held_by: str = ""

    @property
    def is_gone(self) -> bool:
        return not self.held_by

    def in_words(self) -> str:
        if self.held_by:
            return f"it is still there: {self.held_by}"
        if self.orphans:
            return f"stopped; the supervisor had been killed, and these were left: {', '.join(self.orphans)}."
        return "stopped." if self.was_running else "nothing is running."


def main() -> int:
    parser = argparse.ArgumentParser(prog="embedded.down", description="Stop the suite that `make up` started.")
    parser.add_argument("--var", type=Path, default=Path("var"))
    try:
        stopped = stop(parser.parse_args().var.resolve())
    except ForeignFile as refusal:
        sys.stdout.write(f"{refusal.filename}: {refusal.strerror}\n")
        return 1
    sys.stdout.write(f"{stopped.in_words()}\n")
    return 0 if stopped.is_gone else 1


def stop(var: Path) -> SuiteEnd:
    """Stop the suite in `var`. Raises ForeignFile for a folder whose lock somebody else made: it may be that of any
    process.
    """
    refuse_foreign(var, lock_path(var))
    find = partial(processes.holders, var)
    if not (found := find()) and not is_held(var):
        return SuiteEnd(was_running=False)
    if (keeper := processes.keeper(found)) is not None:
        with suppress(ProcessLookupError):
            os.kill(keeper.pid, signal.SIGTERM)
        orphans: tuple[str, ...] = ()
        _wait_for(var, keeper.pid)
        processes.end(find)  # whoever outlived the one who should have stopped it
    else:
        orphans = tuple(one.name for one in processes.end(find))
    if not _is_let_go(var):
        left = ", ".join(f"{one.name} ({one.pid})" for one in processes.holders(var))
        return SuiteEnd(True, orphans, left or f"process {note_of(var).get('process', 'unknown')}, not seen from here")
    return SuiteEnd(True, orphans)


def _wait_for(var: Path, keeper: int) -> None:
    """Until the keeper has ended, which it does last, or the time is up."""
    deadline = time.monotonic() + STOP_WITHIN_SECONDS
    while time.monotonic() < deadline and any(one.pid == keeper for one in processes.holders(var)):
        time.sleep(_LOOK_SECONDS)


def _is_let_go(var: Path) -> bool:
    """Whether nobody holds the folder, once whoever is ending has ended."""
    deadline = time.monotonic() + _LET_GO_SECONDS
    while is_held(var) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    return not is_held(var)


if __name__ == "__main__":
    sys.exit(main())
