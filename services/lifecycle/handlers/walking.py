"""Walking on with what is heard, and when a moment comes: load, decide, save, say."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.context import Context
from chassis.store.timers import Timer
from contracts.ids import derive_id
from services.lifecycle.domain.book import Book, Cause
from services.lifecycle.domain.clocks import breach, remind
from services.lifecycle.domain.hearing import Heard, hear, people_at_risk, people_of, told_by
from services.lifecycle.domain.verdicts import wake
from services.lifecycle.handlers.rulebooks import process_of
from services.lifecycle.store import records


async def on_people_told(events: Sequence[Heard], context: Context) -> None:
    """Something became known of people, or of who they are."""
    fragment_ids = {fragment_id for event in events for fragment_id in told_by(event)}
    person_ids = {person_id for event in events for person_id in people_of(event)}
    person_ids |= {placement.person_id for event in events for placement in told_by(event).values()}
    process = await process_of(context)
    book = await records.open_book(context.session, process, fragment_ids, person_ids, lambda known: people_at_risk(events, known))
    for event in events:
        hear(book, event)
    await close(book, context)


async def on_reminders_due(timers: Sequence[Timer], context: Context) -> None:
    """Time is nearly up."""
    book = await _open_for_clocks(timers, context)
    for timer in timers:
        remind(book, timer.key, _due(timer, context))
    await close(book, context)


async def on_breaches_due(timers: Sequence[Timer], context: Context) -> None:
    """Time is up."""
    book = await _open_for_clocks(timers, context)
    for timer in timers:
        breach(book, timer.key, _due(timer, context))
    await close(book, context)


async def on_wakes_due(timers: Sequence[Timer], context: Context) -> None:
    """The moment came that somebody set when they sent a person back."""
    book = await records.open_book(context.session, await process_of(context), {timer.payload["fragment_id"] for timer in timers})
    for timer in timers:
        wake(book, timer.key, timer.payload["fragment_id"], _due(timer, context))
    await close(book, context)


async def close(book: Book, context: Context) -> None:
    """Writes what came of it, sets the timers and says what there is to say."""
    await records.save(context.session, book)
    for alarm in book.alarms:
        if alarm.due_at is None:
            context.cancel_timer(alarm.kind, alarm.key)
        else:
            context.set_timer(alarm.kind, alarm.key, alarm.due_at, dict(alarm.payload))
    context.say(*book.said)


async def _open_for_clocks(timers: Sequence[Timer], context: Context) -> Book:
    homes = await records.homes_of_clocks(context.session, {timer.key for timer in timers})
    return await records.open_book(context.session, await process_of(context), homes)


def _due(timer: Timer, context: Context) -> Cause:
    """Decided now, also when the clock was late; it happened when it was due. The chain of causes begins with the timer."""
    timer_id = derive_id("tmr", timer.due_at, timer.kind, timer.key)
    return Cause(timer_id, context.now, timer.due_at, timer_id)
