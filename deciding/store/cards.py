"""The table of cards (`deciding.cards`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Boolean, Column, MetaData, String, Table, Text, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.store.batch import one_of, upsert
from contracts.events.scoring import Attribute
from contracts.values import Receipt, Scores, Strength
from deciding.cards import Card


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


async def load_cards(session: AsyncSession, table: Table, person_ids: Collection[str]) -> dict[str, Card]:
    """Those that are known."""
    rows = await session.execute(select(table).where(one_of(session, table.c.person_id, person_ids)))
    return {row.person_id: _card_of(row) for row in rows}


async def save_cards(session: AsyncSession, table: Table, cards: Iterable[Card]) -> None:
    """Write them, new or known."""
    await upsert(session, table, [_card_row(card) for card in cards])


def _card_row(card: Card) -> dict[str, Any]:
    attributes = {
        name: [one.value, one.strength.value, one.source_id, one.interaction_id, one.occurred_at.isoformat()] for name, one in card.attributes.items()
    }
    return {
        "person_id": card.person_id,
        "attributes": orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode(),
        "scores": None if card.scores is None else card.scores.model_dump_json(),
        "highlights": orjson.dumps([receipt.model_dump(mode="json") for receipt in card.highlights]).decode(),
        "is_test": card.is_test,
    }


def _card_of(row: Any) -> Card:
    attributes = {
        # model_construct: what is read was checked when it was written, and cards are read at every event
        name: Attribute.model_construct(
            value=value,
            strength=Strength(strength),
            source_id=source_id,
            interaction_id=interaction_id,
            occurred_at=datetime.fromisoformat(occurred_at),
        )
        for name, (value, strength, source_id, interaction_id, occurred_at) in orjson.loads(row.attributes).items()
    }
    scores = None if row.scores is None else Scores.model_validate_json(row.scores)
    highlights = tuple(Receipt.model_validate(receipt) for receipt in orjson.loads(row.highlights))
    return Card(row.person_id, attributes, scores, highlights, row.is_test)
