"""A store is held as it was at one moment, copied while others write, and comes back; on both kinds of store."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from backup.archive import ArchiveReader, ArchiveWriter
from backup.installation import Installation
from backup.manifest import Manifest, StorePart
from backup.store import HeldStore, StoreBusy
from chassis.message import OutMessage
from chassis.store import outbox
from chassis.store.database import Database
from chassis.store.migrate import migrate, pending
from chassis.store.tables import OUTBOX
from deployment.catalogue import PROCESSES
from tests.backup.rehearsal import frozen
from tests.support.eventually import eventually

NAME = "lifecycle"
PACKAGE = "services.lifecycle.migrations"


def at(url: str) -> Installation:
    """An installation whose every store is said to be at `url`; one of them is looked at."""
    return Installation("nats://127.0.0.1:1", {process.name: url for process in PROCESSES}, {})


def held(url: str) -> HeldStore:
    [store] = [store for store in at(url).held_stores() if store.name == NAME]
    return store


async def say(url: str, *ids: str) -> None:
    events = [(one, OutMessage("lifecycle.a.b.v1.0", {"ce-id": one}, b"x" * 100)) for one in ids]
    async with Database(url) as database, database.begin() as session:
        await outbox.append(session, events)


async def said(url: str) -> list[str]:
    async with Database(url) as database, database.read() as session:
        return list(await session.scalars(select(OUTBOX.c.event_id).order_by(OUTBOX.c.id)))


async def copied(store: HeldStore, path: Path) -> tuple[ArchiveReader, StorePart]:
    with ArchiveWriter(path) as archive:
        part = await store.copy(archive)
        await archive.finish(Manifest("1", "", "2026-01-01T00:00:00+00:00", 1, {}, {NAME: part}))
    reader = ArchiveReader(path)
    reader.verify()
    assert reader.manifest.stores == {NAME: part}
    return reader, part


async def test_what_was_held_comes_back_and_what_was_written_since_does_not(urls: list[str], tmp_path: Path) -> None:
    url, other = urls
    await migrate(url, PACKAGE)
    await say(url, "a", "b")
    async with AsyncExitStack() as stack:
        store = held(url)
        stack.push_async_callback(store.close)
        await store.open()
        await store.freeze(2)
        await store.hold()
        await store.thaw()
        await say(url, "c")
        reader, part = await copied(store, tmp_path / "a.tar")
    target = at(other).restored_stores()[NAME]
    assert await target.occupied() == ""
    await target.fill(reader, part)
    assert await said(other) == ["a", "b"]
    assert await target.occupied()
    assert await pending(other, PACKAGE) == []
    await say(other, "d")
    async with Database(other) as database, database.read() as session:
        numbers = list(await session.scalars(select(OUTBOX.c.id).order_by(OUTBOX.c.id)))
    assert numbers[2] > numbers[1] > numbers[0], "a number is not given twice"
    await target.clear()
    assert await target.occupied() == ""


async def test_nobody_writes_while_it_is_frozen_and_all_go_on_after(urls: list[str]) -> None:
    url = urls[0]
    await migrate(url, PACKAGE)
    store = held(url)
    await store.open()
    await store.freeze(2)
    writing = asyncio.create_task(say(url, "a"))
    await asyncio.sleep(0.3)
    assert not writing.done()
    assert await said(url) == []  # reads go on
    await store.thaw()
    await writing
    assert await said(url) == ["a"]
    await store.close()


async def test_who_writes_for_long_is_not_waited_for(urls: list[str]) -> None:
    url = urls[0]
    await migrate(url, PACKAGE)
    store = held(url)
    await store.open()
    async with Database(url) as database, database.begin() as session:
        await outbox.append(session, [("a", OutMessage("lifecycle.a.b.v1.0", {}, b""))])
        with pytest.raises(StoreBusy, match=NAME):
            await store.freeze(0.3)
        await store.thaw()
    await store.freeze(2)  # tried again, it works
    await store.close()
    await say(url, "b")


async def test_a_back_up_that_is_killed_in_its_freeze_leaves_nobody_waiting(urls: list[str]) -> None:
    url = urls[0]
    await migrate(url, PACKAGE)
    process = await frozen({NAME: url})
    writing = asyncio.create_task(say(url, "a"))
    await asyncio.sleep(0.3)
    assert not writing.done()
    process.kill()
    await process.wait()
    await eventually(writing.done, within=5)
    await writing
    assert await said(url) == ["a"]


async def test_an_older_store_comes_back_as_it_was_and_is_migrated_by_whoever_starts(
    urls: list[str], tmp_path: Path
) -> None:
    url, other = urls
    await migrate(url, PACKAGE, {"chassis.store.migrations": "0003", PACKAGE: "0001"})
    before = await pending(url, PACKAGE)
    assert before
    store = held(url)
    await store.open()
    await store.hold()
    reader, part = await copied(store, tmp_path / "a.tar")
    await store.close()
    await at(other).restored_stores()[NAME].fill(reader, part)
    assert await pending(other, PACKAGE) == before
    await migrate(other, PACKAGE)
    assert await pending(other, PACKAGE) == []
