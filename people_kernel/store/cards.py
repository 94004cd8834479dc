"""The table of cards (`people_kernel.cards`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Boolean, Column, MetaData, String, Table, Text

from chassis.store.batch import upsert
from chassis.store.membership import rows_by
from chassis.store.session import Session
from contracts.events.scoring import Attribute
from contracts.values import Receipt, Scores, Strength
from people_kernel.cards import Card
from people_kernel.profile import Attributes

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


_STRENGTHS: Final = {one.value: one for one in Strength}  # a third of what `Strength(...)` costs


def attributes_to_text(attributes: Attributes) -> str:
    """`{name: [value, strength, source, interaction, moment]}` as canonical JSON."""
    written = {
        name: [one.value, one.strength.value, one.source_id, one.interaction_id, one.occurred_at.isoformat()]
        for name, one in attributes.items()
    }
    return orjson.dumps(written, option=orjson.OPT_SORT_KEYS).decode()


def attributes_from_text(text: str) -> dict[str, Attribute]:
    """The profile that `attributes_to_text` wrote."""
    # validated, though what is read was checked when it was written:
    # `model_construct` is Python, and takes five times as long
    return {
        name: Attribute(
            value=value,
            strength=_STRENGTHS[strength],
            source_id=source_id,
            interaction_id=interaction_id,
            occurred_at=datetime.fromisoformat(occurred_at),
        )
        for name, (value, strength, source_id, interaction_id, occurred_at) in orjson.loads(text).items()
    }
