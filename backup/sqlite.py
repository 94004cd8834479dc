"""A store of SQLite: frozen by its write lock, held by a read transaction, copied by SQLite's own back-up from there.

All locks are this process's and go with it, however it ends.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
from functools import partial
from pathlib import Path
from typing import Final

from backup.archive import ArchiveReader, ArchiveWriter, Sink
from backup.manifest import StorePart
from backup.store import VERSION_TABLES, StoreBusy

_PAGES: Final = 2048  # copied at a time: 8 MB
_PIECE: Final = 1 << 20
_SIDES: Final = ("", "-wal", "-shm")


class SqliteHeld:
    """The store of service `name` at `path`, whose own migrations are in `package`."""

    def __init__(self, name: str, path: Path, package: str) -> None:
        self.name = name
        self._path = path
        self._package = package
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None

    async def open(self) -> None:
        if not self._path.exists():
            raise FileNotFoundError(f"{self.name} has no store at {self._path}")
        self._writer = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        self._reader = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)

    async def freeze(self, seconds: float) -> None:
        try:
            await asyncio.to_thread(self._lock, seconds)
        except sqlite3.OperationalError as error:
            raise StoreBusy(f"{self.name}: {error} for {seconds:.1f} s") from None

    def _lock(self, seconds: float) -> None:
        assert self._writer is not None
        self._writer.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        self._writer.execute("BEGIN IMMEDIATE")

    async def hold(self) -> None:
        assert self._reader is not None
        self._reader.execute("BEGIN")
        self._reader.execute("SELECT count(*) FROM sqlite_master").fetchall()  # the first read fixes what is seen

    async def drop(self) -> None:
        if self._reader is not None and self._reader.in_transaction:
            self._reader.execute("ROLLBACK")

    async def thaw(self) -> None:
        if self._writer is not None and self._writer.in_transaction:
            self._writer.execute("ROLLBACK")

    async def copy(self, archive: ArchiveWriter) -> StorePart:
        assert self._reader is not None
        member = f"stores/{self.name}.sqlite.gz"
        with tempfile.TemporaryDirectory(prefix=".rapport-backup-", dir=archive.folder) as folder:
            copied = Path(folder) / "store.db"
            await asyncio.to_thread(self._back_up, copied)
            await archive.add(member, partial(_file, copied), is_packed=True)
        return StorePart("sqlite", sqlite3.sqlite_version, self._revisions(), member)

    def _back_up(self, path: Path) -> None:
        assert self._reader is not None
        target = sqlite3.connect(path)
        try:
            self._reader.backup(target, pages=_PAGES, sleep=0)
        finally:
            target.close()

    def _revisions(self) -> dict[str, str]:
        assert self._reader is not None
        return {
            chain or self._package: str(self._reader.execute(f"SELECT version_num FROM {table}").fetchone()[0])  # noqa: S608
            for table, chain in VERSION_TABLES.items()
        }

    async def close(self) -> None:
        for connection in (self._writer, self._reader):
            if connection is not None:
                connection.close()


class SqliteRestored:
    """The store of service `name`, to be at `path`."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path
        self._partial = path.with_suffix(".restoring")

    async def occupied(self) -> str:
        return next((str(path) for path in sides(self._path) if path.exists()), "")

    async def clear(self) -> None:
        for path in (*sides(self._path), self._partial):
            path.unlink(missing_ok=True)

    async def fill(self, archive: ArchiveReader, part: StorePart) -> None:
        """Under another name until it is whole."""
        self._partial.unlink(missing_ok=True)
        descriptor = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            async for piece in archive.read(part.member):
                await asyncio.to_thread(file.write, piece)
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        self._partial.rename(self._path)


def sides(path: Path) -> tuple[Path, ...]:
    """The files of a store: a log that is left behind would be taken for that of the next one."""
    return tuple(Path(f"{path}{side}") for side in _SIDES)


async def _file(path: Path, sink: Sink) -> None:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            await sink(piece)
