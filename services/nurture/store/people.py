"""People, their cards and what they agreed to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from chassis.store.batch import insert_or_skip, upsert
from chassis.store.membership import rows_by
from chassis.store.session import Session
from chassis.store.statements import Row
from contracts.events.identity import PersonCreated
from contracts.values import Consent, ConsentChannel
from people_kernel.placements import Placement, placement_in
from people_kernel.store.cards import load_cards, save_cards
from people_kernel.store.locks import lock
from people_kernel.store.placements import load_fragments_of, load_placements, save_placements, survivors
from people_kernel.store.receipts import save_receipts
from services.nurture.domain.consent import Statement
from services.nurture.domain.following import Book, Person, PersonSaid
from services.nurture.domain.rules import NurtureJudge
from services.nurture.domain.stages import Buying, BuyingStage
from services.nurture.store.tables import CARD, CONSENT, FRAGMENT, PERSON, RECEIPT


async def open_book(session: Session, judge: NurtureJudge, events: Collection[PersonSaid]) -> Book:
    """The pages that the events are about."""
    person_ids, fragment_ids = {event.person_id for event in events}, {event.fragment_id for event in events}
    await lock(session, person_ids | fragment_ids)
    placements = await load_placements(session, FRAGMENT, fragment_ids)
    cards = await load_cards(session, CARD, person_ids)
    return Book(judge, placements, cards, await load_people(session, person_ids), known_placements=dict(placements))


async def close_book(session: Session, book: Book) -> None:
    """Writes what changed."""
    await save_placements(session, FRAGMENT, book.changed_placements)
    await save_cards(session, CARD, [book.cards[person_id] for person_id in book.changed_cards])
    await upsert(session, PERSON, [_person_row(book.people[person_id]) for person_id in book.changed_people])
    await save_receipts(session, RECEIPT, book.receipts)


async def add_people(session: Session, events: Iterable[PersonCreated]) -> None:
    """People who were seen for the first time; of whom more is known already, that stays."""
    rows = {event.person_id: _person_row(Person(event.person_id, is_test=event.is_test)) for event in events}
    await insert_or_skip(session, PERSON, list(rows.values()))


async def load_people(session: Session, person_ids: Collection[str]) -> dict[str, Person]:
    """Those of whom something was said."""
    rows = await session.execute(rows_by(PERSON.c.person_id), {"keys": person_ids})
    return {row.person_id: _person_of(row) for row in rows}


async def find_fragments(session: Session, person_id: str) -> dict[str, Placement]:
    """All fragments of the person who answers to `person_id`; none when it is no id of a person."""
    owner = (await survivors(session, FRAGMENT, [person_id])).get(person_id)
    if owner is None:
        return {}
    owned = (await load_fragments_of(session, FRAGMENT, [owner]))[owner]
    known = await load_placements(session, FRAGMENT, owned)
    return {fragment_id: placement_in(known, fragment_id) for fragment_id in owned}


async def load_statements(session: Session, fragment_ids: Collection[str]) -> list[Statement]:
    """What was said about being reached, on these fragments."""
    rows = await session.execute(rows_by(CONSENT.c.fragment_id), {"keys": fragment_ids})
    return [
        Statement(
            row.fragment_id,
            ConsentChannel(row.channel),
            Consent(row.consent),
            row.occurred_at,
            row.interaction_id,
            row.source_id,
            row.wording,
        )
        for row in rows
    ]


async def save_statements(session: Session, statements: Iterable[Statement]) -> None:
    """Writes what counts now."""
    rows = [
        {
            "fragment_id": one.fragment_id,
            "channel": one.channel.value,
            "consent": one.consent.value,
            "occurred_at": one.occurred_at,
            "interaction_id": one.interaction_id,
            "source_id": one.source_id,
            "wording": one.wording,
        }
        for one in statements
    ]
    await upsert(session, CONSENT, rows)


def _person_row(person: Person) -> dict[str, Any]:
    buying = person.buying
    return {
        "person_id": person.person_id,
        "stage": person.stage,
        "stage_at": person.stage_at,
        "told_at": person.told_at,
        "buying_stage": None if buying is None else buying.stage.value,
        "buying_rule": None if buying is None else buying.rule,
        "buying_rulebook": None if buying is None else buying.rulebook,
        "buying_sentence": None if buying is None else buying.sentence,
        "is_test": person.is_test,
    }


def _person_of(row: Row) -> Person:
    buying = None
    if row.buying_stage is not None:
        buying = Buying(BuyingStage(row.buying_stage), row.buying_rule, row.buying_rulebook, row.buying_sentence)
    return Person(row.person_id, row.stage, row.stage_at, row.told_at, buying, row.is_test)
