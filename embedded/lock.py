"""One suite in a folder: a lock on `var/lock`, which every process of the suite inherits.

It is held for as long as one of them lives, whoever was killed, and the system lets go of it: a process id in a file
may be another program's by now, a lock cannot be.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from pathlib import Path

from embedded.files import open_private, read_private

DESCRIPTOR_VARIABLE = "RAPPORT_LOCK_DESCRIPTOR"
_FILE = "lock"


@dataclass(frozen=True)
class Lock:
    """It is ours until `descriptor` is closed here and in all who inherited it."""

    path: Path
    descriptor: int

    def note(self, **facts: object) -> None:
        """Leave word for whoever is refused."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, json.dumps(facts).encode(), 0)

    def release(self) -> None:
        """Let go of it here."""
        os.close(self.descriptor)


def lock_path(var: Path) -> Path:
    """Where the lock of the suite in `var` is."""
    return var / _FILE


def take(var: Path) -> Lock | None:
    """The lock on `var`; None while somebody holds it. Raises ForeignFile for one that is not ours."""
    path = lock_path(var)
    descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return Lock(path, descriptor)


def is_held(var: Path) -> bool:
    """Whether a process of a suite lives in `var`. Takes nothing and makes nothing."""
    try:
        descriptor = open_private(lock_path(var), os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def note_of(var: Path) -> dict[str, object]:
    """What the last holder left; empty where that cannot be read."""
    try:
        found = json.loads(read_private(lock_path(var)))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
