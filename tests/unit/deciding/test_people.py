"""Who is who: placements come in any order, twice, and late; the newest grouping wins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData

from chassis.store.database import Database
from contracts.envelope import Meta
from contracts.events.identity import PersonMerged, PersonPart, PersonSplit
from contracts.values import Strength
from deciding.people import Placement, newer, placements_of
from deciding.store.people import fragment_table, learn, load_fragments_of, survivors

_META = Meta(event_id="evt_1", at=datetime(2026, 3, 2, tzinfo=UTC), correlation_id="cap_1")
METADATA = MetaData()
FRAGMENTS = fragment_table(METADATA)

MERGED = PersonMerged(
    meta=_META,
    person_id="per_A",
    absorbed_person_ids=("per_B",),
    fragment_ids=("frg_A", "frg_B"),
    graph_version=5,
    strength=Strength.MANUAL,
    sentence="One person.",
)
SPLIT = PersonSplit(
    meta=_META,
    person_id="per_A",
    parts=(
        PersonPart(person_id="per_A", fragment_ids=("frg_A",), graph_version=7),
        PersonPart(person_id="per_B", fragment_ids=("frg_B",), graph_version=7),
    ),
    graph_version=7,
    sentence="Two people.",
)


@pytest_asyncio.fixture
async def store(database: Database) -> Database:
    async with database.begin() as session:
        await (await session.connection()).run_sync(METADATA.create_all)
    return database


@given(st.permutations([(1, "per_A"), (2, "per_B"), (3, "per_A"), (3, "per_A")]))
def test_the_newest_grouping_wins_in_whatever_order_it_is_told(told: Sequence[tuple[int, str]]) -> None:
    known: dict[str, Placement] = {}
    for version, person_id in told:
        known |= newer(known, {"frg_A": Placement(person_id, version)})
    assert known == {"frg_A": Placement("per_A", 3)}


async def test_an_absorbed_person_answers_with_the_survivor_until_the_split(store: Database) -> None:
    async with store.begin() as session:
        await learn(session, FRAGMENTS, {"frg_A": Placement("per_A", 1), "frg_B": Placement("per_B", 1)})
        await learn(session, FRAGMENTS, placements_of(MERGED))
    async with store.read() as session:
        assert await survivors(session, FRAGMENTS, ["per_A", "per_B", "per_C"]) == {"per_A": "per_A", "per_B": "per_A"}
        assert await load_fragments_of(session, FRAGMENTS, ["per_A", "per_B"]) == {"per_A": ["frg_A", "frg_B"], "per_B": []}
    async with store.begin() as session:
        await learn(session, FRAGMENTS, placements_of(SPLIT))
        await learn(session, FRAGMENTS, placements_of(MERGED))  # late: an older grouping says nothing
    async with store.read() as session:
        assert await survivors(session, FRAGMENTS, ["per_A", "per_B"]) == {"per_A": "per_A", "per_B": "per_B"}


async def test_who_learns_is_told_where_everything_belongs_now(store: Database) -> None:
    async with store.begin() as session:
        await learn(session, FRAGMENTS, placements_of(MERGED))
        owners = await learn(session, FRAGMENTS, {"frg_B": Placement("per_B", 2), "frg_C": Placement("per_C", 2)})
    assert {fragment_id: placement.person_id for fragment_id, placement in owners.items()} == {"frg_B": "per_A", "frg_C": "per_C"}
