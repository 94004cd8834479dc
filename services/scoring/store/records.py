"""The hot path: what a batch of events needs is loaded in a few selects and saved in a few statements, however many events there are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, delete, func, select, text
from sqlalchemy import Table as CoreTable

from chassis.store import search
from chassis.store.batch import insert_all, insert_or_skip, upsert
from chassis.store.documents import dump_json
from chassis.store.membership import among, one_of, rows_by
from chassis.store.session import Session
from contracts.events.identity import InteractionRecognized
from contracts.limits import HIGHLIGHTS
from services.scoring.domain.book import Book, Fragment, Person, Recent, newest
from services.scoring.domain.facts import Recognition, TraitFact, stored_trait_fact
from services.scoring.domain.fit import Held
from services.scoring.domain.ledger import FIT, StoredReceipt
from services.scoring.domain.profile import search_text
from services.scoring.store.encoding import fact_row, fragment_of, fragment_row, interaction_of, person_of, person_row, receipt_of, receipt_row
from services.scoring.store.tables import PERSON_SEARCH, FactRow, FragmentRow, PersonRow, ReceiptRow

PAGE = 250
"""Facts or receipts that are read before others get their turn: some 20 ms of decoding."""


def table(model: Any) -> CoreTable:
    """The Core table of a model."""
    found: CoreTable = model.__table__
    return found


FACT, FRAGMENT, PERSON, RECEIPT = (table(model) for model in (FactRow, FragmentRow, PersonRow, ReceiptRow))
_MARKED = rows_by(FRAGMENT.c.person_id).where(FRAGMENT.c.is_marked)
_GONE = delete(PERSON).where(among(PERSON.c.person_id, "keys"))


async def claim_facts(
    session: Session, events: Sequence[InteractionRecognized], version: int, with_traits: Collection[str]
) -> list[InteractionRecognized]:
    """Writes the facts that are not there yet; answers their events, in order. `with_traits`: interactions that claim something."""
    rows = {
        event.interaction.interaction_id: fact_row(event, version, has_traits=event.interaction.interaction_id in with_traits) for event in events
    }
    claimed = {row.interaction_id for row in await insert_or_skip(session, FACT, list(rows.values()))}
    fresh = []
    for event in events:
        if event.interaction.interaction_id in claimed:
            claimed.discard(event.interaction.interaction_id)
            fresh.append(event)
    return fresh


async def load_fragments(session: Session, fragment_ids: Collection[str]) -> dict[str, Fragment]:
    """Those that are known."""
    rows = await session.execute(rows_by(FRAGMENT.c.fragment_id), {"keys": fragment_ids})
    return {row.fragment_id: fragment_of(row) for row in rows}


async def load_fragments_of(session: Session, person_ids: Collection[str]) -> dict[str, Fragment]:
    """All fragments of these people."""
    rows = await session.execute(rows_by(FRAGMENT.c.person_id), {"keys": person_ids})
    return {row.fragment_id: fragment_of(row) for row in rows}


async def load_people(session: Session, person_ids: Collection[str]) -> dict[str, Person]:
    """Those that are known."""
    rows = await session.execute(rows_by(PERSON.c.person_id), {"keys": person_ids})
    return {row.person_id: person_of(row) for row in rows}


async def load_marked(session: Session, person_ids: Collection[str]) -> dict[str, Fragment]:
    """The marked fragments of these people."""
    rows = await session.execute(_MARKED, {"keys": person_ids})
    return {row.fragment_id: fragment_of(row) for row in rows}


async def load_recent(session: Session, fragment_ids: Collection[str]) -> dict[str, Recent]:
    """The newest receipts of each of these fragments, however many there are."""
    is_sqlite = session.dialect == "sqlite"
    named = {"ids": dump_json(list(fragment_ids)) if is_sqlite else list(fragment_ids), "limit": HIGHLIGHTS}
    rows = await session.execute(_RECENT_SQLITE if is_sqlite else _RECENT_POSTGRES, named)
    found: dict[str, list[StoredReceipt]] = {}
    for row in rows:
        found.setdefault(row.fragment_id, []).append(receipt_of(row))
    return {fragment_id: newest(receipts) for fragment_id, receipts in found.items()}


async def trait_facts_of(session: Session, fragment_ids: Collection[str], until: datetime | None = None) -> AsyncIterator[list[TraitFact]]:
    """All facts of these fragments that claim something, a page at a time; others get their turn between pages."""
    columns = (FACT.c.interaction_id, FACT.c.body, FACT.c.packed, FACT.c.fragment_id, FACT.c.strength, FACT.c.rulebook_version)
    wanted = select(*columns, FACT.c.account_id, FACT.c.user_id).where(one_of(FACT.c.fragment_id, fragment_ids), FACT.c.has_traits)
    if until is not None:
        wanted = wanted.where(FACT.c.occurred_at <= until)
    async for page in session.pages(wanted, PAGE):
        yield [
            stored_trait_fact(interaction_of(row), row.fragment_id, row.strength, row.rulebook_version, Recognition(row.account_id, row.user_id))
            for row in page
        ]
        await asyncio.sleep(0)


async def fit_written_on(session: Session, fragment_ids: Collection[str]) -> dict[str, Held]:
    """What the receipts of fit on each of these fragments come to."""
    total = func.sum(RECEIPT.c.points_e4).label("points_e4")
    summed = select(RECEIPT.c.fragment_id, RECEIPT.c.rule, total).where(one_of(RECEIPT.c.fragment_id, fragment_ids))
    written: dict[str, dict[str, int]] = {}
    for row in await session.execute(summed.where(RECEIPT.c.measure == FIT).group_by(RECEIPT.c.fragment_id, RECEIPT.c.rule)):
        if row.points_e4:
            written.setdefault(row.fragment_id, {})[row.rule] = int(row.points_e4)
    return dict(written)


async def save(session: Session, book: Book) -> None:
    """Writes the pages of `book` that changed."""
    await upsert(session, FRAGMENT, [fragment_row(fragment) for fragment in book.changed_fragments])
    await upsert(session, PERSON, [person_row(person) for person in book.changed_people])
    gone = book.gone & book.known_people.keys()
    if gone:
        await session.execute(_GONE, {"keys": gone})
    await search.keep(session, PERSON_SEARCH, search_changes(book.known_people, book.changed_people) | dict.fromkeys(gone, ""))
    await _insert_receipts(session, book.written)


def search_changes(known: Mapping[str, Person], changed: Iterable[Person]) -> dict[str, str]:
    """By what those people are found from now on who are found by something else than before; by nothing, if nothing is known of them any more."""
    texts = {}
    for person in changed:
        before = known.get(person.person_id)
        if before is None or before.fit.attributes is not person.fit.attributes:
            was = "" if before is None else search_text(before.fit.attributes)
            if (text := search_text(person.fit.attributes)) != was:
                texts[person.person_id] = text
    return texts


async def _insert_receipts(session: Session, receipts: Iterable[StoredReceipt]) -> None:
    await insert_all(session, RECEIPT, [receipt_row(receipt) for receipt in receipts])


_NEWEST_SQLITE = text(
    "SELECT newest.value AS receipt_id FROM json_each(:ids) AS f, json_each((SELECT json_group_array(receipt_id) FROM"
    " (SELECT receipt_id FROM receipt WHERE fragment_id = f.value ORDER BY at DESC, receipt_id DESC LIMIT :limit))) AS newest"
).columns(receipt_id=String)
_NEWEST_POSTGRES = text(
    "SELECT newest.receipt_id FROM unnest(CAST(:ids AS text[])) AS f(id) CROSS JOIN LATERAL"
    " (SELECT receipt_id FROM receipt WHERE fragment_id = f.id ORDER BY at DESC, receipt_id DESC LIMIT :limit) AS newest"
).columns(receipt_id=String)
_RECENT_SQLITE, _RECENT_POSTGRES = (select(RECEIPT).where(RECEIPT.c.receipt_id.in_(newest_ids)) for newest_ids in (_NEWEST_SQLITE, _NEWEST_POSTGRES))
