"""The table of who is who (`people_kernel.placements`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Select, String, Table, or_, select
from sqlalchemy.schema import SchemaItem

from chassis.store.batch import upsert
from chassis.store.membership import among, rows_by
from chassis.store.session import Session
from contracts.ids import is_id, with_prefix
from people_kernel.placements import Placement, Placements, newer, own
from people_kernel.store.locks import lock


def fragment_table(metadata: MetaData, *more: SchemaItem) -> Table:
    """The table `fragment`: (fragment_id, person_id, graph_version); with `more` columns come the indexes as well."""
    return Table(
        "fragment",
        metadata,
        Column("fragment_id", String, primary_key=True),
        Column("person_id", String, nullable=False, index=not more),
        Column("graph_version", BigInteger, nullable=False),
        *more,
    )


async def load_placements(session: Session, table: Table, fragment_ids: Collection[str]) -> dict[str, Placement]:
    """Those that are known."""
    rows = await session.execute(rows_by(table.c.fragment_id), {"keys": fragment_ids})
    return {row.fragment_id: Placement(row.person_id, row.graph_version) for row in rows}


async def load_fragments_of(session: Session, table: Table, person_ids: Collection[str]) -> dict[str, list[str]]:
    """Person -> fragments, in order; somebody of whom nothing was written has the one that their id names."""
    named = {with_prefix("frg", person_id): person_id for person_id in person_ids}
    rows = await session.execute(_held_or_named(table), {"person_ids": person_ids, "fragment_ids": named.keys()})
    owner = named | {row.fragment_id: row.person_id for row in rows}
    owned: dict[str, list[str]] = {person_id: [] for person_id in person_ids}
    for fragment_id, person_id in sorted(owner.items()):
        if person_id in owned:
            owned[person_id].append(fragment_id)
    return owned


@lru_cache(maxsize=16)
def _held_or_named(table: Table) -> Select[Any]:
    concerned = or_(among(table.c.person_id, "person_ids"), among(table.c.fragment_id, "fragment_ids"))
    return select(table.c.fragment_id, table.c.person_id).where(concerned)


async def save_placements(session: Session, table: Table, placements: Placements) -> None:
    """Write what `newer` found."""
    rows = [
        {"fragment_id": fragment_id, "person_id": placement.person_id, "graph_version": placement.graph_version}
        for fragment_id, placement in placements.items()
    ]
    await upsert(session, table, rows)


async def learn(session: Session, table: Table, told: Placements) -> dict[str, Placement]:
    """Takes in what was told and answers where each of these fragments belongs now (the newest grouping
    wins, also between two streams at once).
    """
    await lock(session, told.keys())
    known = await load_placements(session, table, list(told))
    news = newer(known, told)
    await save_placements(session, table, news)
    return known | news


async def survivors(session: Session, table: Table, person_ids: Iterable[str]) -> dict[str, str]:
    """Asked id -> the person who answers to it: the same, or the one who absorbed
    it. What is no id of a person is left out.

    Nothing is written of strangers, so an id that nobody has answers like theirs: identity knows which there are.
    """
    by_fragment = {with_prefix("frg", person_id): person_id for person_id in person_ids if is_id("per", person_id)}
    known = await load_placements(session, table, list(by_fragment))
    return {
        person_id: known.get(fragment_id, own(fragment_id)).person_id for fragment_id, person_id in by_fragment.items()
    }
