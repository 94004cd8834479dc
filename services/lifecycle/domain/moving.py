"""Moving on: the rules are asked, and each step is a move of its own with its receipt, until they have nothing more to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from contracts.ids import derive_id, with_prefix
from contracts.values import Receipt
from deciding.cards import card_facts
from rulebook.receipts import Decision, receipt
from services.lifecycle.domain.book import Book, Cause, Standing, days_between
from services.lifecycle.domain.clocks import start_clocks, stop_clocks
from services.lifecycle.domain.moves import Move, move_id_of
from services.lifecycle.domain.process import NAME, Choice
from services.lifecycle.domain.saying import say_entered
from services.lifecycle.domain.vocabulary import CREATED, SCORED, Trigger

E4 = 10_000
MOVE = "stage.move"
FIRST_SEEN = "first_seen"
"""What stands for a rule where somebody begins."""


def decide(book: Book, person_id: str, cause: Cause, trigger: Trigger) -> Choice | None:
    """Asks the rules why this person should move now, and goes on until they have nothing more to say. Answers what the trigger itself led to.

    Where a human chose the stage, no rule goes on from there: the choice would be worth nothing.
    """
    arrive(book, person_id, cause)
    here = book.standing(person_id).stage
    assert here is not None
    visited = {here}
    chosen = step = _step(book, person_id, cause, trigger, visited)
    while step is not None and trigger.to is None:
        visited.add(step.to)
        step = _step(book, person_id, cause, Trigger(SCORED), visited)
    return chosen


def arrive(book: Book, person_id: str, cause: Cause) -> None:
    """Everybody begins in the first stage, whichever statement about them is heard first."""
    if book.standing(person_id).stage is not None:
        return
    stage = book.process.first
    title = book.process.stages[stage].title
    first = Receipt(
        receipt_id=derive_id("rcp", cause.at, cause.cause_id, MOVE, book.process.label, FIRST_SEEN),
        at=cause.at,
        owner=NAME,
        kind=MOVE,
        person_id=person_id,
        fragment_id=with_prefix("frg", person_id),
        cause_id=cause.cause_id,
        rule=FIRST_SEEN,
        rulebook=book.process.label,
        outcome=stage,
        sentence=f"Seen for the first time: {title}.",
    )
    _enter(book, person_id, cause, (stage, first), Trigger(CREATED))


def facts_of(book: Book, person_id: str, moment: datetime, trigger: Trigger) -> dict[str, Any]:
    """What the rules can know."""
    standing = book.standing(person_id)
    return {
        **card_facts(book.card(person_id)),
        "stage.name": standing.stage,
        "stage.days": None if standing.since is None else days_between(standing.since, moment),
        "since.points": standing.points_since() / E4,
        **trigger.facts,
    }


def _step(book: Book, person_id: str, cause: Cause, trigger: Trigger, visited: set[str]) -> Choice | None:
    """One move, if a rule wants it and it does not lead back to where this cause has led already."""
    standing = book.standing(person_id)
    assert standing.stage is not None
    choice = book.process.choose(standing.stage, trigger.name, facts_of(book, person_id, cause.occurred_at, trigger), trigger.to)
    if choice is None or choice.to in visited:
        return None
    decision = Decision(NAME, MOVE, person_id, with_prefix("frg", person_id), cause.cause_id, cause.at)
    written = receipt(book.process.rulebook, choice.match, decision, rejected=choice.rejected)
    noted = written.model_copy(update={"inputs": {**written.inputs, **_told(trigger)}, "outcome": choice.to})
    _enter(book, person_id, cause, (choice.to, noted), trigger)
    return choice


def _told(trigger: Trigger) -> Mapping[str, Any]:
    return {**{name: value for name, value in trigger.facts.items() if value is not None}, **trigger.noted}


def _enter(book: Book, person_id: str, cause: Cause, entered: tuple[str, Receipt], trigger: Trigger) -> None:
    """Writes a move, and what follows from it: the standing, the clocks, the event."""
    stage, written = entered
    standing, home = book.standing(person_id), with_prefix("frg", person_id)
    occurred_at = max(cause.occurred_at, standing.latest_at or cause.occurred_at)
    if occurred_at != cause.occurred_at:  # a history is told in one order; what really was claimed stays readable
        written = written.model_copy(update={"inputs": {**written.inputs, "claimed_at": cause.occurred_at.isoformat()}})
    move = Move(
        move_id=move_id_of(cause.at, cause.cause_id, person_id, stage),
        fragment_id=home,
        seq=standing.homes.get(home, 0) + 1,
        covers=dict(standing.homes),
        stage=stage,
        previous=standing.stage,
        at=cause.at,
        occurred_at=occurred_at,
        rule=written.rule,
        rulebook=book.process.label,
        receipt_id=written.receipt_id,
        by=cause.by,
        reason=trigger.reason,
    )
    book.standings[person_id] = _standing_on(move, standing, is_test=book.card(person_id).is_test)
    book.moves.setdefault(home, []).append(move)
    book.made.append(move)
    book.receipts.append(written)
    place = say_entered(book, person_id, cause, move, written)
    stop_clocks(book, person_id, cause, move)
    start_clocks(book, person_id, cause, move, place)


def _standing_on(move: Move, before: Standing, *, is_test: bool) -> Standing:
    """Where the person stands once the move is made; what is earned is counted from here."""
    return replace(
        before,
        stage=move.stage,
        move_id=move.move_id,
        move_home=move.fragment_id,
        since=move.occurred_at,
        entered_at=move.at,
        latest_at=move.occurred_at,
        homes={**before.homes, move.fragment_id: move.seq},
        points_e4=0,
        points_of=move.move_id,
        is_test=is_test,
    )
