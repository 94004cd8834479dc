"""The table of who is who (`deciding.people`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import BigInteger, Column, MetaData, String, Table, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.store.batch import one_of, upsert
from contracts.ids import with_prefix
from deciding.people import Placement, Placements, newer
from deciding.store.locks import lock


def fragment_table(metadata: MetaData) -> Table:
    """The table `fragment`: (fragment_id, person_id, graph_version)."""
    return Table(
        "fragment",
        metadata,
        Column("fragment_id", String, primary_key=True),
        Column("person_id", String, nullable=False, index=True),
        Column("graph_version", BigInteger, nullable=False),
    )


async def load_placements(session: AsyncSession, table: Table, fragment_ids: Collection[str]) -> dict[str, Placement]:
    """Those that are known."""
    rows = await session.execute(select(table).where(one_of(session, table.c.fragment_id, fragment_ids)))
    return {row.fragment_id: Placement(row.person_id, row.graph_version) for row in rows}


async def load_fragments_of(session: AsyncSession, table: Table, person_ids: Collection[str]) -> dict[str, list[str]]:
    """Person -> fragments, in order; people of whom nothing is known have none."""
    owned: dict[str, list[str]] = {person_id: [] for person_id in person_ids}
    rows = await session.execute(
        select(table.c.person_id, table.c.fragment_id).where(one_of(session, table.c.person_id, person_ids)).order_by(table.c.fragment_id)
    )
    for row in rows:
        owned[row.person_id].append(row.fragment_id)
    return owned


async def save_placements(session: AsyncSession, table: Table, placements: Placements) -> None:
    """Write what `newer` found."""
    rows = [
        {"fragment_id": fragment_id, "person_id": placement.person_id, "graph_version": placement.graph_version}
        for fragment_id, placement in placements.items()
    ]
    await upsert(session, table, rows)


async def learn(session: AsyncSession, table: Table, told: Placements) -> dict[str, Placement]:
    """Takes in what was told and answers where each of these fragments belongs now (the newest grouping wins, also between two streams at once)."""
    await lock(session, told.keys())
    known = await load_placements(session, table, list(told))
    news = newer(known, told)
    await save_placements(session, table, news)
    return known | news


async def survivors(session: AsyncSession, table: Table, person_ids: Iterable[str]) -> dict[str, str]:
    """Asked id -> the person who answers to it: the same, or the one who absorbed it. Unknown ids are left out."""
    by_fragment = {with_prefix("frg", person_id): person_id for person_id in person_ids if person_id.startswith("per_")}
    known = await load_placements(session, table, list(by_fragment))
    return {by_fragment[fragment_id]: placement.person_id for fragment_id, placement in known.items()}
