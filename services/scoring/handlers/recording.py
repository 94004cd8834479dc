"""Recording what is heard: load, decide, save, say."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.context import Context
from chassis.store.timers import Timer
from contracts.events.identity import InteractionRecognized, PersonMarked, PersonMerged, PersonSplit
from deciding.store.locks import lock
from services.scoring.domain.book import Book
from services.scoring.domain.facts import TraitFacts, trait_facts
from services.scoring.domain.judging import Judges
from services.scoring.domain.marking import mark
from services.scoring.domain.passing import fade
from services.scoring.domain.recording import people_to_refold, people_touched, record
from services.scoring.domain.regrouping import Regrouped, people_regrouped, placement_of, regroup
from services.scoring.handlers.rulebooks import judges_of
from services.scoring.store import records

FADED = "score-faded"


async def on_interactions_recognized(events: Sequence[InteractionRecognized], context: Context) -> None:
    judges = await judges_of(context)
    claimed = trait_facts(events, judges.active.version)
    fresh = await records.claim_facts(context.session, events, judges.active.version, claimed.keys())
    book = await _open_for_facts(context.session, judges, fresh, claimed)
    record(book, fresh, claimed)
    await _close(book, context)


async def on_people_regrouped(events: Sequence[PersonMerged | PersonSplit], context: Context) -> None:
    judges = await judges_of(context)
    book = await _open_for_regrouping(context.session, judges, events)
    for event in events:
        regroup(book, event)
    await _close(book, context)


async def on_people_marked(events: Sequence[PersonMarked], context: Context) -> None:
    judges = await judges_of(context)
    book = await _open_for_regrouping(context.session, judges, events)
    for event in events:
        mark(book, event)
    await _close(book, context)


async def on_scores_faded(timers: Sequence[Timer], context: Context) -> None:
    judges = await judges_of(context)
    person_ids = sorted({timer.key for timer in timers})
    await lock(context.session, person_ids)
    book = _opened(Book(judges, people=await records.load_people(context.session, person_ids)))
    for timer in timers:
        fade(book, timer.key, timer.due_at)
    await _close(book, context)


async def _open_for_facts(session: AsyncSession, judges: Judges, events: Sequence[InteractionRecognized], claimed: TraitFacts) -> Book:
    """Fragments and people of the events; all facts of those who must be folded anew."""
    fragment_ids = {event.fragment_id for event in events}
    touched: set[str] = set()
    fragments = await records.load_fragments(session, fragment_ids)
    while wanted := people_touched(events, fragments) - touched:
        await lock(session, wanted)
        touched |= wanted
        if session.get_bind().dialect.name == "postgresql":  # a fragment may have gone over to others before the lock was had
            fragments = await records.load_fragments(session, fragment_ids)
    book = Book(judges, fragments, await records.load_people(session, touched))
    if new := touched - book.people.keys():
        book.fragments.update(await records.load_marked(session, new))
        book.farewells = await records.load_farewells(session, new)
    newer = {event.interaction.interaction_id for event in events}
    await _load_histories(session, book, people_to_refold(events, claimed, book), newer)
    return _opened(book)


async def _open_for_regrouping(session: AsyncSession, judges: Judges, events: Sequence[Regrouped]) -> Book:
    """All fragments and trait facts of everybody concerned."""
    named = {fragment_id for event in events for fragment_id in placement_of(event)}
    touched: set[str] = set()
    fragments = await records.load_fragments(session, named)
    while wanted := (people_regrouped(events) | {fragment.person_id for fragment in fragments.values()}) - touched:
        await lock(session, wanted)
        touched |= wanted
        fragments = await records.load_fragments(session, named)
    book = Book(judges, fragments, await records.load_people(session, touched), farewells=await records.load_farewells(session, touched))
    await _load_histories(session, book, touched)
    return _opened(book)


async def _load_histories(session: AsyncSession, book: Book, person_ids: Collection[str], newer: Collection[str] = ()) -> None:
    """What was recorded before: facts of the interactions `newer` are in the store, but were not folded yet."""
    if not person_ids:
        return
    book.fragments.update(await records.load_fragments_of(session, person_ids))
    book.histories.update({person_id: [] for person_id in person_ids})
    owned = [fragment.fragment_id for fragment in book.fragments.values() if fragment.person_id in person_ids]
    for fact in await records.load_trait_facts(session, owned):
        if fact.interaction_id not in newer:
            book.histories[book.fragments[fact.fragment_id].person_id].append(fact)


def _opened(book: Book) -> Book:
    book.known_fragments, book.known_people, book.known_farewells = dict(book.fragments), dict(book.people), dict(book.farewells)
    return book


async def _close(book: Book, context: Context) -> None:
    await records.save(context.session, book)
    for person in book.changed_people:
        if person.fades_at is not None:
            context.set_timer(FADED, person.person_id, person.fades_at)
        elif (known := book.known_people.get(person.person_id)) is not None and known.fades_at is not None:
            context.cancel_timer(FADED, person.person_id)
    for person_id in book.gone & book.known_people.keys():
        context.cancel_timer(FADED, person_id)
    context.say(*book.said)
