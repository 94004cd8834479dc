"""Files that are their owner's alone, and whole or not there.

What somebody else put into the folder of a suite is neither read nor written: who owns a lock, a list of ports or a
key decides what the suite does.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

UMASK = 0o077


class ForeignFile(PermissionError):
    """A folder, or what is in it, is somebody else's. `filename` says which, `strerror` whose."""


def write_private(path: Path, text: str) -> None:
    """Replace `path` in one step: whoever is killed meanwhile leaves the file that was there."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    with os.fdopen(open_private(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read_private(path: Path) -> str:
    """What is in `path`. Raises ForeignFile, and OSError as any reading does."""
    with os.fdopen(open_private(path, os.O_RDONLY), encoding="utf-8") as file:
        return file.read()


def open_private(path: Path, flags: int) -> int:
    """A descriptor of the file itself, which is ours: a link is not followed. Raises ForeignFile, OSError."""
    # without waiting: a pipe that somebody laid there would keep us
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    found = os.fstat(descriptor)
    if found.st_uid != os.geteuid() or not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise _foreign(path, found.st_uid)
    return descriptor


def make_private(folder: Path) -> None:
    """Make `folder` with all that is in it its owner's alone: older versions left stores and logs readable.

    Raises ForeignFile when it, or anything in it, is somebody else's: what of that we would read or write is not known.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_foreign(folder)
    _close(folder)  # from here on nobody else lays anything there
    found = list(_all_in(folder))
    refuse_foreign(*found)
    for path in found:
        _close(path)


def refuse_foreign(*paths: Path) -> None:
    """Raises ForeignFile for the first of `paths` that is somebody else's; what is not there is nobody's."""
    for path in paths:
        with suppress(FileNotFoundError):
            if (owner := path.lstat().st_uid) != os.geteuid():
                raise _foreign(path, owner)


def foreign_files(folder: Path) -> Iterator[Path]:
    """What of `folder`, itself included, is somebody else's."""
    for path in _all_in(folder):
        with suppress(FileNotFoundError):
            if path.lstat().st_uid != os.geteuid():
                yield path


def is_open(path: Path) -> bool:
    """Whether others than its owner may read or enter it."""
    with suppress(OSError):
        return not path.is_symlink() and bool(path.stat().st_mode & UMASK)
    return False


def _all_in(folder: Path) -> Iterator[Path]:
    yield folder
    for place, folders, files in os.walk(folder):
        yield from (Path(place, name) for name in (*folders, *files))


def _close(path: Path) -> None:
    if is_open(path):
        with suppress(OSError):  # gone meanwhile
            path.chmod(path.stat().st_mode & ~UMASK)


def _foreign(path: Path, owner: int) -> ForeignFile:
    if owner == os.geteuid():
        return ForeignFile(errno.EPERM, "it is no plain file: move it away", str(path))
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"user {owner}"
    says = f"it belongs to {name}; take a folder of your own with VAR=, or do this as {name}"
    return ForeignFile(errno.EPERM, says, str(path))
