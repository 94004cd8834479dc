"""The hot path: what a batch of events needs is loaded in a few selects and saved in a few statements, however many events there are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Table as CoreTable
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.store.batch import insert_all, insert_or_skip, one_of, upsert
from contracts.events.identity import InteractionRecognized
from services.scoring.domain.book import Book, Fragment, Person, Told
from services.scoring.domain.facts import Recognition, TraitFact, stored_trait_fact
from services.scoring.domain.ledger import FIT, StoredReceipt
from services.scoring.store.encoding import fact_row, farewell_of, farewell_row, fragment_of, fragment_row, person_of, person_row, receipt_row
from services.scoring.store.tables import FactRow, FarewellRow, FragmentRow, PersonRow, ReceiptRow


def table(model: Any) -> CoreTable:
    """The Core table of a model."""
    found: CoreTable = model.__table__
    return found


FACT, FRAGMENT, PERSON, RECEIPT, FAREWELL = (table(model) for model in (FactRow, FragmentRow, PersonRow, ReceiptRow, FarewellRow))


async def claim_facts(
    session: AsyncSession, events: Sequence[InteractionRecognized], version: int, with_traits: Collection[str]
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


async def load_fragments(session: AsyncSession, fragment_ids: Collection[str]) -> dict[str, Fragment]:
    """Those that are known."""
    rows = await session.execute(select(FRAGMENT).where(one_of(session, FRAGMENT.c.fragment_id, fragment_ids)))
    return {row.fragment_id: fragment_of(row) for row in rows}


async def load_fragments_of(session: AsyncSession, person_ids: Collection[str]) -> dict[str, Fragment]:
    """All fragments of these people."""
    rows = await session.execute(select(FRAGMENT).where(one_of(session, FRAGMENT.c.person_id, person_ids)))
    return {row.fragment_id: fragment_of(row) for row in rows}


async def load_people(session: AsyncSession, person_ids: Collection[str]) -> dict[str, Person]:
    """Those that are known."""
    rows = await session.execute(select(PERSON).where(one_of(session, PERSON.c.person_id, person_ids)))
    return {row.person_id: person_of(row) for row in rows}


async def load_marked(session: AsyncSession, person_ids: Collection[str]) -> dict[str, Fragment]:
    """The marked fragments of these people."""
    rows = await session.execute(select(FRAGMENT).where(one_of(session, FRAGMENT.c.person_id, person_ids), FRAGMENT.c.is_marked))
    return {row.fragment_id: fragment_of(row) for row in rows}


async def load_farewells(session: AsyncSession, person_ids: Collection[str]) -> dict[str, Told]:
    """What was last said under those of these ids that have no person."""
    rows = await session.execute(select(FAREWELL).where(one_of(session, FAREWELL.c.person_id, person_ids)))
    return {row.person_id: farewell_of(row) for row in rows}


async def load_trait_facts(session: AsyncSession, fragment_ids: Collection[str]) -> list[TraitFact]:
    """All facts of these fragments that claim something."""
    columns = (FACT.c.body, FACT.c.fragment_id, FACT.c.strength, FACT.c.rulebook_version, FACT.c.account_id, FACT.c.user_id)
    rows = await session.execute(select(*columns).where(one_of(session, FACT.c.fragment_id, fragment_ids), FACT.c.has_traits))
    return [
        stored_trait_fact(row.body, row.fragment_id, row.strength, row.rulebook_version, Recognition(row.account_id, row.user_id)) for row in rows
    ]


async def save(session: AsyncSession, book: Book) -> None:
    """Writes the pages of `book` that changed."""
    await upsert(session, FRAGMENT, [fragment_row(fragment) for fragment in book.changed_fragments])
    await upsert(session, PERSON, [person_row(person) for person in book.changed_people])
    gone = book.gone & book.known_people.keys()
    if gone:
        await session.execute(delete(PERSON).where(one_of(session, PERSON.c.person_id, gone)))
    await _save_farewells(session, book)
    if book.refolded:
        of_refolded = one_of(session, RECEIPT.c.fragment_id, book.refolded)
        await session.execute(delete(RECEIPT).where(of_refolded, RECEIPT.c.measure == FIT))
    fit_receipts = [receipt for receipts in book.fit_receipts.values() for receipt in receipts]
    await _insert_receipts(session, [*book.earned, *fit_receipts])


async def _save_farewells(session: AsyncSession, book: Book) -> None:
    back = book.known_farewells.keys() - book.farewells.keys()
    if back:
        await session.execute(delete(FAREWELL).where(one_of(session, FAREWELL.c.person_id, back)))
    await upsert(session, FAREWELL, [farewell_row(person_id, told) for person_id, told in book.new_farewells.items()])


async def _insert_receipts(session: AsyncSession, receipts: Iterable[StoredReceipt]) -> None:
    await insert_all(session, RECEIPT, [receipt_row(receipt) for receipt in receipts])
