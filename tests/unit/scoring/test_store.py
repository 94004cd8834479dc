"""The store and the handlers against the pure domain: whatever happens, and however it is cut into batches, both come
to the same.
"""

from __future__ import annotations

import asyncio
import random
import zlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from chassis.context import Context
from chassis.store.database import Database
from chassis.store.migrate import drift
from contracts.envelope import Event
from contracts.events.identity import InteractionRecognized, PersonMarked, PersonMerged, PersonSplit
from contracts.events.scoring import ProfileChanged
from contracts.values import (
    Belonging,
    Identifier,
    IdentifierKind,
    Interaction,
    InteractionKind,
    JsonObject,
    NamedBy,
    SourceKind,
)
from services.scoring.domain.receipts import StoredReceipt
from services.scoring.domain.workspace import Fragment, Person
from services.scoring.events import on_interactions_recognized, on_people_marked, on_people_regrouped
from services.scoring.rulebooks import RulebookJudge, compile_scoring
from services.scoring.store.rows import (
    DICTIONARIES,
    deflated,
    fragment_of,
    fragment_row,
    packed,
    person_of,
    person_row,
    receipt_of,
    to_text,
    unpacked,
)
from services.scoring.store.tables import FRAGMENT, PERSON, RECEIPT, Table
from tests.support.people import at, frg, per
from tests.support.stores import prepare
from tests.unit.scoring.builders import an_interaction, identified, recognized
from tests.unit.scoring.people import Registry
from tests.unit.scoring.world import World

DEFAULT = (Path(__file__).parents[3] / "services" / "scoring" / "rulebooks" / "default.yaml").read_text()
JUDGE = RulebookJudge(compile_scoring(DEFAULT, 1))
PLAIN = DICTIONARIES[1]
TRAITS: list[JsonObject] = [
    {"title": "VP Marketing", "email": "ada@acme.example"},
    {"title": "Praktikant", "email": "ada@gmail.com"},
    {"company": {"name": "Acme", "employees": "201-500", "industry": "Software"}},
    {"budget": "€ 25.000", "authority": "I decide", "timing": "2 months"},
    {"title": "部長", "lastName": "山田", "firstName": "太郎"},
]


def a_fact(rng: random.Random, number: int) -> Interaction:
    when = at(rng.randrange(60), seconds=rng.randrange(3))
    source = rng.choice([SourceKind.WEB, SourceKind.SERVER])
    match rng.randrange(4):
        case 0:
            return identified(rng.choice(TRAITS), when=when, number=number, source_kind=source)
        case 1:
            return an_interaction(
                rng.choice(["Demo Form Submitted", "Whitepaper Downloaded", "Unsubscribed"]), when=when, number=number
            )
        case _:
            path = rng.choice(["/pricing", "/careers", "/blog/a"])
            return an_interaction(
                "Page", when=when, number=number, kind=InteractionKind.PAGE, properties={"path": path}
            )


def a_life(rng: random.Random, length: int) -> list[Event]:
    """What identity may say in the course of a life: facts in any order, some late, merges and splits between."""
    registry = Registry(began=at(60))
    for number in range(length):
        registry.see(a_fact(rng, number), rng.randint(1, 6), delayed=rng.random() < 0.3)
        first, second = frg(rng.randint(1, 6)), frg(rng.randint(1, 6))
        match rng.randrange(8):
            case 0 if {first, second} <= registry.owner.keys():
                registry.merge(first, second)
            case 1 if first in registry.owner and list(registry.owner.values()).count(registry.owner[first]) > 1:
                registry.split(registry.owner[first], [first])
            case 2:
                registry.land()
            case 3 if first in registry.owner:
                registry.mark(registry.owner[first], is_test=rng.random() < 0.6)
    registry.land()
    return registry.told


async def hear(store: Database, events: Sequence[Event]) -> list[Event]:
    """One transaction of consecutive events, handed over as the chassis does."""
    async with store.begin() as session:
        context = Context(session, datetime.now(UTC))
        for kind, grouped in groupby(events, key=type):
            run = list(grouped)
            if kind is InteractionRecognized:
                await on_interactions_recognized(
                    [event for event in run if isinstance(event, InteractionRecognized)], context
                )
            elif kind is PersonMarked:
                await on_people_marked([event for event in run if isinstance(event, PersonMarked)], context)
            else:
                await on_people_regrouped(
                    [event for event in run if isinstance(event, PersonMerged | PersonSplit)], context
                )
        return list(context.said)


async def rows_of(store: Database) -> tuple[dict[str, Fragment], dict[str, Person], dict[str, StoredReceipt]]:
    async with store.read() as session:
        fragments = {row.fragment_id: fragment_of(row) for row in await session.execute(select(FRAGMENT))}
        people = {row.person_id: person_of(row) for row in await session.execute(select(PERSON))}
        receipts = {row.receipt_id: receipt_of(row) for row in await session.execute(select(RECEIPT))}
    return fragments, people, receipts


@pytest.mark.parametrize("seed", range(4))
async def test_the_store_comes_to_what_the_domain_comes_to_however_batches_are_cut(store: Database, seed: int) -> None:
    rng = random.Random(seed)
    events, said = a_life(rng, 60), []
    world = World(JUDGE).hear(events)
    rest = list(events)
    while rest:
        size = rng.choice([1, 3, 10, 40])
        said += await hear(store, rest[:size])
        del rest[:size]
    assert [(event.meta.event_id, event.body()) for event in said] == [
        (event.meta.event_id, event.body()) for event in world.workspace.said
    ]
    fragments, people, receipts = await rows_of(store)
    assert fragments == world.workspace.fragments
    assert people == world.workspace.people
    assert receipts == world.receipts
    assert len(said) > 20


async def test_facts_that_are_known_are_not_recorded_again_under_another_event(store: Database) -> None:
    first = recognized(identified(TRAITS[0], when=at(5), number=1))
    again = first.model_copy(update={"meta": first.meta.model_copy(update={"event_id": "evt_again"})})
    late = recognized(identified(TRAITS[1], when=at(1), number=2))
    await hear(store, [first])
    assert await hear(store, [again]) == []
    said = await hear(store, [again, late])
    world = World(JUDGE).hear([first, late])
    assert [event.body() for event in said] == [event.body() for event in world.workspace.said[2:]]
    assert (await rows_of(store))[2] == world.receipts


async def test_an_event_is_decided_without_reading_what_the_person_did_before(store: Database) -> None:
    """So its cost cannot grow with it: what was done before is not even there any more."""
    before = [
        recognized(identified(TRAITS[0], when=at(0), number=0)),
        *(recognized(a_visit(number)) for number in range(1, 100)),
    ]
    after = [recognized(a_visit(500)), recognized(identified(TRAITS[3], when=at(3), number=501))]
    await hear(store, before)
    async with store.begin() as session:
        await session.execute(text("DELETE FROM fact"))
        await session.execute(text("DELETE FROM receipt"))
    await hear(store, after)
    _, people, receipts = await rows_of(store)
    assert people == World(JUDGE).hear([*before, *after]).workspace.people
    assert len(receipts) == 5


async def test_shards_that_decide_about_one_person_at_once_lose_nothing(store: Database) -> None:
    lanes = [[recognized(a_visit(10 * lane + step), lane, 1) for step in range(5)] for lane in range(1, 5)]
    await asyncio.gather(*(hear_one_by_one(store, lane) for lane in lanes))
    world = World(JUDGE).hear([event for lane in lanes for event in lane])
    _, people, _ = await rows_of(store)
    assert people[per(1)].sums == world.workspace.people[per(1)].sums


async def hear_one_by_one(store: Database, events: Sequence[Event]) -> None:
    for event in events:
        await hear(store, [event])


def a_visit(number: int) -> Interaction:
    path = f"/{number}/pricing"  # each another page: the same one again would count once
    when = at(1, minutes=number)
    return an_interaction("Page", when=when, number=number, kind=InteractionKind.PAGE, properties={"path": path})


async def test_rows_are_canonical_and_read_back_as_they_were_written(store: Database) -> None:
    await hear(store, a_life(random.Random(9), 30))
    async with store.read() as session:
        for row in await session.execute(select(PERSON)):
            assert person_row(person_of(row)) == row._asdict()
            shuffled = person_of(row)
            attributes = dict(reversed(list(shuffled.fit.attributes.items())))
            assert person_row(shuffled._replace(fit=replace(shuffled.fit, attributes=attributes))) == row._asdict()
        for row in await session.execute(select(FRAGMENT)):
            assert fragment_row(fragment_of(row)) == row._asdict()


async def test_marks_of_those_who_have_no_row_are_found_again_and_whoever_takes_an_id_over_is_told_anew(
    store: Database,
) -> None:
    """A mark on a fragment without facts, and the id of somebody absorbed: each batch begins with what the store
    kept.
    """
    registry = Registry(began=at(60))
    registry.see(identified(TRAITS[0], when=at(5), number=1), 1)
    registry.see(identified(TRAITS[2], when=at(5), number=2), 2)
    registry.see(a_visit(3), 3, delayed=True)
    registry.mark(per(3))
    registry.merge(frg(1), frg(2))
    of_marked = recognized(a_visit(4), 4, 3, heard_at=at(61))
    of_absorbed = recognized(a_visit(5), 5, 2, graph_version=7, heard_at=at(61))
    events: list[Event] = [*registry.told, of_marked, of_absorbed]
    said = [event for one in events for event in await hear(store, [one])]
    world = World(JUDGE).hear(events)
    assert [(event.meta.event_id, event.body()) for event in said] == [
        (event.meta.event_id, event.body()) for event in world.workspace.said
    ]
    assert world.workspace.people[per(3)].is_test
    told = [event.attributes for event in said if isinstance(event, ProfileChanged) and event.person_id == per(2)]
    assert [bool(attributes) for attributes in told] == [True, False]
    fragments, people, _ = await rows_of(store)
    assert (fragments, people) == (world.workspace.fragments, world.workspace.people)


async def test_the_migrations_make_the_tables_that_the_code_speaks_of(store_url: str) -> None:
    await prepare(store_url, "services.scoring.migrations")
    assert await drift(store_url, Table.metadata) == []


async def test_whoever_was_known_before_there_were_marks_is_not_marked(store: Database) -> None:
    """Rows of the first version of the tables get along with what later ones add."""
    async with store.begin() as session:
        columns = "fragment_id, person_id, graph_version, sums, latest_at, is_test"
        await session.execute(
            text(f"INSERT INTO fragment ({columns}) VALUES ('{frg(1)}', '{per(1)}', 1, '{{}}', NULL, true)")
        )
    await hear(store, [recognized(a_visit(1))])
    fragments, people, _ = await rows_of(store)
    assert (fragments[frg(1)].is_marked, people[per(1)].is_marked, people[per(1)].is_test) == (False, False, False)


async def test_a_store_of_before_profiles_were_kept_per_fragment_goes_on_as_if_they_always_had_been(
    store: Database,
) -> None:
    registry = Registry(began=at(60))
    for number, (traits, fragment) in enumerate([(TRAITS[0], 1), (TRAITS[2], 1), (TRAITS[1], 2), (TRAITS[4], 2)]):
        registry.see(identified(traits, when=at(50 + number), number=number), fragment)
    registry.see(an_interaction("Demo Form Submitted", when=at(55), number=8), 2)
    before = list(registry.told)
    registry.merge(frg(1), frg(2))
    registry.see(identified(TRAITS[3], when=at(1), number=9), 1)
    registry.split(per(1), [frg(2)])
    await hear(store, before)
    await make_old(store, [event for event in before if isinstance(event, InteractionRecognized)])
    said = [event for one in registry.told[len(before) :] for event in await hear(store, [one])]
    world = World(JUDGE).hear(before)
    heard = len(world.workspace.said)
    world.hear(registry.told)
    assert [(event.meta.event_id, event.body()) for event in said] == [
        (event.meta.event_id, event.body()) for event in world.workspace.said[heard:]
    ]
    assert await rows_of(store) == (world.workspace.fragments, world.workspace.people, world.receipts)


async def make_old(store: Database, events: Sequence[InteractionRecognized]) -> None:
    """Rows as they were written before migration 3."""
    async with store.begin() as session:
        nothing = "attributes = NULL, fit_version = NULL, last_trait_at = NULL, last_trait_id = NULL, written = NULL"
        await session.execute(text(f"UPDATE fragment SET {nothing}, is_complete = false"))
        for event in events:
            body = {"id": event.interaction.interaction_id, "body": event.interaction.model_dump_json()}
            await session.execute(text("UPDATE fact SET packed = NULL, body = :body WHERE interaction_id = :id"), body)
        for row in await session.execute(select(FRAGMENT)):
            sums = to_text({str(half_life): format(total, "x") for half_life, total in fragment_of(row).sums.items()})
            await session.execute(
                text("UPDATE fragment SET sums = :sums WHERE fragment_id = :id"), {"sums": sums, "id": row.fragment_id}
            )


_phrases = st.sampled_from(
    [PLAIN[begin : begin + length] for begin in range(0, len(PLAIN), 7) for length in (3, 12, 40)]
)


@given(st.lists(_phrases | st.binary(max_size=12), max_size=90).map(b"".join))
def test_a_small_state_finds_what_a_large_one_does(words: bytes) -> None:
    large = zlib.compressobj(6, wbits=-15, zdict=PLAIN)
    assert deflated(words) == large.compress(words) + large.flush()


def test_an_interaction_is_unpacked_as_it_was_packed() -> None:
    bare = an_interaction("x", number=1)
    full = identified(
        {"a": [1, None, "\0"]},
        number=2,
        properties={"p": {"q": "\u2028"}},
        context={"ip": "::1"},
        extra={"e": 1},
        is_test=True,
    )
    for interaction in (bare, full, full.model_copy(update={"interaction_id": 'int_"\\'})):
        assert unpacked(interaction.interaction_id, packed(interaction)) == interaction


async def test_a_profile_that_learns_something_late_keeps_account_and_user_id(store: Database) -> None:
    known: dict[str, Any] = {
        "identifiers": (Identifier(kind=IdentifierKind.USER_ID, value="u1"),),
        "belonging": Belonging(account_id="acc_acme", named_by=NamedBy.NAME),
    }
    late = recognized(identified({"city": "Rome"}, when=at(1), number=2))
    await hear(store, [recognized(identified(TRAITS[0], when=at(5), number=1), **known)])
    await hear(store, [late])
    (person,) = (await rows_of(store))[1].values()
    assert [person.fit.attributes[name].value for name in ("account_id", "user_id", "city")] == [
        "acc_acme",
        "u1",
        "Rome",
    ]


async def test_one_version_decides_at_a_time(store: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)unique"):
        async with store.begin() as session:
            await session.execute(
                text(
                    "INSERT INTO rulebook (version, digest, state, document, created_at, created_by)"
                    " VALUES (2, 'x', 'active', 'x', '2026-01-01 00:00:00', 'x')"
                )
            )


async def test_a_fade_timer_is_set_moves_with_a_merge_and_goes_with_the_person(store: Database) -> None:
    registry = Registry(began=at(60))
    registry.see(a_visit(1), 1)
    registry.see(an_interaction("Demo Form Submitted", when=at(59), number=2), 2)
    # the first one's engagement is in the lowest row already
    assert await alarms(store, registry.told) == {per(2): True}
    registry.merge(frg(1), frg(2))
    assert await alarms(store, registry.told[2:]) == {per(1): True, per(2): False}
    registry.see(an_interaction("Unsubscribed", when=at(58), number=3), 1)
    registry.see(an_interaction("Unsubscribed", when=at(60), number=4), 1)
    assert await alarms(store, registry.told[3:]) == {per(1): False}  # nothing is left that could fade


async def alarms(store: Database, events: Sequence[Event]) -> dict[str, bool]:
    """Person -> whether a timer was set (else cancelled) in the transaction of `events`."""
    async with store.begin() as session:
        context = Context(session, datetime.now(UTC))
        run = [event for event in events if isinstance(event, InteractionRecognized)]
        await on_interactions_recognized(run, context)
        await on_people_regrouped([event for event in events if isinstance(event, PersonMerged)], context)
        return {person_id: alarm is not None for (_, person_id), alarm in context.timers.items()}
