"""People are found by a part of what they go by, companies by a part of their names; and what was there before the
index is found by it.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from chassis.store.database import Database
from chassis.store.migrate import drift, migrate
from chassis.store.search import rows
from contracts.ids import derive_id
from contracts.values import AccountClaim
from services.identity.domain.fragments import Fragment, search_text_of
from services.identity.store import queries
from services.identity.store.tables import PERSON_SEARCH, Table
from tests.support.stores import migrate_to
from tests.unit.identity.test_store import StoredWorld, a_story, shelf
from tests.unit.identity.world import DAWN, a_capture

__all__ = ["shelf"]
PACKAGE = "services.identity.migrations"


async def found(shelf: StoredWorld, text_: str, limit: int = 50, after: str = "", **named: str) -> list[str]:
    async with shelf.database.read() as session:
        return await queries.find_people(session, named, text_, after, limit)


async def searched(shelf: StoredWorld) -> None:
    """The index holds what everybody goes by, and nobody else."""
    people: dict[str, list[Fragment]] = {}
    for one in (await shelf.fragments()).values():
        people.setdefault(one.person_id, []).append(one)
    async with shelf.database.read() as session:
        kept = [row._asdict() for row in await session.execute(select(PERSON_SEARCH).order_by(PERSON_SEARCH.c.id))]
    # which of two names stands first depends on what was vouched for in between, and is of no matter
    expected = rows({person_id: search_text_of(own) for person_id, own in people.items()})
    assert [(row["id"], sorted(row["text"].split())) for row in kept] == [
        (row["id"], sorted(row["text"].split())) for row in expected
    ]


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_searched_is_what_people_go_by_through_merges_and_cuts(shelf: StoredWorld, seed: int) -> None:
    story = a_story(seed, 60)
    for start in range(0, 60, 6):
        await shelf.hears(*story[start : start + 6])
        await searched(shelf)
    people = sorted({one.person_id for one in (await shelf.fragments()).values()})
    link_id = await shelf.merges(people[0], people[-1])
    await searched(shelf)
    await shelf.cuts((await shelf.links())[link_id])
    await searched(shelf)


async def test_a_part_of_any_name_finds_its_person_once_and_a_device_is_found_whole(shelf: StoredWorld) -> None:
    await shelf.hears(
        a_capture(1, user_id="u-ann", email="ann@acme.com", server=True),
        a_capture(2, user_id="u-ann", email="ann.lee@acme.com", server=True),
    )
    await shelf.hears(a_capture(3, email="bob@acme.com", anonymous_id="dev-1"), a_capture(4, anonymous_id="dev-2"))
    names = {one.value: one.person_id for one in (await shelf.fragments()).values()}
    ann, bob = names["u-ann"], names["bob@acme.com"]
    assert await found(shelf, "ACME") == [ann, bob]
    assert await found(shelf, "acme", limit=1) == [ann]
    assert await found(shelf, "acme", after=ann) == [bob]
    assert await found(shelf, "n.le") == await found(shelf, "u-") == [ann]
    assert await found(shelf, "dev-2") == [names["dev-2"]]
    assert await found(shelf, "dev-1") == [bob]
    assert await found(shelf, "dev") == []
    assert (
        await found(shelf, "acme", email="bob@acme.com") == await found(shelf, "dev-1", email="bob@acme.com") == [bob]
    )
    assert await found(shelf, "lee", email="bob@acme.com") == []


async def test_an_anonymous_visit_leaves_nothing_to_search(shelf: StoredWorld) -> None:
    await shelf.hears(a_capture(1, anonymous_id="a1"), a_capture(2))
    async with shelf.database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM person_search")) == 0


async def test_companies_are_found_by_a_part_of_name_domain_or_group(shelf: StoredWorld) -> None:
    await shelf.hears(a_capture(1, user_id="u1", account=AccountClaim(group_id="grp-77", name="Müller & Søn")))
    await shelf.hears(
        a_capture(2, user_id="u2", account=AccountClaim(domain="tide.example.com")), a_capture(3, email="x@acme.com")
    )

    async def companies(q: str, **named: str) -> list[str | None]:
        async with shelf.database.read() as session:
            found = await queries.find_accounts(session, named, q, "", 10)
        return [one.parts[0].name or one.first("domain") for one in found]

    assert await companies("muller") == await companies("son") == await companies("P-77") == ["Müller & Søn"]
    assert await companies("acm") == ["acme.com"]
    assert await companies("muller", group_id="grp-77") == ["Müller & Søn"]
    assert await companies("acme", group_id="grp-77") == []
    await shelf.hears(a_capture(4, user_id="u1", account=AccountClaim(group_id="grp-77", domain="acme.com")))
    assert await companies("acme") == ["Müller & Søn"]  # which was known as two


async def test_what_was_there_before_the_index_is_found_and_its_cores_are_known(store_url: str) -> None:
    await migrate(store_url)
    await migrate_to(store_url, PACKAGE, "0002")
    database = Database(store_url)
    ids = [derive_id("frg", DAWN + timedelta(seconds=number), str(number)) for number in range(1_500)]
    moment = DAWN.isoformat(timespec="microseconds")
    async with database.begin() as session:
        for number, one in enumerate(ids):
            kind, value = ("anonymous_id", f"d{number}") if number % 3 == 0 else ("email", f"p{number}@acme.com")
            own = (
                f"'{one}', '{kind}', '{value}', '{one}', '{one.replace('frg', 'per')}', 1, '{moment}', 'src_web', false"
            )
            columns = "fragment_id, kind, value, cluster_id, person_id, graph_version, created_at, source_id, is_test"
            await session.execute(text(f"INSERT INTO fragment ({columns}) VALUES ({own})"))
        for left, right, strength in ((0, 1, "verified"), (1, 2, "verified"), (2, 3, "claimed"), (10, 11, "verified")):
            link = f"'lnk_{left}', '{ids[left]}', '{ids[right]}', '{strength}', 'evt', '{moment}'"
            await session.execute(
                text(
                    f"INSERT INTO link (link_id, left_id, right_id, strength, evidence_id, created_at) VALUES ({link})"
                )
            )
        await session.execute(
            text(
                f"INSERT INTO account (account_id, created_at, name, traits) VALUES ('acc_1', '{moment}', 'Müller',"
                " '{}')"
            )
        )
    await migrate(store_url, PACKAGE)
    assert await drift(store_url, Table.metadata) == []
    shelf = StoredWorld(database)
    fragments = await shelf.fragments()
    assert [fragments[one].core_id for one in ids[:4]] == [ids[0], ids[0], ids[0], None]
    assert fragments[ids[11]].core_id == ids[10]
    assert await found(shelf, "p1499@") == [ids[1_499].replace("frg", "per")]
    assert await found(shelf, "acme", limit=2_000) == [
        one.replace("frg", "per") for number, one in enumerate(ids) if number % 3
    ]
    async with database.read() as session:
        assert [one.account_id for one in await queries.find_accounts(session, {}, "muller", "", 10)] == ["acc_1"]
    await database.close()
