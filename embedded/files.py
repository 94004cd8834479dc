"""Files that are their owner's alone, and whole or not there."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

UMASK = 0o077


def write_private(path: Path, text: str) -> None:
    """Replace `path` in one step: whoever is killed meanwhile leaves the file that was there."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    beside.replace(path)


def make_private(folder: Path) -> None:
    """Make `folder` with all that is in it its owner's alone: older versions left stores and logs readable."""
    folder.mkdir(parents=True, exist_ok=True)
    for place, folders, files in os.walk(folder):
        for path in (Path(place), *(Path(place, name) for name in (*folders, *files))):
            _close(path)


def is_open(path: Path) -> bool:
    """Whether others than its owner may read or enter it."""
    with suppress(OSError):
        return not path.is_symlink() and bool(path.stat().st_mode & UMASK)
    return False


def _close(path: Path) -> None:
    if is_open(path):
        with suppress(OSError):  # somebody else's, or gone meanwhile
            path.chmod(path.stat().st_mode & ~UMASK)
