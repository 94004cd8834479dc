"""A store as a back-up sees it: frozen for a moment, held as it was then, and copied at leisure."""

from __future__ import annotations

from typing import Final, Protocol

from backup.archive import ArchiveReader, ArchiveWriter
from backup.manifest import StorePart

VERSION_TABLES: Final = {"chassis_version": "chassis.store.migrations", "version": ""}
"""Where a store notes its revision, by chain of migrations; the service's own chain has the name of its package."""


class StoreBusy(Exception):
    """A store could not be frozen in time: somebody writes for long."""


class StoreOccupied(Exception):
    """There is something in the store that a restore would overwrite."""


class HeldStore(Protocol):
    """A store that can be held still. Use as an async context manager; leaving it lets go of everything.

    `freeze` keeps writers out, `hold` keeps what is there now for `copy`, however long that takes; `thaw` lets writers
    in again.
    """

    name: str

    async def open(self) -> None:
        """Connect, so that nothing of that falls into the freeze."""

    async def freeze(self, seconds: float) -> None:
        """Keep writers out. Raises StoreBusy after `seconds`."""

    async def hold(self) -> None:
        """From now on `copy` sees what is there now."""

    async def drop(self) -> None:
        """Hold nothing any more: it is to be tried again."""

    async def thaw(self) -> None:
        """Let writers in."""

    async def copy(self, archive: ArchiveWriter) -> StorePart:
        """Write what was held into `archive`."""

    async def close(self) -> None:
        """Let go of everything."""


class RestoredStore(Protocol):
    """A store that an archive is brought back into."""

    name: str

    async def occupied(self) -> str:
        """What is in it that would be overwritten; empty when nothing is."""

    async def clear(self) -> None:
        """Take away what is in it."""

    async def fill(self, archive: ArchiveReader, part: StorePart) -> None:
        """Write what `part` of `archive` holds."""
