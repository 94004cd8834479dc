"""Recording what is heard: load, decide, save, say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

from chassis.context import Context
from chassis.store.timers import Timer
from contracts.events.identity import InteractionRecognized, PersonMarked, PersonMerged, PersonSplit
from people_kernel.store.locks import lock
from services.scoring.domain.book import Book
from services.scoring.domain.facts import TraitFact, trait_facts
from services.scoring.domain.judging import Judges
from services.scoring.domain.marking import mark
from services.scoring.domain.passing import fade
from services.scoring.domain.recording import record_one
from services.scoring.domain.regrouping import regroup
from services.scoring.handlers.rulebooks import judges_of
from services.scoring.handlers.workspace import open_for_facts, open_for_regrouping, opened
from services.scoring.store import records

FADED = "score-faded"
_TURN_SECONDS = 0.01
"""So long events are decided before others get their turn; one at its dearest (full of traits, all rules asked) takes some 5 ms."""

Item = TypeVar("Item")


async def on_interactions_recognized(events: Sequence[InteractionRecognized], context: Context) -> None:
    judges = await judges_of(context)
    claimed = await _claimed(events, judges)
    fresh = await records.claim_facts(context.session, events, judges.active.version, claimed.keys())
    book = await open_for_facts(context.session, judges, fresh, claimed)
    async for event in _in_turns(fresh):
        record_one(book, event, claimed.get(event.interaction.interaction_id))
    await _close(book, context)


async def on_people_regrouped(events: Sequence[PersonMerged | PersonSplit], context: Context) -> None:
    judges = await judges_of(context)
    book = await open_for_regrouping(context.session, judges, events)
    async for event in _in_turns(events):
        regroup(book, event)
    await _close(book, context)


async def on_people_marked(events: Sequence[PersonMarked], context: Context) -> None:
    judges = await judges_of(context)
    book = await open_for_regrouping(context.session, judges, events)
    for event in events:
        mark(book, event)
    await _close(book, context)


async def on_scores_faded(timers: Sequence[Timer], context: Context) -> None:
    judges = await judges_of(context)
    person_ids = sorted({timer.key for timer in timers})
    await lock(context.session, person_ids)
    book = opened(Book(judges, people=await records.load_people(context.session, person_ids)))
    async for timer in _in_turns(timers):
        fade(book, timer.key, timer.due_at)
    await _close(book, context)


async def _claimed(events: Sequence[InteractionRecognized], judges: Judges) -> dict[str, TraitFact]:
    claimed: dict[str, TraitFact] = {}
    async for event in _in_turns(events):
        claimed |= trait_facts([event], judges.active.version)
    return claimed


async def _in_turns(items: Sequence[Item]) -> AsyncIterator[Item]:
    """The items, with a turn for others now and then: health, requests and the keeping alive of deliveries do not wait for a batch."""
    began = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - began > _TURN_SECONDS:
            await asyncio.sleep(0)
            began = time.perf_counter()


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
