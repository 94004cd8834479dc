"""Bringing a back-up back: into an empty installation, or into one whose content was moved aside before."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from backup import streams
from backup.archive import ArchiveReader
from backup.catalogue import refuse_unknown, restored_config
from backup.failures import FAILURES
from backup.installation import Installation, NatsAway
from backup.manifest import ArchiveRefused, Manifest
from backup.repetition import forget_published
from chassis.bus.broker import Broker

Progress = Callable[[str], None]


class InstallationOccupied(Exception):
    """There is something that would be overwritten, or the services run. Nothing was touched."""


@dataclass(frozen=True)
class Restored:
    """How long it took; what stood behind the cut and was taken away, and what the streams had already, by name."""

    seconds: float
    cut_off: dict[str, int]
    known: dict[str, int]


def check_fit(manifest: Manifest, installation: Installation) -> None:
    """Raises ArchiveRefused when `manifest` is of a newer version, of another kind of store, or names what this version
    does not have.
    """
    refuse_unknown(manifest)
    for name, part in manifest.stores.items():
        kind = installation.kind(name)
        if kind != part.kind:
            raise ArchiveRefused(
                f"its store of {name} is one of {part.kind}, and here it is to be one of {kind}: an archive goes back"
                " to the kind of store it came from"
            )
    if missing := installation.stores.keys() - manifest.stores.keys():
        raise ArchiveRefused(f"it has no store of {', '.join(sorted(missing))}")


def check_room(manifest: Manifest, folder: Path) -> None:
    """Raises ArchiveRefused when what is packed does not fit on the disk of `folder`."""
    needed, free = sum(member.size for member in manifest.members), shutil.disk_usage(folder).free
    if needed > free:
        raise ArchiveRefused(f"it has {needed / 1e9:.1f} GB when unpacked, and {free / 1e9:.1f} GB are free there")


async def occupied(installation: Installation) -> str:
    """What would be overwritten, or who is at work; empty when the installation is empty and still. Raises NatsAway."""
    for store in installation.restored_stores().values():
        if found := await store.occupied():
            return found
    async with installation.bus() as broker:
        return await streams.occupied(broker)


async def clear(installation: Installation) -> None:
    """Take everything away, so that it is empty. Raises InstallationOccupied when somebody reads the streams."""
    async with installation.bus() as broker:
        if "reads" in (found := await streams.occupied(broker)):
            raise InstallationOccupied(found)
        await streams.clear(broker)
    for store in installation.restored_stores().values():
        await store.clear()


async def restore(
    archive: ArchiveReader, installation: Installation, *, progress: Progress = lambda _: None
) -> Restored:
    """Bring `archive`, which was verified, back into `installation`, which is empty.

    Raises InstallationOccupied, ArchiveRefused, NatsAway, and FAILURES; then what it wrote is taken away again, if that
    can be.
    """
    began = time.perf_counter()
    check_fit(archive.manifest, installation)
    if found := await occupied(installation):
        raise InstallationOccupied(found)
    try:
        cut_off, known = await _filled(archive, installation, progress)
    except BaseException:
        await _take_away(installation)
        raise
    return Restored(time.perf_counter() - began, cut_off, known)


async def _take_away(installation: Installation) -> None:
    """Whatever can be: a bus that does not answer any more keeps no store from it."""
    for store in installation.restored_stores().values():
        with suppress(*FAILURES):
            await store.clear()
    with suppress(*FAILURES, NatsAway):
        async with installation.bus() as broker:
            await streams.clear(broker)


async def _filled(
    archive: ArchiveReader, installation: Installation, progress: Progress
) -> tuple[dict[str, int], dict[str, int]]:
    async with installation.bus() as broker:
        await streams.clear(broker)  # laid by services that were here before, and empty
        cut_off = await _streams(archive, broker, installation, progress)
        stores = installation.restored_stores()
        for name, part in archive.manifest.stores.items():
            progress(f"store {name}")
            await stores[name].fill(archive, part)
        known = {
            name: await forget_published(broker, installation.stores[name], archive.manifest.streams)
            for name in archive.manifest.stores
        }
    return cut_off, known


async def _streams(
    archive: ArchiveReader, broker: Broker, installation: Installation, progress: Progress
) -> dict[str, int]:
    cut_off = {}
    for name, part in archive.manifest.streams.items():
        progress(f"stream {name}")
        config = restored_config(name, part, installation.replicas)
        cut_off[name] = await streams.restore(broker, config, part, archive.read(part.member))
    return cut_off


def told(manifest: Manifest) -> Sequence[str]:
    """An archive in a few lines."""
    size = sum(member.stored for member in manifest.members)
    return [
        f"taken {manifest.taken_at} by version {manifest.version}, writers kept out for {manifest.frozen_ms:.0f} ms",
        f"{len(manifest.streams)} streams, {len(manifest.stores)} stores"
        f" ({', '.join(sorted({part.kind for part in manifest.stores.values()}))}), {size / 1e6:.1f} MB",
        f"captures up to {manifest.streams['CAPTURE'].cut}" if "CAPTURE" in manifest.streams else "no captures",
        "with the keys of the installation" if manifest.has_keys else "without keys",
    ]
