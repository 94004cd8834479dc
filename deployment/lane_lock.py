"""One change of lanes at a time: a lock on a file beside the plan, for whoever writes plans there.

The system lets go of it when the process ends, however it does; so nothing has to be taken away after a crash. It holds
on a folder that several machines share as well, where that is NFS or a cluster's file system.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path


class ChangeUnderWay(Exception):
    """Somebody else changes the lanes; the text says to how many, and since when."""


@contextmanager
def changing(plan: Path, lanes: int, now: datetime) -> Iterator[None]:
    """Hold the lock on changes of the file `plan`, noting where to (`lanes`) and since when. Raises ChangeUnderWay, and
    OSError where there may be no file beside `plan`.
    """
    descriptor = os.open(plan.with_name(f"{plan.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ChangeUnderWay(f"another change is under way{_note(descriptor)}") from None
        note = json.dumps({"lanes": lanes, "since": now.isoformat(timespec="seconds"), "process": os.getpid()})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, note.encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _note(descriptor: int) -> str:
    try:
        note = json.loads(os.pread(descriptor, 4096, 0))
        return f" (to {note['lanes']} lanes, since {note['since']}, process {note['process']})"
    except (ValueError, KeyError, TypeError):
        return ", which is just starting"
