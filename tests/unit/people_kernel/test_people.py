"""Who is who: placements come in any order, twice, and late; the newest grouping wins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData

from chassis.store.database import Database
from chassis.store.session import Session
from contracts.envelope import Meta
from contracts.events.identity import PersonMerged, PersonPart, PersonSplit
from contracts.values import Strength
from people_kernel.people import Placement, Placements, newer, placements_at_rest, placements_of
from people_kernel.store.people import fragment_table, load_fragments_of, load_placements, save_placements, survivors
from people_kernel.workspace import Pages, PlacedWorkspace

_META = Meta(event_id="evt_1", at=datetime(2026, 3, 2, tzinfo=UTC), correlation_id="cap_1")
METADATA = MetaData()
A, B, C = ("per_" + letter * 26 for letter in "ABC")
FA, FB, FC = ("frg_" + letter * 26 for letter in "ABC")
FRAGMENTS = fragment_table(METADATA)

MERGED = PersonMerged(
    meta=_META,
    person_id=A,
    absorbed_person_ids=(B,),
    fragment_ids=(FA, FB),
    graph_version=5,
    strength=Strength.MANUAL,
    sentence="One person.",
)
SPLIT = PersonSplit(
    meta=_META,
    person_id=A,
    parts=(
        PersonPart(person_id=A, fragment_ids=(FA,), graph_version=7),
        PersonPart(person_id=B, fragment_ids=(FB,), graph_version=7),
    ),
    graph_version=7,
    sentence="Two people.",
)


@pytest_asyncio.fixture
async def store(database: Database) -> Database:
    async with database.connection() as connection, connection.begin():
        await connection.run_sync(METADATA.create_all)
    return database


@given(st.permutations([(1, A), (2, B), (3, A), (3, A)]))
def test_the_newest_grouping_wins_in_whatever_order_it_is_told(told: Sequence[tuple[int, str]]) -> None:
    known: dict[str, Placement] = {}
    for version, person_id in told:
        known |= newer(known, {FA: Placement(person_id, version)})
    assert known == {FA: Placement(A, 3)}


async def learn(session: Session, told: Placements) -> dict[str, Placement]:
    """As services do: known placements are loaded, what is news is written."""
    workspace = PlacedWorkspace(placements=Pages(await load_placements(session, FRAGMENTS, told.keys())))
    workspace.place(told)
    await save_placements(session, FRAGMENTS, workspace.placements.changed)
    return workspace.placements


async def test_an_absorbed_person_answers_with_the_survivor_until_the_split(store: Database) -> None:
    async with store.begin() as session:
        await learn(session, {FA: Placement(A, 1), FB: Placement(B, 1)})
        await learn(session, placements_of(MERGED))
    async with store.read() as session:
        assert await survivors(session, FRAGMENTS, [A, B, "nobody"]) == {A: A, B: A}
        assert await load_fragments_of(session, FRAGMENTS, [A, B]) == {A: [FA, FB], B: []}
    async with store.begin() as session:
        await learn(session, placements_of(SPLIT))
        await learn(session, placements_of(MERGED))  # late: an older grouping says nothing
    async with store.read() as session:
        assert await survivors(session, FRAGMENTS, [A, B]) == {A: A, B: B}


async def test_who_learns_is_told_where_everything_belongs_now(store: Database) -> None:
    async with store.begin() as session:
        await learn(session, placements_of(MERGED))
        owners = await learn(session, {FB: Placement(B, 2), FC: Placement(C, 2)})
    assert {fragment_id: placement.person_id for fragment_id, placement in owners.items()} == {FB: A, FC: C}


async def test_a_fragment_of_which_nothing_is_written_is_a_person_of_its_own(store: Database) -> None:
    async with store.begin() as session:
        await learn(session, {FB: Placement(A, 2)})
    async with store.read() as session:
        assert await survivors(session, FRAGMENTS, [A, B, C]) == {A: A, B: A, C: C}
        assert await load_fragments_of(session, FRAGMENTS, [A, B, C]) == {A: [FA, FB], B: [], C: [FC]}


def test_only_what_would_not_hold_by_default_must_be_written() -> None:
    told = {FA: Placement(A, 3), FB: Placement(B, 3), FC: Placement(A, 3)}
    assert placements_at_rest(told, known={}, kept=set()) == {FC: Placement(A, 3)}
    assert placements_at_rest(told, known={}, kept={A}).keys() == {FA, FC}
    assert placements_at_rest(told, known={FB: Placement(A, 2)}, kept=set()).keys() == {FB, FC}
    assert placements_at_rest(told, known={}, kept=set(), regrouped={FA, FB}) == told
