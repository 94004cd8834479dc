"""Statements on the drivers mean what SQLAlchemy means by them: the same values are written and read, by whichever of
the two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    text,
)
from sqlalchemy import Enum as EnumType

from chassis.store.batch import among, one_of, rows_by
from chassis.store.columns import ExactNumber, JsonDocument, UtcDateTime
from chassis.store.database import Database
from chassis.store.errors import StoreError, Violated
from chassis.store.statements import COMPILERS


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


METADATA = MetaData()
SAMPLE = Table(
    "sample",
    METADATA,
    Column("id", String, primary_key=True),
    Column("whole", Integer),
    Column("large", BigInteger),
    Column("flag", Boolean),
    Column("real", Float),
    Column("rounded", Numeric(12, 2)),
    Column("day", Date),
    Column("colour", EnumType(Colour)),
    Column("words", Text),
    Column("raw", LargeBinary),
    Column("at", UtcDateTime),
    Column("price", ExactNumber),
    Column("document", JsonDocument),
)
_texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
_json = st.recursive(  # as far as both stores hold it
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _texts,
    lambda one: st.lists(one, max_size=3) | st.dictionaries(_texts, one, max_size=3),
)
_zones = st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-3, minutes=-30))])
_values: Mapping[str, st.SearchStrategy[Any]] = {
    "whole": st.integers(-(2**31), 2**31 - 1),
    "large": st.integers(-(2**63), 2**63 - 1),
    "flag": st.booleans(),
    "real": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "rounded": st.decimals(-(10**8), 10**8, places=2),
    "day": st.dates(date(1, 1, 2)),
    "colour": st.sampled_from(Colour),
    "words": _texts,
    "raw": st.binary(max_size=8),
    "at": st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=_zones),  # noqa: DTZ001 - hypothesis wants bounds without a zone
    "price": st.decimals(-(10**9), 10**9, places=4),
    "document": _json,
}
_samples = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, values in _values.items()}), min_size=1, max_size=4
)


@pytest.fixture
async def stocked(database: Database) -> Database:
    async with database.connection() as connection, connection.begin():
        await connection.run_sync(METADATA.create_all)
    return database


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(samples=_samples)
# SQLite keeps a document that is a bare number as a number
@example(samples=[{"id": "0", **dict.fromkeys(_values), "document": 0}])
@example(samples=[{"id": "0", **dict.fromkeys(_values), "document": -(2**53)}])
async def test_both_ways_write_and_read_the_same_values(stocked: Database, samples: list[dict[str, Any]]) -> None:
    rows = [{"id": str(number), **sample} for number, sample in enumerate(samples)]
    ordered = select(SAMPLE).order_by(SAMPLE.c.id)
    found = []
    for is_raw_writer in (True, False):
        async with stocked.connection() as connection, connection.begin():
            await connection.execute(SAMPLE.delete())
            if not is_raw_writer:
                await connection.execute(insert(SAMPLE), rows)
        async with stocked.begin() as session:
            if is_raw_writer:
                await session.execute(insert(SAMPLE), rows)
            found.append([tuple(row) for row in await session.execute(ordered)])
            written = [row for page in [one async for one in session.pages(ordered, 2)] for row in page]
            found.append([tuple(row) for row in written])
        async with stocked.connection() as connection, connection.begin():
            found.append([tuple(row) for row in await connection.execute(ordered)])
        async with stocked.read() as session:
            found.append([tuple(row) for row in await session.execute(ordered)])
    assert all(one == found[0] for one in found)
    assert [dict(zip(SAMPLE.c.keys(), row, strict=True)) for row in found[0]] == [_as_read(row) for row in rows]


def _as_read(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value + 0.0 if name == "real" and value is not None else value for name, value in row.items()}


async def test_values_are_found_by_what_they_are_whichever_way_the_statement_came(stocked: Database) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    async with stocked.begin() as session:
        await session.execute(
            insert(SAMPLE),
            [{"id": name, "whole": day, "at": noon + timedelta(days=day)} for day, name in enumerate("abc")],
        )
        one = select(SAMPLE.c.id).order_by(SAMPLE.c.id)
        for limit in (noon, noon + timedelta(days=1)):  # one shape, other values
            assert await session.scalars(one.where(SAMPLE.c.at > limit)) == [
                name for name in "abc" if noon + timedelta(days="abc".index(name)) > limit
            ]
        assert await session.scalars(one.where(SAMPLE.c.whole.in_([0, 2]))) == ["a", "c"]
        assert await session.scalars(one.where(SAMPLE.c.whole.in_([1]))) == ["b"]
        assert await session.scalars(one.where(one_of(SAMPLE.c.whole, [1, 2]))) == ["b", "c"]
        assert await session.scalars(rows_by(SAMPLE.c.id, SAMPLE.c.whole), {"keys": {"b"}}) == [1]
        assert await session.scalars(one.where(~among(SAMPLE.c.id, "but")), {"but": ("a",)}) == ["b", "c"]
        assert await session.scalar(select(func.sum(SAMPLE.c.whole))) == 3
        assert await session.scalar(text("SELECT count(*) FROM sample WHERE id = :id"), {"id": "a"}) == 1
        assert (await session.execute(one.where(SAMPLE.c.id == "none"))).first() is None


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        rows_by(SAMPLE.c.id),
        rows_by(SAMPLE.c.id, SAMPLE.c.whole).where(SAMPLE.c.flag),
        select(SAMPLE.c.whole).where(or_(among(SAMPLE.c.id, "keys"), among(SAMPLE.c.id, "keys"))),
        select(SAMPLE).where(SAMPLE.c.whole == 1, one_of(SAMPLE.c.id, ["a"])),
        delete(SAMPLE).where(among(SAMPLE.c.id, "keys")),
    ],
    ids=["rows by keys", "and a flag", "one list or another", "values at hand", "delete"],
)
async def test_a_list_of_keys_is_looked_up_by_the_index(stocked: Database, statement: Any) -> None:
    """SQLite would find the same rows by reading all there are: nobody notices before there are many."""
    bound = COMPILERS["sqlite"].prepare(statement, ["keys"]).bind({"keys": ["a"]})
    async with stocked.connection() as connection:
        found = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {bound.sql}", tuple(bound.values))
        plan = [str(detail) for detail in found.scalars(3)]
    assert any(step.startswith("SEARCH sample USING INDEX") for step in plan), plan
    assert "SCAN sample" not in plan


async def test_a_row_is_a_tuple_whose_fields_have_the_names_of_the_columns(stocked: Database) -> None:
    async with stocked.begin() as session:
        await session.execute(insert(SAMPLE), [{"id": "1", "whole": 5, "flag": True}])
        row = (await session.execute(select(SAMPLE.c.id, SAMPLE.c.flag, (SAMPLE.c.whole + 1).label("more")))).one()
        nameless = (await session.execute(text("SELECT 1, 2"))).one()
    assert (row.id, row.flag, row.more) == tuple(row) == ("1", True, 6)
    assert row._asdict() == {"id": "1", "flag": True, "more": 6}
    assert nameless == (1, 2)


async def test_a_value_that_is_missing_is_told_by_its_name(stocked: Database) -> None:
    async with stocked.read() as session:
        with pytest.raises(KeyError, match="keys"):
            await session.execute(rows_by(SAMPLE.c.id))


async def test_errors_do_not_quote_what_was_to_be_written(stocked: Database) -> None:
    for values in ({"id": "jane@example.com", "whole": 1}, {"id": "jane@example.com", "whole": "jane@example.com"}):
        with pytest.raises((StoreError, ValueError)) as refused:
            await _write_twice(stocked, values)
        chain = [
            refused.value,
            refused.value.__cause__,
            None if refused.value.__suppress_context__ else refused.value.__context__,
        ]
        assert "jane" not in "".join(str(one) for one in chain)
    assert isinstance(refused.value, StoreError)


async def _write_twice(database: Database, values: dict[str, Any]) -> None:
    async with database.begin() as session:
        await session.execute(insert(SAMPLE), [values])
        await session.execute(insert(SAMPLE), [values])


async def test_a_broken_constraint_is_told_from_other_errors(stocked: Database) -> None:
    with pytest.raises(Violated) as violated:
        await _write_twice(stocked, {"id": "a"})
    assert not stocked.is_transient(violated.value)


async def test_a_session_is_of_no_use_when_its_transaction_is_over(stocked: Database) -> None:
    async with stocked.begin() as session:
        pass
    with pytest.raises(RuntimeError, match="over"):
        await session.execute(select(SAMPLE))


async def test_a_reader_that_nobody_waits_for_any_more_is_interrupted_and_serves_again(tmp_path: Any) -> None:
    endless = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
    async with Database(f"sqlite:///{tmp_path / 'store.db'}") as database:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), database.read() as session:
                await session.execute(endless)
        async with asyncio.timeout(20), database.read() as session:
            assert await session.scalar(text("SELECT 1")) == 1
