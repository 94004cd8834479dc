"""The pages that a batch needs, however many facts stand behind them: each is loaded in a few statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chassis.store.session import Session
from contracts.events.identity import InteractionRecognized
from contracts.ids import with_prefix
from people_kernel.store.locks import lock
from services.scoring.domain.book import Book, Fragment
from services.scoring.domain.facts import TraitFacts
from services.scoring.domain.fit import Held, Knowledge
from services.scoring.domain.judging import Judges
from services.scoring.domain.recording import people_moved, people_taught, people_touched
from services.scoring.domain.regrouping import Regrouped, people_regrouped, placement_of
from services.scoring.store import records


async def open_for_facts(session: Session, judges: Judges, events: Sequence[InteractionRecognized], claimed: TraitFacts) -> Book:
    """Fragments and people of the events; everything of those who are taught something, or may win or lose a fragment."""
    fragment_ids = {event.fragment_id for event in events}
    touched: set[str] = set()
    fragments = await records.load_fragments(session, fragment_ids)
    while wanted := people_touched(events, fragments) - touched:
        touched |= wanted
        if await lock(session, wanted):  # a fragment may have gone over to others before the lock was had
            fragments = await records.load_fragments(session, fragment_ids)
    book = Book(judges, fragments, await records.load_people(session, touched))
    if new := touched - book.people.keys():
        book.fragments.update(await records.load_marked(session, new))
    moved = people_moved(events, fragments)
    await _load_origins(session, book, moved)
    await _load_all_of(session, book, moved | people_taught(events, claimed, book))
    return await _completed(session, opened(book))


async def open_for_regrouping(session: Session, judges: Judges, events: Sequence[Regrouped]) -> Book:
    """Everything of everybody concerned."""
    named = {fragment_id for event in events for fragment_id in placement_of(event)}
    touched: set[str] = set()
    fragments = await records.load_fragments(session, named)
    while wanted := (people_regrouped(events) | {fragment.person_id for fragment in fragments.values()}) - touched:
        touched |= wanted
        if await lock(session, wanted):
            fragments = await records.load_fragments(session, named)
    book = Book(judges, fragments, await records.load_people(session, touched))
    await _load_origins(session, book, touched)
    await _load_all_of(session, book, touched)
    return await _completed(session, opened(book))


def opened(book: Book) -> Book:
    """From here on changes are counted."""
    book.known_fragments, book.known_people = dict(book.fragments), dict(book.people)
    return book


async def _load_origins(session: Session, book: Book, person_ids: Collection[str]) -> None:
    """The fragments that these people's ids come from, whoever has them now."""
    origins = {with_prefix("frg", person_id) for person_id in person_ids} - book.fragments.keys()
    if origins:
        book.fragments.update(await records.load_fragments(session, origins))


async def _load_all_of(session: Session, book: Book, person_ids: Collection[str]) -> None:
    """All fragments of these people, with their newest receipts."""
    if not person_ids:
        return
    book.fragments.update(await records.load_fragments_of(session, person_ids))
    owned = [fragment.fragment_id for fragment in book.fragments.values() if fragment.person_id in person_ids]
    book.recent.update(await records.load_recent(session, owned))


async def _completed(session: Session, book: Book) -> Book:
    """Fragments of before what they claim was kept are completed from their facts: once, for they are saved with what comes of it."""
    incomplete = {key: fragment for key, fragment in book.fragments.items() if not fragment.is_complete}
    if not incomplete:
        return book
    known = {key: Knowledge() for key in incomplete}
    async for page in records.trait_facts_of(session, incomplete):
        for fact in page:
            known[fact.fragment_id] = known[fact.fragment_id].with_fact(fact)
    written = await records.fit_written_on(session, incomplete)
    book.fragments.update({key: _complete(one, known[key], written.get(key, {})) for key, one in incomplete.items()})
    return book


def _complete(fragment: Fragment, knowledge: Knowledge, written: Held) -> Fragment:
    return fragment._replace(knowledge=knowledge, written=written, is_complete=True)
