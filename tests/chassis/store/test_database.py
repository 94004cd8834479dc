"""Transactions, and which errors pass by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text

from chassis.store import outbox, timers
from chassis.store.database import Database
from chassis.store.errors import StoreError, StoreUnavailable
from chassis.store.tables import INBOX, OUTBOX, TIMER
from chassis.store.timers import Timer
from tests.chassis.store.vocabulary import NOON, a_message, claim_ids
from tests.support.postgres import PostgresServer
from tests.support.stores import prepare


class HandlerFailed(Exception):
    """Stands for whatever business code raises."""


async def counts(database: Database) -> tuple[int, ...]:
    """Rows in (inbox, outbox, timer)."""
    async with database.read() as session:
        return tuple([len(await session.execute(select(table))) for table in (INBOX, OUTBOX, TIMER)])


async def apply_a_batch(database: Database, *, then: type[Exception] | None = None) -> set[str]:
    async with database.begin() as session:
        claimed = await claim_ids(session, "SCORING", ["m1", "m2"])
        await outbox.append(session, [("e1", a_message("e1"))])
        await timers.set_timer(session, Timer("wait", "k", NOON))
        if then is not None:
            raise then
    return claimed


async def test_a_rollback_leaves_neither_inbox_nor_outbox_nor_timer(database: Database) -> None:
    with pytest.raises(HandlerFailed):
        await apply_a_batch(database, then=HandlerFailed)
    assert await counts(database) == (0, 0, 0)
    assert await apply_a_batch(database) == {"m1", "m2"}
    assert await counts(database) == (2, 1, 1)


async def test_a_message_is_claimed_once_per_stream(database: Database) -> None:
    await apply_a_batch(database)
    async with database.begin() as session:
        assert await claim_ids(session, "SCORING", ["m2", "m3"]) == {"m3"}
        assert await claim_ids(session, "SCORING", ["m3"]) == set()
        assert await claim_ids(session, "NURTURE", ["m2"]) == {"m2"}
        assert await claim_ids(session, "NURTURE", []) == set()


async def begin_inside_another(database: Database) -> None:
    async with database.begin(), database.begin():
        pass


async def test_a_transaction_inside_another_is_refused_instead_of_waiting_for_ever(database: Database) -> None:
    with pytest.raises(RuntimeError, match="already open"):
        await asyncio.wait_for(begin_inside_another(database), 30)
    assert await apply_a_batch(database) == {"m1", "m2"}


async def test_concurrent_writers_do_not_lock_each_other_out(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.begin() as session:
            await session.execute(select(INBOX))  # reads before it writes, as handlers do
            await claim_ids(session, "SCORING", [f"{number}-{index}" for index in range(5)])

    await asyncio.gather(*(write(number) for number in range(40)))
    assert await counts(database) == (200, 0, 0)


async def test_writers_of_two_processes_do_not_lock_each_other_out(store_url: str) -> None:
    await prepare(store_url)
    databases = [Database(store_url), Database(store_url)]

    async def write(database: Database, number: int) -> None:
        async with database.begin() as session:
            await session.execute(select(INBOX))
            await claim_ids(session, f"STREAM-{id(database)}", [str(number)])

    await asyncio.gather(*(write(database, number) for number in range(30) for database in databases))
    assert await counts(databases[0]) == (60, 0, 0)
    for database in databases:
        await database.close()


async def test_a_cancelled_transaction_leaves_nothing_and_blocks_nobody(database: Database) -> None:
    begun = asyncio.Event()

    async def write() -> None:
        async with database.begin() as session:
            await claim_ids(session, "SCORING", ["m1"])
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(20), database.begin() as session:
        assert await claim_ids(session, "SCORING", ["m1"]) == {"m1"}


async def test_a_reader_goes_on_beside_a_writer_and_cannot_write(database: Database) -> None:
    async with database.begin() as writing:
        await claim_ids(writing, "SCORING", ["m1"])
        assert await counts(database) == (0, 0, 0)
    with pytest.raises(StoreError) as refused:
        async with database.read() as session:
            await claim_ids(session, "SCORING", ["m2"])
    assert not database.is_transient(refused.value) or database.dialect == "postgresql"
    assert await counts(database) == (1, 0, 0)


async def test_a_mistake_in_a_statement_does_not_pass_by_itself(database: Database) -> None:
    with pytest.raises(StoreError) as error:
        async with database.begin() as session:
            await session.execute(text("SELECT * FROM no_such_table"))
    assert not database.is_transient(error.value)
    assert not database.is_transient(OSError("a handler's own"))


async def test_a_sqlite_file_held_by_another_process_is_a_passing_trouble(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    await prepare(url)
    holder, waiter = Database(url), Database(url, busy_seconds=0.05)
    async with holder.begin():
        with pytest.raises((StoreError, StoreUnavailable)) as error:
            async with waiter.begin():
                pass
    assert waiter.is_transient(error.value)
    await holder.close()
    await waiter.close()


async def test_an_unreachable_store_is_a_passing_trouble(tmp_path: Path) -> None:
    for address in ("postgresql://rapport@127.0.0.1:1/none", f"postgresql://rapport@/none?host={tmp_path}"):
        database = Database(address)
        with pytest.raises(StoreUnavailable) as error:
            async with database.begin():
                pass
        assert database.is_transient(error.value)
        await database.close()


async def claim_while(database: Database, accident: Callable[[], None]) -> None:
    async with database.begin() as session:
        await claim_ids(session, "SCORING", ["m3"])
        await asyncio.to_thread(accident)
        await claim_ids(session, "SCORING", ["m4"])


async def test_a_restart_of_postgres_is_survived(postgres_server: PostgresServer) -> None:
    await prepare(postgres_server.url)
    database = Database(postgres_server.url)
    assert await apply_a_batch(database) == {"m1", "m2"}
    with pytest.raises((StoreError, StoreUnavailable)) as error:
        await claim_while(database, postgres_server.kill)
    assert database.is_transient(error.value)
    with pytest.raises((StoreError, StoreUnavailable)) as error:
        await counts(database)
    assert database.is_transient(error.value)
    await asyncio.to_thread(postgres_server.start)
    assert await counts(database) == (2, 1, 1)
    await database.close()


async def test_connections_that_died_while_idle_are_not_handed_out(postgres_server: PostgresServer) -> None:
    await prepare(postgres_server.url)
    async with Database(postgres_server.url) as database:
        assert await apply_a_batch(database) == {"m1", "m2"}
        await asyncio.to_thread(postgres_server.kill)
        await asyncio.to_thread(postgres_server.start)
        assert await counts(database) == (2, 1, 1)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/name"])
def test_what_cannot_be_a_store_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="store is"):
        Database(url)


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("normal", 1)])
async def test_sqlite_is_as_durable_as_asked(tmp_path: Path, durability: str, level: int) -> None:
    database = Database(
        f"sqlite:///{tmp_path / 'deep' / 'store.db'}", durability="full" if durability == "full" else "normal"
    )
    async with database.begin() as session:
        assert await session.scalar(text("PRAGMA synchronous")) == level
        assert await session.scalar(text("PRAGMA journal_mode")) == "wal"
        assert await session.scalar(text("PRAGMA foreign_keys")) == 1
    await database.close()
