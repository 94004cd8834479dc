"""Regrouping: which fragments make up which person. Moves stay where they are; the stage is folded anew, and nothing is fired again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from contracts.ids import derive_id, with_prefix
from contracts.values import Receipt
from people_kernel.placements import Placements, newer
from services.lifecycle.domain.book import Book, Cause, Standing
from services.lifecycle.domain.moves import homes_of, present
from services.lifecycle.domain.process import NAME
from services.lifecycle.domain.saying import say_corrected

CORRECTION = "stage.correction"
REGROUPED = "regrouped"


def place(book: Book, placements: Placements, cause: Cause, sentence: str) -> None:
    """Takes in where fragments belong. `book` must hold the moves of everybody who wins or loses one."""
    news = newer(book.placements, placements)
    affected: set[str] = set()
    for fragment_id, placement in news.items():
        before = book.owner_of(fragment_id)
        if before != placement.person_id:
            affected |= {before, placement.person_id}
    book.placements.update(news)
    for person_id in sorted(affected):
        _refold(book, person_id, cause, sentence)


def _refold(book: Book, person_id: str, cause: Cause, sentence: str) -> None:
    standing = book.standing(person_id)
    if not book.is_present(person_id):
        if person_id in book.standings:
            book.standings[person_id] = replace(standing, is_present=False, homes={})
        return
    moves = [move for fragment_id, moves in book.moves.items() if book.owner_of(fragment_id) == person_id for move in moves]
    move = present(moves, book.process)
    if move is None:
        _begin_again(book, person_id, cause, sentence)
        return
    if move.stage != book.stage_of(person_id):
        _correct(book, person_id, cause, (move.stage, move.occurred_at, {"move_id": move.move_id, "entered": move.occurred_at.isoformat()}), sentence)
    book.standings[person_id] = replace(
        standing,
        is_present=True,
        stage=move.stage,
        move_id=move.move_id,
        move_home=move.fragment_id,
        since=move.occurred_at,
        entered_at=move.at,
        latest_at=max(one.occurred_at for one in moves),
        homes=homes_of(moves),
        is_test=book.card(person_id).is_test,
    )


def _begin_again(book: Book, person_id: str, cause: Cause, sentence: str) -> None:
    """No move is theirs (any more): they are where everybody begins."""
    standing = book.standings.get(person_id)
    if standing is None:
        return
    if book.stage_of(person_id) != book.process.first:
        _correct(book, person_id, cause, (book.process.first, cause.occurred_at, {}), sentence)
    book.standings[person_id] = Standing(person_id, seen_at=standing.seen_at, is_test=book.card(person_id).is_test)


def _correct(book: Book, person_id: str, cause: Cause, found: tuple[str, datetime, Mapping[str, str]], sentence: str) -> None:
    """`found`: the stage, since when, and what it rests on."""
    before = book.stage_of(person_id)
    stage, since, grounds = found
    receipt = Receipt(
        receipt_id=derive_id("rcp", cause.at, cause.cause_id, CORRECTION, person_id),
        at=cause.at,
        owner=NAME,
        kind=CORRECTION,
        person_id=person_id,
        fragment_id=with_prefix("frg", person_id),
        cause_id=cause.cause_id,
        rule=REGROUPED,
        rulebook=book.process.label,
        inputs={"before": before, **grounds},
        outcome=stage,
        sentence=f"{sentence.rstrip('.')}. Taken together, the furthest stage is {_title(book, stage)}.",
    )
    book.receipts.append(receipt)
    say_corrected(book, person_id, cause, (stage, since), receipt)


def _title(book: Book, stage: str) -> str:
    known = book.process.stages.get(stage)
    return stage if known is None else known.title
