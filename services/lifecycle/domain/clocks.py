"""Clocks: started by a stage, stopped by others, and told when time is nearly up or over.

They run from the moment of decision, never from when things happened: what was imported late breaches nothing at once. After a merge two clocks
of one name may run for one person; only the more urgent one is spoken of.
"""

from __future__ import annotations

from dataclasses import replace

from contracts.events.lifecycle import SlaBreached, SlaKept, SlaReminded, SlaStarted
from contracts.ids import derive_id
from services.lifecycle.domain.book import Alarm, Book, Cause, Clock
from services.lifecycle.domain.moves import Move
from services.lifecycle.domain.saying import say_clock, say_due

REMIND = "sla-remind"
BREACH = "sla-breach"


def start_clocks(book: Book, person_id: str, cause: Cause, move: Move, place: int | None) -> None:
    """The clocks that begin with a stage. One that runs already goes on: entering the stage again gives nobody more time.

    `place` is that of the event that told the move, None if none did.
    """
    running = {clock.name for clock in book.clocks_of(person_id)}
    for rule in book.process.started_by(move.stage):
        if rule.name in running:
            continue
        due_at = cause.at + rule.runs
        clock = Clock(
            clock_id=derive_id("clk", cause.at, move.move_id, rule.name),
            fragment_id=move.fragment_id,
            name=rule.name,
            stage=move.stage,
            stops=rule.stops,
            started_at=cause.at,
            due_at=due_at,
            remind_at=None if rule.reminds_before is None else due_at - rule.reminds_before,
            is_test=book.card(person_id).is_test,
        )
        book.clocks[clock.clock_id] = clock
        book.alarms.append(Alarm(BREACH, clock.clock_id, due_at))
        if clock.remind_at is not None:
            book.alarms.append(Alarm(REMIND, clock.clock_id, clock.remind_at))
        say_clock(book, SlaStarted, person_id, cause, clock)
    due = [clock.due_at for clock in book.clocks_of(person_id) if clock.stage == move.stage]
    if due and place is not None:
        say_due(book, place, min(due))


def stop_clocks(book: Book, person_id: str, cause: Cause, move: Move) -> None:
    """The clocks for which entering this stage is what was waited for. Done in time is what happened in time, whenever it is heard of."""
    told: set[str] = set()
    for clock in book.clocks_of(person_id):
        if move.stage not in clock.stops:
            continue
        if clock.name not in told:
            told.add(clock.name)
            if clock.breached_at is None and move.occurred_at > clock.due_at:
                clock = _breached(book, person_id, replace(cause, occurred_at=clock.due_at, by=None), clock)
            say_clock(book, SlaKept, person_id, replace(cause, occurred_at=move.occurred_at), clock)
        book.clocks[clock.clock_id] = replace(clock, ended_at=cause.at)
        book.alarms += [Alarm(BREACH, clock.clock_id), Alarm(REMIND, clock.clock_id)]


def remind(book: Book, clock_id: str, cause: Cause) -> None:
    """Time is nearly up; said once, and not when it is up already."""
    clock = book.clocks.get(clock_id)
    person_id = None if clock is None else _waiting(book, clock)
    if clock is None or person_id is None or clock.is_reminded or cause.at >= clock.due_at:
        return
    book.clocks[clock_id] = replace(clock, is_reminded=True)
    if _is_most_urgent(book, person_id, clock):
        say_clock(book, SlaReminded, person_id, cause, clock)


def breach(book: Book, clock_id: str, cause: Cause) -> None:
    """Time is up and nothing happened. A clock whose person came further by a merge just ends."""
    clock = book.clocks.get(clock_id)
    if clock is None or clock.breached_at is not None or clock.ended_at is not None:
        return
    person_id = _waiting(book, clock)
    if person_id is None:
        book.clocks[clock_id] = replace(clock, ended_at=cause.at)
    elif _is_most_urgent(book, person_id, clock):
        _breached(book, person_id, cause, clock)
    else:
        book.clocks[clock_id] = replace(clock, breached_at=cause.at)


def _breached(book: Book, person_id: str, cause: Cause, clock: Clock) -> Clock:
    late = replace(clock, breached_at=cause.at)
    book.clocks[clock.clock_id] = late
    say_clock(book, SlaBreached, person_id, cause, late)
    return late


def _waiting(book: Book, clock: Clock) -> str | None:
    """Who the clock runs for, if it still does."""
    person_id = book.owner_of(clock.fragment_id)
    if clock.ended_at is not None:
        return None
    return None if book.stage_of(person_id) in clock.stops else person_id


def _is_most_urgent(book: Book, person_id: str, clock: Clock) -> bool:
    return next((one.clock_id for one in book.clocks_of(person_id) if one.name == clock.name), None) == clock.clock_id
