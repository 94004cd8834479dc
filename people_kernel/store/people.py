"""The tables that services have of people: cards and placements (`people_kernel.people`), and receipts.

Receipts are written once, hung on fragments, and read for whoever owns the fragments now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import BigInteger, Boolean, Column, Index, MetaData, Select, String, Table, Text, and_, or_, select
from sqlalchemy.schema import SchemaItem
from sqlalchemy.sql.elements import ColumnElement

from chassis.store.batch import among, insert_or_skip, one_of, rows_by, upsert
from chassis.store.columns import UtcDateTime
from chassis.store.session import Session
from contracts.ids import is_id, with_prefix
from contracts.values import Receipt, Scores
from people_kernel.people import Card, Placement, Placements, own
from people_kernel.profile import attributes_from_text, attributes_to_text

_HIGHLIGHTS = TypeAdapter(tuple[Receipt, ...])


def card_table(metadata: MetaData) -> Table:
    """The table `card`."""
    return Table(
        "card",
        metadata,
        Column("person_id", String, primary_key=True),
        Column("attributes", Text, nullable=False),
        Column("scores", Text, nullable=True),
        Column("highlights", Text, nullable=False),
        Column("is_test", Boolean, nullable=False),
    )


async def load_cards(session: Session, table: Table, person_ids: Collection[str]) -> dict[str, Card]:
    """Those that are known."""
    rows = await session.execute(rows_by(table.c.person_id), {"keys": person_ids})
    return {row.person_id: _card_of(row) for row in rows}


async def save_cards(session: Session, table: Table, cards: Iterable[Card]) -> None:
    """Write them, new or known."""
    await upsert(session, table, [_card_row(card) for card in cards])


def _card_row(card: Card) -> dict[str, Any]:
    return {
        "person_id": card.person_id,
        "attributes": attributes_to_text(card.attributes),
        "scores": None if card.scores is None else card.scores.model_dump_json(),
        "highlights": _HIGHLIGHTS.dump_json(card.highlights).decode(),
        "is_test": card.is_test,
    }


def _card_of(row: Any) -> Card:
    scores = None if row.scores is None else Scores.model_validate_json(row.scores)
    return Card(
        row.person_id,
        attributes_from_text(row.attributes),
        scores,
        _HIGHLIGHTS.validate_json(row.highlights),
        row.is_test,
    )


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


async def survivors(session: Session, table: Table, person_ids: Iterable[str]) -> dict[str, str]:
    """Asked id -> the person who answers to it: the same, or the one who absorbed it.

    What is no id of a person is left out.

    Nothing is written of strangers, so an id that nobody has answers like theirs: identity knows which there are.
    """
    by_fragment = {with_prefix("frg", person_id): person_id for person_id in person_ids if is_id("per", person_id)}
    known = await load_placements(session, table, list(by_fragment))
    return {
        person_id: known.get(fragment_id, own(fragment_id)).person_id for fragment_id, person_id in by_fragment.items()
    }


def receipt_table(metadata: MetaData) -> Table:
    """The table `receipt`: (receipt_id, fragment_id, at, body)."""
    return Table(
        "receipt",
        metadata,
        Column("receipt_id", String, primary_key=True),
        Column("fragment_id", String, nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Column("body", Text, nullable=False),
        Index("receipt_timeline", "fragment_id", "at", "receipt_id"),
    )


async def save_receipts(session: Session, table: Table, receipts: Iterable[Receipt]) -> None:
    """Writes those that are not there yet."""
    rows = {
        receipt.receipt_id: {
            "receipt_id": receipt.receipt_id,
            "fragment_id": receipt.fragment_id,
            "at": receipt.at,
            "body": receipt.model_dump_json().replace("\\u0000", ""),
        }
        for receipt in receipts
    }
    await insert_or_skip(session, table, list(rows.values()))


async def find_receipt(session: Session, table: Table, receipt_id: str) -> Receipt | None:
    """One by its id."""
    body = await session.scalar(select(table.c.body).where(table.c.receipt_id == receipt_id))
    return None if body is None else Receipt.model_validate(orjson.loads(body))


async def load_receipts(
    session: Session, table: Table, fragment_ids: Collection[str], page: tuple[datetime | None, Place | None, int]
) -> list[Receipt]:
    """Receipts on these fragments, newest first. `page`: no later than, after this place, at most so many."""
    until, before, limit = page
    statement = select(table.c.body).where(one_of(table.c.fragment_id, fragment_ids))
    if until is not None:
        statement = statement.where(table.c.at <= until)
    if before is not None:
        statement = statement.where(earlier(table.c.at, table.c.receipt_id, before))
    rows = await session.execute(statement.order_by(table.c.at.desc(), table.c.receipt_id.desc()).limit(limit))
    return [Receipt.model_validate(orjson.loads(row.body)) for row in rows]


Place = tuple[datetime, str]
"""(moment, id) of the last item of a page."""


def earlier(at: ColumnElement[datetime], row_id: ColumnElement[str], place: Place) -> ColumnElement[bool]:
    """The rows that come after `place` where the newest stand first."""
    return or_(at < place[0], and_(at == place[0], row_id < place[1]))
