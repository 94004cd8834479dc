"""The store on both databases: it keeps what the domain decided, and loads what the domain needs to decide the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from chassis.store.database import Database
from chassis.store.migrate import drift
from contracts.envelope import Event
from contracts.events.gateway import InteractionReceived
from contracts.ids import with_prefix
from contracts.values import AccountClaim, ConsentChannel
from people_kernel.consent import StatementKey, answers
from semantics.capture import read_captures
from services.identity.domain.consent import FragmentConsent
from services.identity.domain.fragments import Fragment, Link, components, mark_as_test, person_of
from services.identity.domain.links import HumanDecision, merge_by_hand, split_by_hand
from services.identity.domain.recognition import RecognitionRules, recognize
from services.identity.domain.workspace import IdentityWorkspace
from services.identity.store import load, queries, write
from services.identity.store.tables import Table
from tests.support.eventually import eventually
from tests.support.stores import prepare
from tests.unit.identity.world import DAWN, World, a_capture

RULES = RecognitionRules()


class StoredWorld:
    """What `World` is in memory, in a real store."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.said: list[Event] = []

    async def hears(self, *captures: InteractionReceived) -> None:
        claims = read_captures(captures, RULES.region)
        async with self.database.begin() as session:
            workspace = await load.for_claims(session, claims)
            recognize(workspace, claims, RULES)
            await write.workspace(session, workspace)
        self.said += workspace.said

    async def merges(self, one_id: str, other_id: str) -> str:
        async with self.database.begin() as session:
            fragments = await load.lock_people(session, [with_prefix("frg", one_id), with_prefix("frg", other_id)])
            one, other = ([one for one in fragments if one.person_id == person_id] for person_id in (one_id, other_id))
            came = merge_by_hand(one, other, HumanDecision("usr_ada", DAWN + timedelta(days=1), "they said so"))
            await write.regrouping(session, came)
        return came.new_links[0].link_id

    async def cuts(self, link: Link) -> None:
        async with self.database.begin() as session:
            fragments = await load.lock_people(session, [link.left_id])
            links = await queries.links_of(session, [one.fragment_id for one in fragments], live_only=True)
            cut = [one for one in links if one.link_id == link.link_id]
            await write.regrouping(
                session,
                split_by_hand(
                    fragments, links, cut, HumanDecision("usr_ada", DAWN + timedelta(days=2), "they said so")
                ),
            )

    async def fragments(self) -> dict[str, Fragment]:
        async with self.database.read() as session:
            ids = await queries.find_people(session, {}, None, "", 10_000)
            return {
                one.fragment_id: one for group in (await queries.fragments_of(session, ids)).values() for one in group
            }

    async def marks(self, person_id: str, *, is_test: bool) -> None:
        async with self.database.begin() as session:
            fragments = await load.lock_people(session, [with_prefix("frg", person_id)])
            came = mark_as_test(fragments, is_test=is_test, by="usr_ada", at=DAWN + timedelta(days=1))
            await write.marks(session, came)
        self.said += came.said

    async def consents(self) -> dict[StatementKey, FragmentConsent]:
        ids = list(await self.fragments())
        async with self.database.read() as session:
            return dict(await queries.consents_on(session, ids))

    async def links(self) -> dict[str, Link]:
        ids = list(await self.fragments())
        async with self.database.read() as session:
            return {link.link_id: link for link in await queries.links_of(session, ids)}


@pytest_asyncio.fixture
async def shelf(store_url: str) -> AsyncIterator[StoredWorld]:
    await prepare(store_url, "services.identity.migrations")
    database = Database(store_url)
    yield StoredWorld(database)
    await database.close()


async def test_the_migrations_make_the_tables_that_the_code_speaks_of(store_url: str) -> None:
    await prepare(store_url, "services.identity.migrations")
    assert await drift(store_url, Table.metadata) == []


def a_story(seed: int, length: int = 120) -> list[InteractionReceived]:
    """Captures over few names, so that people meet, part and collide."""
    random = Random(seed)
    captures = []
    for number in range(length):
        told: dict[str, Any] = {"server": random.random() < 0.3}
        for kind, chance, names in (
            ("user_id", 0.4, [f"u{one}" for one in range(9)]),
            ("email", 0.4, [f"p{one}@{random.choice(['acme.com', 'beta.io', 'gmail.com'])}" for one in range(9)]),
            ("phone", 0.2, [f"+4930123456{one}" for one in range(5)]),
            ("anonymous_id", 0.6, [f"a{one}" for one in range(20)]),
        ):
            if random.random() < chance:
                told[kind] = random.choice(names)
        if random.random() < 0.1:
            told |= {"user_id": random.choice(["u1", "u2", "u3"]), "previous": random.choice(["a1", "u1", "u9"])}
        if random.random() < 0.2:
            domain_name = random.choice([None, "acme.com", "beta.io"])
            told["account"] = AccountClaim(
                group_id=random.choice([None, "g1", "g2"]), domain=domain_name, name=random.choice([None, "Acme"])
            )
        if random.random() < 0.3:
            told["context"] = {
                "consent": random.choice([{"newsletter": "on"}, {"emailOptOut": "1"}, {"marketing_consent": "yes"}])
            }
            told["occurred_at"] = DAWN - timedelta(hours=random.randrange(5))
        captures.append(a_capture(number, **told))
    return captures


@pytest.mark.parametrize("seed", range(4))
async def test_the_store_keeps_and_loads_what_the_domain_needs(shelf: StoredWorld, seed: int) -> None:
    world, story = World(), a_story(seed)
    for start in range(0, len(story), 7):
        world.hears(*story[start : start + 7])
        await shelf.hears(*story[start : start + 7])
    assert await shelf.fragments() == {one: redirected(world, fragment) for one, fragment in world.fragments.items()}
    assert await shelf.links() == world.links
    assert [event.body() for event in shelf.said] == [event.body() for event in world.said]
    async with shelf.database.read() as session:
        accounts = await queries.find_accounts(session, {}, None, "", 1000)
        refusals = await queries.refusals_of(session, list(world.fragments))
    assert await shelf.consents() == world.consents
    assert len(world.consents) > 20
    assert {part.account_id: part for one in accounts for part in one.parts} == world.accounts
    assert {row["refusal_id"] for row in refusals} == set(world.refusals)


@pytest.mark.parametrize("seed", range(4))
async def test_a_merge_that_is_cut_leaves_the_store_as_if_it_had_never_been(shelf: StoredWorld, seed: int) -> None:
    control, story = World(), a_story(100 + seed, 60)
    control.hears(*story)
    await shelf.hears(*story[:30])
    before = sorted({one.person_id for one in (await shelf.fragments()).values()})
    link_id = await shelf.merges(before[0], before[-1])
    for start in range(30, 60, 6):
        await shelf.hears(*story[start : start + 6])
    links = await shelf.links()
    await shelf.cuts(links[link_id])
    kept = {one: grouping(fragment) for one, fragment in (await shelf.fragments()).items()}
    assert kept == {one: grouping(redirected(control, fragment)) for one, fragment in control.fragments.items()}
    assert {key: link for key, link in (await shelf.links()).items() if not link.is_manual} == control.links
    assert await shelf.consents() == control.consents


async def test_what_a_human_cut_is_remembered_by_the_store(shelf: StoredWorld) -> None:
    await shelf.hears(a_capture(1, user_id="u1", anonymous_id="a1"), a_capture(2, user_id="u1", email="ann@acme.com"))
    link = next(link for link in (await shelf.links()).values() if link.created_at == DAWN + timedelta(seconds=1))
    await shelf.cuts(link)
    await shelf.hears(a_capture(3, email="ann@acme.com", anonymous_id="a1"))
    fragments = {(one.kind, one.value): one.person_id for one in (await shelf.fragments()).values()}
    assert fragments["email", "ann@acme.com"] == fragments["user_id", "u1"] != fragments["anonymous_id", "a1"]


async def test_a_mark_is_kept_and_outlives_what_is_captured_afterwards(shelf: StoredWorld) -> None:
    await shelf.hears(a_capture(1, user_id="u1", anonymous_id="a1"))
    (oldest, *_) = sorted(await shelf.fragments())
    await shelf.marks(with_prefix("per", oldest), is_test=True)
    await shelf.hears(
        a_capture(2, user_id="u1", email="ann@acme.com"), a_capture(0, phone="+49301234567", user_id="u1")
    )
    marked = [one for one in (await shelf.fragments()).values() if one.is_marked]
    assert [(one.fragment_id, one.marked_by, one.marked_at) for one in marked] == [
        (oldest, "usr_ada", DAWN + timedelta(days=1))
    ]
    await shelf.marks(with_prefix("per", oldest), is_test=False)
    assert not any(one.is_marked for one in (await shelf.fragments()).values())


async def test_a_store_of_before_keeps_its_fragments_and_takes_marks_and_consent(store_url: str) -> None:
    """What was recognized under the first version of the tables is there under the second, unmarked."""
    await prepare(store_url, "services.identity.migrations")
    database = Database(store_url)
    columns = "fragment_id, kind, value, cluster_id, person_id, graph_version, created_at, source_id, is_test"
    moment = DAWN.isoformat(timespec="microseconds")
    async with database.begin() as session:
        row = f"'frg_1', 'user_id', 'u1', 'frg_1', 'per_1', 1, '{moment}', 'src_web', false"
        await session.execute(text(f"INSERT INTO fragment ({columns}) VALUES ({row})"))
    shelf = StoredWorld(database)
    await shelf.hears(a_capture(1, user_id="u1", context={"consent": {"newsletter": "on"}}))
    await shelf.marks("per_1", is_test=True)
    (fragment,) = (await shelf.fragments()).values()
    assert (fragment.fragment_id, fragment.is_marked) == ("frg_1", True)
    assert [(one.fragment_id, one.channel.value) for one in await shelf.consents()] == [("frg_1", "email")]
    await database.close()


async def test_consent_of_before_holds_is_seen_and_is_written_anew_once_it_is_touched(store_url: str) -> None:
    """Rows of the release before, and what a process of it that still runs writes, count as what they are."""
    await prepare(store_url, "services.identity.migrations")
    database = Database(store_url)
    shelf = StoredWorld(database)
    await shelf.hears(*(a_capture(number, user_id=f"u{number}") for number in (1, 2, 3)))
    by_name = {one.value: one.fragment_id for one in (await shelf.fragments()).values()}
    columns = "fragment_id, channel, consent, interaction_id, source_id, occurred_at, wording, strength"
    moment = DAWN.isoformat(timespec="microseconds")
    said = {"u1": ("withdrawn", "verified"), "u2": ("granted", "claimed"), "u3": ("granted", "manual")}
    async with database.begin() as session:
        for name, (consent, strength) in said.items():
            row = f"'{by_name[name]}', 'email', '{consent}', 'int_{name}', 'src_1', '{moment}', 'so', '{strength}'"
            await session.execute(text(f"INSERT INTO consent ({columns}) VALUES ({row})"))
    assert {one.kind.value for one in await shelf.consents()} == {"withdrawal", "claimed", "trusted"}
    grants: dict[str, Any] = {"context": {"consent": {"newsletter": "on"}}}
    await shelf.hears(*(a_capture(number, user_id=f"u{number}", **grants) for number in (11, 12, 13)))
    await shelf.hears(a_capture(21, user_id="u1", **grants), a_capture(22, user_id="u2", name="Unsubscribed"))
    known = await shelf.consents()
    told = {name: answers(one for one in known.values() if one.fragment_id == by_name[name]) for name in said}
    assert [told[name][ConsentChannel.EMAIL].consent.value for name in ("u1", "u2", "u3")] == [
        "withdrawn",
        "withdrawn",
        "granted",
    ]
    assert told["u1"][ConsentChannel.EMAIL].deciding.interaction_id == "int_u1"
    async with database.read() as session:
        former = {
            row.fragment_id: row.consent
            for row in await session.execute(text("SELECT fragment_id, consent FROM consent"))
        }
        history, kept = await queries.consent_history(session, list(by_name.values()), 10)
    assert former[by_name["u1"]] == former[by_name["u2"]] == "withdrawn"  # what a process of before answers by
    assert len(history) == kept == 2  # statements of before the history stand in what decides alone
    await database.close()


async def test_refusals_and_remarks_are_counted(shelf: StoredWorld) -> None:
    await shelf.hears(a_capture(1, user_id="u1", anonymous_id="a1"))
    for number in range(2, 5):
        await shelf.hears(
            *(a_capture(10 * number + one, user_id="u2", anonymous_id="a1", email="nobody") for one in range(2))
        )
    ids = list(await shelf.fragments())
    async with shelf.database.read() as session:
        (refusal,) = await queries.refusals_of(session, ids)
        (remark,) = await queries.remarks_of(session, ids)
    assert (refusal["reason"], refusal["times"], refusal["first_at"]) == (
        "two_user_ids",
        6,
        DAWN + timedelta(seconds=20),
    )
    assert (remark["kind"], remark["reason"], remark["times"]) == ("email", "not_an_email", 6)


async def test_shards_that_see_one_name_at_once_end_with_one_fragment(postgres_url: str) -> None:
    await prepare(postgres_url, "services.identity.migrations")
    database = Database(postgres_url)
    shards = [StoredWorld(database), StoredWorld(database)]

    async def tell(shard: StoredWorld, number: int) -> None:
        captures = [
            a_capture(100 * number + one, user_id=f"u{one % 5}", anonymous_id=f"a{number}-{one}") for one in range(20)
        ]
        while True:
            try:
                return await shard.hears(*captures)
            except Exception as error:
                if not database.is_transient(error) and not database.is_conflict(error):
                    raise

    await asyncio.gather(*(tell(shards[number % 2], number) for number in range(8)))
    fragments = await shards[0].fragments()
    groups = components(fragments, [link.pair for link in (await shards[0].links()).values() if link.is_live])
    assert len(fragments) == 5 + 8 * 20
    assert len(groups) == 5
    for group in groups:
        assert {fragments[one].person_id for one in group} == {person_of(group[0])}
    await database.close()


async def test_people_who_are_merged_while_a_shard_waits_for_them_are_locked_as_one(postgres_url: str) -> None:
    await prepare(postgres_url, "services.identity.migrations")
    database = Database(postgres_url)
    shelf = StoredWorld(database)
    await shelf.hears(a_capture(1, user_id="u1"), a_capture(2, user_id="u2"))
    claims = read_captures([a_capture(3, user_id="u1")], RULES.region)

    has_both, may_end = asyncio.Event(), asyncio.Event()

    async def take_both() -> IdentityWorkspace:
        async with database.begin() as session:
            known = await load.for_claims(session, claims)
            has_both.set()
            await may_end.wait()
            return known

    async with database.begin() as session:
        fragments = await load.lock_people(session, list(await shelf.fragments()))
        one, other = ([fragment] for fragment in sorted(fragments, key=lambda each: each.fragment_id))
        await write.regrouping(session, merge_by_hand(one, other, HumanDecision("usr_ada", DAWN, "they said so")))
        waiting = asyncio.create_task(take_both())
        await eventually(lambda: somebody_waits(database))
    await asyncio.wait_for(has_both.wait(), 5)
    async with database.begin() as session:
        assert list(await session.scalars(text("SELECT fragment_id FROM fragment FOR UPDATE SKIP LOCKED"))) == []
    may_end.set()
    known = await waiting
    assert {fragment.value for fragment in known.graph.fragments.values()} == {"u1", "u2"}
    await database.close()


async def somebody_waits(database: Database) -> bool:
    """Whether a transaction on this PostgreSQL server waits for a row that another one holds."""
    async with database.read() as session:
        return bool(await session.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")))


def redirected(world: World, fragment: Fragment) -> Fragment:
    """The store writes the surviving account onto fragments at once; the memory keeps what was first said."""
    account_id = fragment.account_id
    while account_id and world.accounts[account_id].survivor_id:
        account_id = world.accounts[account_id].survivor_id
    return fragment._replace(account_id=account_id)


def grouping(fragment: Fragment) -> tuple[Any, ...]:
    return (
        fragment.cluster_id,
        fragment.person_id,
        fragment.kind,
        fragment.value,
        fragment.account_id,
        fragment.created_at,
    )
