"""The store: what is written, how often, and who may write at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from sqlalchemy import func, select, text

from chassis.context import Context
from chassis.store.database import Database
from chassis.store.migrate import drift
from services.metrics.commands import add_campaign
from services.metrics.domain.campaigns import CampaignMatch
from services.metrics.store import write
from services.metrics.store.tables import FRAGMENT, HEARD, STAGE, TAG, TOUCH, Table
from tests.support.eventually import eventually
from tests.support.people import at, frg, merged, split
from tests.support.statement_recorder import recorded
from tests.support.stores import prepare
from tests.unit.metrics.builders import REPORTING, a_campaign, cmp, entered, hear, marked, visited, workspace_of


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Database]:
    await prepare(store_url, "services.metrics.migrations")
    async with Database(store_url) as database:
        yield database


async def count(store: Database, table: Any) -> int:
    async with store.read() as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


async def test_the_migrations_make_the_tables_that_the_code_speaks_of(store_url: str) -> None:
    await prepare(store_url, "services.metrics.migrations")
    assert await drift(store_url, Table.metadata) == []


async def test_page_views_without_a_campaign_leave_one_row_per_fragment(store: Database) -> None:
    await hear(store, *(visited(number, number % 3 + 1) for number in range(60)))
    await hear(store, visited(100, 1, campaign={"name": "spring"}))
    assert (await count(store, FRAGMENT), await count(store, TOUCH), await count(store, TAG)) == (3, 1, 1)


async def test_what_is_heard_again_is_there_once(store: Database) -> None:
    events = [visited(1, 1, campaign={"name": "spring"}), entered(1, "known"), marked(1, True, at(1))]
    for _ in range(2):
        await hear(store, *events, *events)
    assert (await count(store, TOUCH), await count(store, STAGE), await count(store, FRAGMENT)) == (1, 1, 1)


async def test_a_batch_takes_the_same_number_of_statements_however_long_it_is(store: Database) -> None:
    async def statements_of(first: int, length: int) -> int:
        async with store.begin() as session:
            recording, recorder = recorded(session)
            events = [
                one
                for number in range(first, first + length)
                for one in (visited(number, number, campaign={"name": f"c{number}"}), entered(number, "known"))
            ]
            await write.workspace(recording, workspace_of(*events))
        return len(recorder.statements)

    # fewer rows are sooner asked what became of them than looked for first
    assert await statements_of(1000, 5) == await statements_of(2000, 100)


async def test_of_two_that_write_at_once_the_newer_grouping_stays(store: Database) -> None:
    """Both read before either wrote: the later commit brings the older word."""
    await hear(store, visited(1, 1), visited(2, 2))
    older, newer_one = workspace_of(merged([1, 2], 2, at(1))), workspace_of(split([[1], [2]], 3, at(2)))
    async with store.begin() as session:
        await write.fragments(session, write.fragments_in(newer_one))
    async with store.begin() as session:
        await write.fragments(session, write.fragments_in(older))
    async with store.read() as session:
        found = {row.fragment_id: row.graph_version for row in await session.execute(select(FRAGMENT))}
    assert found == {frg(1): 3, frg(2): 3}


async def test_how_far_a_stream_was_heard_never_goes_back(store: Database) -> None:
    await hear(store, visited(1, 1, when=at(5)))
    await hear(store, visited(2, 1, when=at(2)))
    async with store.read() as session:
        assert await session.scalar(select(func.max(HEARD.c.latest_at))) == at(5)


async def test_a_tag_that_comes_while_a_campaign_is_written_waits_and_belongs_to_it(store: Database) -> None:
    async with store.begin() as session:
        await add_campaign(a_campaign(1, CampaignMatch(name="spring")), Context(session, at(1), REPORTING))
        hearing = asyncio.create_task(hear(store, visited(1, 1, campaign={"name": "spring"})))
        if store.dialect == "postgresql":  # SQLite has one writer

            async def it_waits_or_went_ahead() -> None:
                waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                async with store.read() as reading:
                    assert hearing.done() or await reading.scalar(waiting)

            await eventually(it_waits_or_went_ahead, within=15)
    await hearing
    async with store.read() as session:
        assert await session.scalar(select(TAG.c.campaign_id)) == cmp(1)
