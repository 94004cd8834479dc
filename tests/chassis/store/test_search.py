"""Finding rows by a part of their text: the same on both stores, by an index, in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from alembic.migration import MigrationContext
from alembic.operations import Operations
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, MetaData, text

from chassis.store import search
from chassis.store.database import Database
from contracts.ids import derive_id, hash_id
from contracts.texts import laid_out, needle

DAWN = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
PEOPLE = search.search_table("person_search", MetaData())
NAMES = (
    "Zoë Müller",
    "Łukasz Wąs",
    "Ørjan Tide",
    "山田太郎",
    "김철수",
    "Йонас 100%",
    'O\'Neil "Ann"',
    "Anna Tidewater",
    "tide@acme.com",
)


def person(number: int) -> str:
    """Twenty come within a millisecond."""
    return derive_id("per", DAWN + timedelta(microseconds=50 * number), str(number))


def _create(connection: Connection) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        search.create("person_search")


@pytest_asyncio.fixture
async def base(store_url: str) -> AsyncIterator[Database]:
    database = Database(store_url)
    async with database.connection() as connection:
        await connection.run_sync(_create)
        await connection.commit()
    yield database
    await database.close()


async def keep(base: Database, texts: dict[str, str]) -> None:
    async with base.begin() as session:
        await search.keep(session, PEOPLE, texts)


async def found(base: Database, query: str, after: str = "", limit: int = 100) -> list[str]:
    async with base.read() as session:
        return await search.find(session, PEOPLE, query, after, limit)


async def test_a_part_of_a_text_finds_it_whatever_the_script(base: Database) -> None:
    ids = {name: person(number) for number, name in enumerate(NAMES)}
    await keep(base, {one: name for name, one in ids.items()})
    for name, one in ids.items():
        for query in (name, name[:2], name[1:4], name.upper()):
            wanted = sorted(other for text_, other in ids.items() if needle(query) in laid_out(text_, 1_000))
            assert await found(base, query) == wanted, query
            assert one in wanted or needle(query).startswith("  ")  # a middle of two letters begins no word
    assert await found(base, "muller zoe") == []
    assert await found(base, "MULLER") == [ids["Zoë Müller"]]
    assert await found(base, "太郎") == [ids["山田太郎"]]
    assert await found(base, " ") == await found(base, "%") == await found(base, '""') == []
    assert await found(base, "100%") == [ids["Йонас 100%"]]


async def test_who_gets_another_text_is_found_by_that_and_who_gets_none_by_nothing(base: Database) -> None:
    await keep(base, {person(1): "Ada Byron", person(2): "Ada Smith"})
    await keep(base, {person(1): "Ada Lovelace", person(2): "", person(3): ""})
    assert await found(base, "byron") == await found(base, "smith") == []
    assert await found(base, "ada") == await found(base, "love") == [person(1)]
    async with base.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM person_search")) == 1  # who has no text has no row
        if base.dialect == "sqlite":
            assert await session.scalar(text("SELECT count(*) FROM person_search_grams")) == 1


async def test_two_ids_that_begin_alike_are_kept_apart(base: Database) -> None:
    one, other = f"{person(1)[:-3]}AAA", f"{person(1)[:-3]}BBB"
    assert search.place_of(one) == search.place_of(other)
    await keep(base, {one: "Ada Byron", other: "Ada Smith"})
    assert (await found(base, "byron"), await found(base, "smith"), await found(base, "ada")) == (
        [one],
        [other],
        [one, other],
    )
    assert await found(base, "ada", after=one) == [other]
    await keep(base, {one: ""})
    assert (await found(base, "byron"), await found(base, "smith")) == ([], [other])


async def test_pages_leave_nobody_out_and_repeat_nobody(base: Database) -> None:
    everybody = [person(number) for number in range(300)]
    await keep(base, {one: f"Ada {'Tide' if number % 3 else 'Stone'}" for number, one in enumerate(everybody)})
    expected = [one for number, one in enumerate(everybody) if number % 3]
    for limit in (1, 7, 100, 300):
        pages: list[str] = []
        while page := await found(base, "tide", pages[-1] if pages else "", limit):
            assert len(page) <= limit
            pages += page
            if limit == 1 and len(pages) > 20:
                break
        assert pages == sorted(expected)[: len(pages)]
        assert limit == 1 or len(pages) == len(expected)


async def test_an_unchanged_text_is_not_written_again(base: Database) -> None:
    await keep(base, {person(1): "Ada"})
    version = "xmin" if base.dialect == "postgresql" else "(SELECT total_changes())"
    async with base.begin() as session:
        before = await session.scalar(text(f"SELECT {version} FROM person_search"))
        await search.keep(session, PEOPLE, {person(1): "ADA"})
        assert await session.scalar(text(f"SELECT {version} FROM person_search")) == before


async def plan(base: Database, query: str) -> str:
    """How the store finds what `find` asks for, among many."""
    many = {
        derive_id(
            "per", DAWN + timedelta(seconds=number), "x"
        ): f"Name{number} Family{number % 977} {number}@c{number % 499}.example"
        for number in range(6_000)
    }
    async with base.begin() as session:
        await search.keep(session, PEOPLE, many)
    async with base.begin() as session:
        await session.execute(text("ANALYZE"))
    async with base.read() as session:
        statement, given = search.finding(session, PEOPLE, query, "", 50)
        explain = "EXPLAIN" if base.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
        return "\n".join(str(tuple(row)) for row in await session.execute(text(f"{explain} {statement}"), given))


async def test_a_text_is_looked_for_by_the_index(base: Database) -> None:
    lines: Sequence[str] = (await plan(base, "family97")).splitlines()
    if base.dialect == "postgresql":
        assert any("Bitmap Index Scan on person_search_grams" in line for line in lines), lines
        assert not any("Seq Scan" in line for line in lines), lines
    else:
        assert "VIRTUAL TABLE INDEX" in lines[0], lines
        assert "person_search_place" in lines[1], lines  # and each hit is read by its number
        assert "TEMP B-TREE" not in "".join(lines)  # the first page does not wait for the last hit
        assert not any("SCAN person_search" in line and "VIRTUAL" not in line for line in lines), lines


async def test_each_text_is_planned_for_by_itself(base: Database) -> None:
    """PostgreSQL would make one plan for all texts after the fifth, and read everybody for the rare ones."""
    await plan(base, "family")
    if base.dialect == "postgresql":
        async with base.read() as session:
            for number in range(12):
                await search.find(session, PEOPLE, f"family{number}", "", 50)
            plans = (
                "SELECT sum(custom_plans), sum(generic_plans) FROM pg_prepared_statements WHERE starts_with(statement,"
                " :find)"
            )
            given = {"find": "\nSELECT id FROM person_search WHERE search_grams"}
            assert [tuple(map(int, row)) for row in await session.execute(text(plans), given)] == [(12, 0)]


ulids = st.builds(
    lambda seconds, word: derive_id("per", DAWN + timedelta(milliseconds=seconds), word),
    st.integers(0, 10**12),
    st.text(max_size=3),
) | st.text(max_size=3).map(lambda word: hash_id("acc", word))


@given(ulids, ulids)
def test_places_sort_as_ids_do(one: str, other: str) -> None:
    if one[:3] == other[:3]:
        first, second = sorted((one, other))
        assert search.place_of(first) <= search.place_of(second)
        assert 0 <= search.place_of(first) < 2**63
