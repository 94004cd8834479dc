"""Regrouping: which fragments make up which person. Moves stay where they are; the stage is folded anew, and nothing is fired again."""

from __future__ import annotations

from dataclasses import replace

from contracts.ids import derive_id, with_prefix
from contracts.values import Receipt
from deciding.people import Placements, newer
from services.lifecycle.domain.book import Book, Cause
from services.lifecycle.domain.moves import Move, homes_of, present
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
        if before is not None and before != placement.person_id:
            affected |= {before, placement.person_id}
    book.placements.update(news)
    for person_id in sorted(affected):
        _refold(book, person_id, cause, sentence)


def _refold(book: Book, person_id: str, cause: Cause, sentence: str) -> None:
    standing = book.standing(person_id)
    if not book.is_present(person_id):
        book.standings[person_id] = replace(standing, is_present=False, homes={})
        return
    moves = [move for fragment_id, moves in book.moves.items() if book.owner_of(fragment_id) == person_id for move in moves]
    move = present(moves, book.process)
    if move is None:
        return
    if move.stage != standing.stage:
        _correct(book, person_id, cause, move, sentence)
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


def _correct(book: Book, person_id: str, cause: Cause, move: Move, sentence: str) -> None:
    before = book.standing(person_id).stage
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
        inputs={"before": before, "move_id": move.move_id, "entered": move.occurred_at.isoformat()},
        outcome=move.stage,
        sentence=f"{sentence.rstrip('.')}. Taken together, the furthest stage is {_title(book, move.stage)}.",
    )
    book.receipts.append(receipt)
    say_corrected(book, person_id, cause, move, receipt)


def _title(book: Book, stage: str) -> str:
    known = book.process.stages.get(stage)
    return stage if known is None else known.title
