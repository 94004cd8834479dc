"""People are found by names in either order, company and address, whatever became of them; and who was known before the
index is found by it.
"""

from __future__ import annotations

import random

import pytest
import pytest_asyncio
from sqlalchemy import select, text

from chassis.store.database import Database
from chassis.store.migrate import drift, migrate
from chassis.store.search import rows
from contracts.values import InteractionKind
from services.scoring.domain.profile import search_text
from services.scoring.store.queries.people_search import search_people
from services.scoring.store.rows import person_of
from services.scoring.store.tables import PERSON, PERSON_SEARCH, Table
from tests.support.people import at, per
from tests.support.stores import migrate_to
from tests.unit.scoring.builders import an_interaction, identified, recognized
from tests.unit.scoring.test_store import a_life, hear

PACKAGE = "services.scoring.migrations"


async def found(store: Database, q: str, after: str | None = None, limit: int = 50) -> list[str]:
    async with store.read() as session:
        return [person.person_id for person in await search_people(session, q, after, limit)]


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_searched_is_what_is_known_through_merges_splits_and_late_facts(
    store: Database, seed: int
) -> None:
    events, rng = a_life(random.Random(seed), 60), random.Random(seed)
    while events:
        size = rng.choice([1, 5, 20])
        await hear(store, events[:size])
        del events[:size]
        async with store.read() as session:
            people = [person_of(row) for row in await session.execute(select(PERSON))]
            kept = [row._asdict() for row in await session.execute(select(PERSON_SEARCH).order_by(PERSON_SEARCH.c.id))]
        assert kept == rows({person.person_id: search_text(person.fit.attributes) for person in people})


async def test_names_are_found_in_either_order_by_any_part_and_without_accents(store: Database) -> None:
    told = [
        {"firstName": "Zoë", "lastName": "Müller", "company": "Łódź Textiles"},
        {"firstName": "太郎", "lastName": "山田", "email": "yamada@acme.example"},
        {"name": "Søren Ørsted"},
    ]
    await hear(
        store,
        [
            recognized(identified(traits, when=at(number), number=number), number)
            for number, traits in enumerate(told, 1)
        ],
    )
    for q in ("zoe muller", "Müller Zoë", "MULL", "lodz", "zo", "textiles"):
        assert await found(store, q) == [per(1)], q
    for q in ("山田太郎", "太郎 山田", "太郎", "山", "acme"):
        assert await found(store, q) == [per(2)], q
    assert await found(store, "soren orsted") == [per(3)]
    assert await found(store, "o", limit=1) == [per(3)]
    assert await found(store, "nobody") == await found(store, "%") == []


async def test_an_anonymous_visit_leaves_nothing_to_search(store: Database) -> None:
    await hear(store, [recognized(an_interaction("Page", when=at(1), number=1, kind=InteractionKind.PAGE))])
    async with store.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM person")) == 1
        assert await session.scalar(text("SELECT count(*) FROM person_search")) == 0


@pytest_asyncio.fixture
async def older_store(store_url: str) -> Database:
    """A store of the version before, with people in it."""
    await migrate(store_url)
    await migrate_to(store_url, PACKAGE, "0002")
    database = Database(store_url)
    columns = "person_id, graph_version, evaluated_at, is_test, attributes, held, sums, search"
    async with database.begin() as session:
        for number in range(2_345):
            name = "" if number % 3 == 0 else f"renée {number}\nacme"
            row = f"'{per(number)}', 1, '2026-03-01T08:00:00.000000+00:00', false, '{{}}', '{{}}', '{{}}', '{name}'"
            await session.execute(text(f"INSERT INTO person ({columns}) VALUES ({row})"))
    return database


async def test_who_was_known_before_is_found_by_the_index(store_url: str, older_store: Database) -> None:
    await migrate(store_url, PACKAGE)
    assert await drift(store_url, Table.metadata) == []
    assert await found(older_store, "renee 2344") == [per(2_344)]
    everybody = [per(number) for number in range(2_345) if number % 3]
    assert await found(older_store, "acme", limit=5_000) == everybody
    assert await found(older_store, "acme", after=everybody[1_500], limit=3) == everybody[1_501:1_504]
    async with older_store.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM person")) == 2_345
    await older_store.close()
