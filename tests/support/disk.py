"""A disk that is small enough to be filled: a tmpfs of this test's own.

Needs root; elsewhere the test is skipped, saying so.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

_CHUNK = b"\0" * 4096


@dataclass(frozen=True)
class SmallDisk:
    """A disk mounted at `path`."""

    path: Path

    def fill(self) -> None:
        """Leave not one free block; also what was freed since the last time."""
        with contextlib.suppress(FileNotFoundError), self._filler.open("ab", buffering=0) as filler:
            try:
                while True:
                    filler.write(_CHUNK)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def make_room(self) -> None:
        """Take the filling away."""
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return self.path / "filler"


class DiskNotMade(Exception):
    """Why there is no small disk here."""


@contextlib.contextmanager
def mounted(path: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A disk of this size at `path`, an empty folder. Raises DiskNotMade."""
    if os.geteuid() != 0:
        raise DiskNotMade("only root can mount a small disk")
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DiskNotMade(f"no small disk here: {done.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """60 MB."""
    path = tmp_path / "disk"
    path.mkdir()
    with contextlib.ExitStack() as stack:
        try:
            disk = stack.enter_context(mounted(path, 60))
        except DiskNotMade as reason:
            pytest.skip(str(reason))
        yield disk
