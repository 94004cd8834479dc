"""Batched writes mean the same on both stores."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint, select

from chassis.store.batch import insert_all, insert_or_skip, one_of, upsert
from chassis.store.columns import ExactNumber, JsonDocument, UtcDateTime
from chassis.store.database import Database
from chassis.store.errors import Violated

METADATA = MetaData()
SHELF = Table(
    "shelf",
    METADATA,
    Column("row", String, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("label", String, nullable=True),
    Column("weight", Integer, nullable=False),
)
PARCEL = Table(
    "parcel",
    METADATA,
    Column("parcel_id", String, primary_key=True),
    Column("seal", LargeBinary, nullable=True),
    Column("sent_at", UtcDateTime, nullable=True),
    Column("price", ExactNumber, nullable=True),
    Column("content", JsonDocument, nullable=True),
    Column("barcode", String, nullable=True),
    UniqueConstraint("barcode"),
)
DEFAULTED = Table(
    "defaulted", METADATA, Column("id", String, primary_key=True), Column("colour", String, default="red")
)

Shelf = dict[tuple[str, int], tuple[str | None, int]]
_keys = st.tuples(st.sampled_from("abc"), st.integers(0, 3))
_values = st.tuples(
    st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=5),
    st.integers(-5, 5),
)
_batches = st.lists(
    st.tuples(st.sampled_from(["upsert", "skip", "weigh"]), st.dictionaries(_keys, _values, max_size=8)), max_size=6
)


@pytest.fixture
async def stocked(database: Database) -> Database:
    async with database.connection() as connection:
        await connection.run_sync(METADATA.create_all)
        await connection.commit()
    return database


def a_row(key: tuple[str, int], value: tuple[str | None, int]) -> Mapping[str, Any]:
    return {"row": key[0], "place": key[1], "label": value[0], "weight": value[1]}


def model(shelf: Shelf, action: str, batch: Shelf) -> Shelf:
    """What a dictionary would hold after the same write."""
    match action:
        case "upsert":
            return shelf | batch
        case "skip":
            return batch | shelf
        case _:
            return shelf | {
                key: (shelf[key][0] if key in shelf else value[0], value[1]) for key, value in batch.items()
            }


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=_batches)
async def test_a_store_agrees_with_a_dictionary(stocked: Database, batches: list[tuple[str, Shelf]]) -> None:
    shelf: Shelf = {}
    async with stocked.begin() as session:
        await session.execute(SHELF.delete())
        for action, batch in batches:
            rows = [a_row(key, value) for key, value in batch.items()]
            if action == "skip":
                inserted = await insert_or_skip(session, SHELF, rows, returning=("row", "place"))
                assert {(row.row, row.place) for row in inserted} == batch.keys() - shelf.keys()
            else:
                await upsert(session, SHELF, rows, update=None if action == "upsert" else ("weight",))
            shelf = model(shelf, action, batch)
        found = await session.execute(select(SHELF))
    assert {(row.row, row.place): (row.label, row.weight) for row in found} == shelf


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(there=st.sets(st.integers(0, 20), max_size=12), batch=st.sets(st.integers(0, 20), max_size=12))
async def test_of_few_rows_and_of_many_those_are_told_that_were_not_there(
    stocked: Database, there: set[int], batch: set[int]
) -> None:
    async with stocked.begin() as session:
        await session.execute(PARCEL.delete())
        await insert_all(
            session, PARCEL, [{"parcel_id": f"p{number}", "barcode": f"first {number}"} for number in there]
        )
        rows = [{"parcel_id": f"p{number}", "barcode": f"second {number}"} for number in batch]
        assert {row.parcel_id for row in await insert_or_skip(session, PARCEL, rows)} == {
            f"p{number}" for number in batch - there
        }
        found = await session.execute(select(PARCEL.c.parcel_id, PARCEL.c.barcode))
    whole = {f"p{number}": f"second {number}" for number in batch} | {
        f"p{number}": f"first {number}" for number in there
    }
    assert {row.parcel_id: row.barcode for row in found} == whole


async def test_every_column_type_comes_back_as_it_went_in(stocked: Database) -> None:
    moment = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    row = {
        "parcel_id": "p1",
        "seal": b"\x00\xff",
        "sent_at": moment,
        "price": Decimal("12.3400"),
        "content": {"list": [1, [2, "é"]], "none": None},
        "barcode": "x",
    }
    empty = dict.fromkeys(row) | {"parcel_id": "p2"}
    listed = row | {"parcel_id": "p0", "content": [1, [2, 3]], "barcode": "y"}
    for write in (insert_all, upsert):
        async with stocked.begin() as session:
            await session.execute(PARCEL.delete())
            await write(session, PARCEL, [listed, row, empty])
        async with stocked.read() as session:
            found = await session.execute(select(PARCEL).order_by(PARCEL.c.parcel_id))
        assert [one._asdict() for one in found] == [listed, row, empty]


async def test_moments_compare_across_time_zones(stocked: Database) -> None:
    noon = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    earlier, later = (noon + timedelta(microseconds=step) for step in (-1, 1))
    tokyo = timezone(timedelta(hours=9))
    async with stocked.begin() as session:
        await insert_all(
            session, PARCEL, [{"parcel_id": str(at), "sent_at": at.astimezone(tokyo)} for at in (noon, earlier, later)]
        )
        found = await session.scalars(
            select(PARCEL.c.sent_at).where(PARCEL.c.sent_at <= noon.astimezone(tokyo)).order_by(PARCEL.c.sent_at)
        )
        assert [at.isoformat() for at in found] == [earlier.isoformat(), noon.isoformat()]


async def test_one_of_finds_many_rows_by_one_statement(stocked: Database) -> None:
    async with stocked.begin() as session:
        await insert_all(session, SHELF, [a_row(("é'\"", place), (None, 0)) for place in range(100)])
        wanted = select(SHELF.c.place).where(one_of(SHELF.c.place, range(90, 200)), one_of(SHELF.c.row, ["é'\"", "x"]))
        assert sorted(await session.scalars(wanted)) == list(range(90, 100))
        assert (await session.scalars(select(SHELF.c.place).where(one_of(SHELF.c.row, [])))) == []


async def test_a_naive_moment_is_refused(stocked: Database) -> None:
    naive = datetime.now(UTC).replace(tzinfo=None)
    with pytest.raises(Exception, match="naive"):
        async with stocked.begin() as session:
            await insert_all(session, PARCEL, [{"parcel_id": "p", "sent_at": naive}])


async def test_a_batch_that_names_a_key_twice_is_refused(stocked: Database) -> None:
    rows = [a_row(("a", 1), (None, 1)), a_row(("a", 1), (None, 2))]
    async with stocked.begin() as session:
        with pytest.raises(ValueError, match="share their row, place"):
            await upsert(session, SHELF, rows)
        with pytest.raises(ValueError, match="share their row, place"):
            await insert_or_skip(session, SHELF, rows)


@pytest.mark.parametrize("others", [0, 20])
async def test_a_conflict_on_another_constraint_is_an_error_not_a_skip(stocked: Database, others: int) -> None:
    async with stocked.begin() as session:
        await insert_or_skip(session, PARCEL, [{"parcel_id": "p1", "barcode": "x"}])
    more = [{"parcel_id": f"p{number}", "barcode": str(number)} for number in range(100, 100 + others)]
    with pytest.raises(Violated):
        async with stocked.begin() as session:
            await insert_or_skip(session, PARCEL, [{"parcel_id": "p2", "barcode": "x"}, *more])
    async with stocked.begin() as session:
        assert await insert_or_skip(session, PARCEL, [{"parcel_id": "p2", "barcode": "x"}], keys=("barcode",)) == []


async def test_a_python_default_that_one_store_would_ignore_is_refused(stocked: Database) -> None:
    async with stocked.begin() as session:
        with pytest.raises(ValueError, match="colour"):
            await insert_all(session, DEFAULTED, [{"id": "1"}])


async def test_two_writers_claim_each_row_once(stocked: Database) -> None:
    rows = [a_row(("a", place), (None, 0)) for place in range(200)]

    async def claim() -> set[int]:
        async with stocked.begin() as session:
            return {row.place for row in await insert_or_skip(session, SHELF, rows, returning=("place",))}

    claims = await asyncio.gather(*(claim() for _ in range(4)))
    assert sorted(place for one in claims for place in one) == list(range(200))


async def test_writers_that_want_the_same_rows_in_opposite_order_do_not_deadlock(stocked: Database) -> None:
    rows = [a_row(("a", place), (None, 0)) for place in range(500)]

    async def write(batch: list[Mapping[str, Any]]) -> None:
        for _ in range(5):
            async with stocked.begin() as session:
                await upsert(session, SHELF, batch)

    async with asyncio.timeout(120):
        await asyncio.gather(*(write(batch) for batch in (rows, rows[::-1]) * 3))


async def test_an_empty_batch_is_no_statement(stocked: Database) -> None:
    async with stocked.read() as session:
        assert await insert_or_skip(session, SHELF, []) == []
        await upsert(session, SHELF, [])
        await insert_all(session, SHELF, [])
