"""Taking a back-up: the cut, then streams and stores as they were, into one file."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from backup import streams
from backup.archive import ArchiveWriter, Sink
from backup.cut import Cut, take_cut
from backup.installation import Installation
from backup.manifest import KEYS as KEYS
from backup.manifest import Manifest, StorePart, StreamPart
from backup.store import HeldStore
from chassis.bus.broker import Broker
from chassis.version import VERSION, revision

_LAST: Final = ("CAPTURE",)
"""The largest; what comes into the others while they wait is taken away again at a restore."""

Progress = Callable[[str], None]
"""Told what is being copied."""


class BackupTaken(NamedTuple):
    """What was written, and how long that took."""

    manifest: Manifest
    seconds: float


async def take_backup(
    installation: Installation, path: Path, *, keys: bytes | None = None, progress: Progress = lambda _: None
) -> BackupTaken:
    """Write all of `installation`, which goes on meanwhile, into the new file `path`; with `keys`, if they are given.

    Raises ArchiveExists, NatsAway, NoCut, StreamTorn.
    """
    began = time.perf_counter()
    with ArchiveWriter(path) as archive:
        async with AsyncExitStack() as stack:
            broker = await stack.enter_async_context(installation.bus())
            stores = installation.held_stores()
            for store in stores:
                stack.push_async_callback(store.close)
            cut = await take_cut(stores, broker)
            progress(f"cut at {cut.at:%H:%M:%S}, frozen for {cut.frozen_ms:.0f} ms")
            stream_parts = await _streams(broker, archive, cut, progress)
            store_parts = await _stores(stores, archive, progress)
        if keys is not None:
            await archive.add(KEYS, partial(_given, keys), is_packed=False)
        manifest = Manifest(
            version=VERSION,
            revision=revision(),
            taken_at=cut.at.isoformat(),
            frozen_ms=round(cut.frozen_ms, 1),
            streams=stream_parts,
            stores=store_parts,
            has_keys=keys is not None,
        )
        whole = await archive.finish(manifest)
    return BackupTaken(whole, time.perf_counter() - began)


async def _streams(broker: Broker, archive: ArchiveWriter, cut: Cut, progress: Progress) -> dict[str, StreamPart]:
    parts = {}
    for name in sorted(cut.streams, key=lambda name: (name in _LAST, name)):
        progress(f"stream {name}")
        described: dict[str, Any] = {}
        member = f"streams/{name}.snapshot"
        await archive.add(member, partial(_stream, broker, name, described), is_packed=False)  # it is compressed
        end = cut.streams[name]["state"]["last_seq"]
        parts[name] = StreamPart(member, end, described["config"], described["state"])
    return parts


async def _stream(broker: Broker, name: str, described: dict[str, Any], sink: Sink) -> None:
    described |= await streams.copy(broker, name, sink)


async def _stores(stores: list[HeldStore], archive: ArchiveWriter, progress: Progress) -> Mapping[str, StorePart]:
    parts = {}
    for store in stores:
        progress(f"store {store.name}")
        parts[store.name] = await store.copy(archive)
        await store.close()  # what it held may go
    return parts


async def _given(content: bytes, sink: Sink) -> None:
    await sink(content)
