"""Receipts hang on fragments and are read page by page, newest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import MetaData

from chassis.errors import BadInput
from chassis.store.database import Database
from contracts.values import Receipt
from people_kernel.api.pages import from_cursor, to_cursor
from people_kernel.store.people import load_receipts, receipt_table, save_receipts

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
METADATA = MetaData()
RECEIPTS = receipt_table(METADATA)


def decided(number: int, fragment_id: str = "frg_A") -> Receipt:
    return Receipt(
        receipt_id=f"rcp_{number:03}",
        at=NOON + timedelta(minutes=number // 2),  # two share a moment
        owner="lifecycle",
        kind="stage.move",
        person_id="per_A",
        fragment_id=fragment_id,
        cause_id=f"evt_{number}",
        rule="known",
        rulebook="lifecycle@1",
        outcome="known",
        sentence="Gave an address.",
    )


@pytest_asyncio.fixture
async def store(database: Database) -> Database:
    async with database.connection() as connection, connection.begin():
        await connection.run_sync(METADATA.create_all)
    async with database.begin() as session:
        await save_receipts(session, RECEIPTS, [decided(number) for number in range(7)] + [decided(50, "frg_B")])
        await save_receipts(session, RECEIPTS, [decided(3)])  # told twice
    return database


async def test_pages_follow_on_without_gap_or_repeat(store: Database) -> None:
    seen: list[Receipt] = []
    async with store.read() as session:
        while page := await load_receipts(
            session, RECEIPTS, ["frg_A"], (None, (seen[-1].at, seen[-1].receipt_id) if seen else None, 2)
        ):
            seen += page
    assert seen == [decided(number) for number in (6, 5, 4, 3, 2, 1, 0)]


async def test_only_what_had_been_decided_by_then_is_shown(store: Database) -> None:
    async with store.read() as session:
        found = await load_receipts(session, RECEIPTS, ["frg_A", "frg_B"], (NOON + timedelta(minutes=1), None, 10))
    assert found == [decided(number) for number in (3, 2, 1, 0)]


def test_a_cursor_says_where_its_page_ended() -> None:
    receipt = decided(5)
    assert from_cursor(to_cursor(receipt.at, receipt.receipt_id)) == (receipt.at, receipt.receipt_id)
    assert from_cursor(None) is None


@pytest.mark.parametrize("cursor", ["?", "bm9wZQ", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OSBh"])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadInput, match="cursor"):
        from_cursor(cursor)
