"""Moving on: the rules are asked, and each step is a move of its own with its receipt, until they have nothing more to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from contracts.ids import derive_id, with_prefix
from contracts.values import Receipt
from people_kernel.cards import card_facts
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
    if book.process.started_by(book.process.first):
        arrive(book, person_id, cause)  # a clock runs for everybody
    visited = {book.stage_of(person_id)}
    chosen = step = _step(book, person_id, cause, trigger, visited)
    while step is not None and trigger.to is None:
        visited.add(step.to)
        step = _step(book, person_id, cause, Trigger(SCORED), visited)
    return chosen


def arrive(book: Book, person_id: str, cause: Cause) -> None:
    """Everybody begins in the first stage. It is written as a move when they move on, so that of a stranger nothing is written; it is not said."""
    standing = book.standing(person_id)
    if standing.stage is not None:
        return
    stage = book.process.first
    cause = replace(cause, occurred_at=min(standing.seen_at or cause.occurred_at, cause.occurred_at), by=None)
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
    since = standing.seen_at if standing.stage is None else standing.since
    return {
        **card_facts(book.card(person_id)),
        "stage.name": book.stage_of(person_id),
        "stage.days": None if since is None else days_between(since, moment),
        "since.points": _points_since(book, person_id),
        **trigger.facts,
    }


def _points_since(book: Book, person_id: str) -> float:
    """Engagement earned since the stage was entered; where everybody begins that is all there is."""
    standing, scores = book.standing(person_id), book.card(person_id).scores
    return float(scores.engagement) if standing.stage is None and scores is not None else standing.points_since() / E4


def _step(book: Book, person_id: str, cause: Cause, trigger: Trigger, visited: set[str]) -> Choice | None:
    """One move, if a rule wants it and it does not lead back to where this cause has led already."""
    choice = book.process.choose(book.stage_of(person_id), trigger.name, facts_of(book, person_id, cause.occurred_at, trigger), trigger.to)
    if choice is None or choice.to in visited:
        return None
    arrive(book, person_id, cause)
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
    place = None if move.previous is None else say_entered(book, person_id, cause, move, written)
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
