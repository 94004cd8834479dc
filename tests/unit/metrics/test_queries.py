"""Strangers are counted by one row; a report on a period reads what was told in it; and what was kept before is counted
as it was.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from chassis.context import Context
from chassis.store.database import Database
from chassis.store.migrate import migrate
from chassis.store.session import Session
from services.metrics.commands import report_campaigns, report_funnel, report_time_in_stage
from services.metrics.domain.measures import By, ReportQuery, micros, period_of
from tests.support.former_stores import migrate_until
from tests.support.people import at, frg, merged, per, split
from tests.support.statement_recorder import recorded
from tests.support.stores import prepare
from tests.unit.metrics.builders import REPORTING, corrected, entered, hear, opened, visited, won


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Database]:
    await prepare(store_url, "services.metrics.migrations")
    async with Database(store_url) as database:
        yield database


async def funnel(store: Database, query: ReportQuery | None = None) -> dict[str, tuple[int, int, int]]:
    """Stage -> entered, continued, in it now; where anybody is."""
    async with store.read() as session:
        made = await report_funnel(query or ReportQuery(), Context(session, at(40), REPORTING))
    return {
        row.stage: (row.entered, row.continued, row.in_stage_now)
        for row in made.rows
        if row.entered or row.in_stage_now
    }


async def test_a_stranger_is_where_everybody_begins_though_nobody_says_so(store: Database) -> None:
    await hear(
        store,
        visited(1, 1, when=at(1)),
        visited(2, 1, when=at(5)),
        visited(3, 2, when=at(2)),
        entered(2, "known", at(3), previous="anonymous"),
    )
    assert await funnel(store) == {"anonymous": (2, 1, 1), "known": (1, 0, 1)}
    assert await funnel(store, ReportQuery(period_of(at(2), at(4), REPORTING.zone))) == {
        "anonymous": (1, 1, 1),
        "known": (1, 0, 1),
    }
    async with store.read() as session:
        stays = await report_time_in_stage(ReportQuery(), Context(session, at(40), REPORTING))
    assert [
        (row.stage, row.n, row.median, row.still_in, row.longest_since) for row in stays.rows if row.n or row.still_in
    ] == [
        ("anonymous", 1, 86_400.0, 1, at(1)),
        ("known", 0, None, 1, at(3)),
    ]


async def test_who_was_merged_was_first_seen_when_the_first_of_them_was(store: Database) -> None:
    await hear(store, visited(1, 1, when=at(1)), visited(2, 2, when=at(2)), merged([1, 2], 2, at(3)))
    assert await funnel(store) == {"anonymous": (1, 0, 1)}
    await hear(store, split([[1], [2]], 3, at(4)), corrected(2, "anonymous", at(4)))
    assert await funnel(store) == {"anonymous": (2, 0, 2)}


@pytest.mark.parametrize("by", list(By))
async def test_a_report_on_a_period_finds_its_people_by_an_index_on_time(store: Database, by: By) -> None:
    for number in range(1, 200):
        await hear(
            store,
            visited(number, number, when=at(number)),
            entered(number, "known", at(number, hours=1), previous="anonymous"),
        )
        await hear(store, opened(number, f"opp_{number}", at(number)), won(number, f"opp_{number}", at(number)))
    query = ReportQuery(period_of(at(7), at(8), REPORTING.zone), by)
    async with store.begin() as session:
        await session.execute(text("ANALYZE"))
        if store.dialect == "postgresql":
            # 200 rows are read faster whole; what matters is that an index can
            await session.execute(text("SET LOCAL enable_seqscan = off"))
        plans = {
            report: await _plans(session, report, query)
            for report in (report_funnel, report_time_in_stage, report_campaigns)
        }
    first = "fragment_first" + ("" if by is By.OCCURRED else "_told")
    for report, index in (
        (report_funnel, f"stage_told_{by.value}"),
        (report_funnel, first),
        (report_time_in_stage, f"stage_told_{by.value}"),
        (report_time_in_stage, first),
        (report_campaigns, f"stage_told_{by.value}"),
        (report_campaigns, f"deal_told_{by.value}"),
    ):
        assert any(index in plan for plan in plans[report]), (report.__name__, index, plans[report])


async def _plans(session: Session, report: Any, query: ReportQuery) -> list[str]:
    """How the store would answer each question of a report."""
    recording, recorder = recorded(session)
    await report(query, Context(recording, at(300), REPORTING))
    explain = "EXPLAIN QUERY PLAN " if session.dialect == "sqlite" else "EXPLAIN "
    plans = []
    for statement, values in recorder.statements:
        rows, _ = await session._driver.fetch(explain + statement, values)
        plans.append("\n".join(str(tuple(row)) for row in rows))
    return plans


async def test_what_was_kept_before_is_counted_as_it_was(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_until(store_url, "services.metrics.migrations", "0001", tmp_path, monkeypatch)
    async with Database(store_url) as database:
        async with database.begin() as session:
            for number, is_test in ((1, False), (2, False), (3, True)):
                await session.execute(text(f"INSERT INTO fragment VALUES ('{frg(number)}', '{per(number)}', 1)"))
                flags = "TRUE, FALSE" if not is_test else "FALSE, TRUE"
                await session.execute(
                    text(f"INSERT INTO presence VALUES ('{frg(number)}', {flags}, FALSE, '', FALSE, 'k{number}')")
                )
                for place, (stage, previous) in enumerate(
                    [("anonymous", "NULL"), ("known", "'anonymous'")][: 1 if number == 2 else 2]
                ):
                    us = micros(at(number + place))
                    row = (
                        f"'evt_{number}{place}', '{frg(number)}', '{per(number)}', '{stage}', {previous}, FALSE, {us},"
                        f" {us}"
                    )
                    await session.execute(text(f"INSERT INTO stage_told VALUES ({row})"))
        await migrate(store_url, "services.metrics.migrations")
        assert await funnel(database) == {"anonymous": (2, 1, 1), "known": (1, 0, 1)}
        await hear(database, visited(1, 1, when=at(9)), visited(2, 2, when=at(9)))  # known before: not first seen now
        assert await funnel(database, ReportQuery(period_of(at(8), at(10), REPORTING.zone))) == {
            "anonymous": (0, 0, 1),
            "known": (0, 0, 1),
        }
