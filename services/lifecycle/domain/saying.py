"""The events that tell what was decided. Ids derive from what brought them about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.events.lifecycle import SlaBreached, SlaKept, SlaReminded, SlaStarted, StageCorrected, StageEntered
from contracts.ids import with_prefix
from contracts.values import Receipt
from services.lifecycle.domain.book import Book, Cause, Clock
from services.lifecycle.domain.moves import Move


def about(book: Book, person_id: str) -> dict[str, Any]:
    """What every event of lifecycle says of its person."""
    card = book.card(person_id)
    return {
        "person_id": person_id,
        "fragment_id": with_prefix("frg", person_id),
        "graph_version": book.version_of(person_id),
        "account_id": card.account_id,
        "is_test": card.is_test,
    }


def say_entered(book: Book, person_id: str, cause: Cause, move: Move, receipt: Receipt) -> int:
    """Tells a move with everything it was decided on; answers its place, because the clock that starts with it is not known yet."""
    card = book.card(person_id)
    book.said.append(
        StageEntered(
            meta=cause.meta(StageEntered.wire_name, person_id, move.stage, rulebook=move.rulebook),
            **about(book, person_id),
            occurred_at=move.occurred_at,
            by=move.by,
            stage=move.stage,
            previous=move.previous,
            reason=move.reason,
            attributes=dict(card.attributes),
            scores=card.scores,
            highlights=card.highlights,
            receipt=receipt,
        )
    )
    return len(book.said) - 1


def say_due(book: Book, place: int, due_at: datetime) -> None:
    """The move that was told at `place` has started a clock."""
    book.said[place] = book.said[place].model_copy(update={"due_at": due_at})


def say_corrected(book: Book, person_id: str, cause: Cause, found: tuple[str, datetime], receipt: Receipt) -> None:
    """Tells a stage that was folded anew, and since when."""
    stage, since = found
    book.said.append(
        StageCorrected(
            meta=cause.meta(StageCorrected.wire_name, person_id, rulebook=book.process.label),
            **about(book, person_id),
            occurred_at=since,
            stage=stage,
            previous=book.stage_of(person_id),
            receipt=receipt,
        )
    )


def say_clock(book: Book, kind: type[SlaStarted | SlaReminded | SlaBreached | SlaKept], person_id: str, cause: Cause, clock: Clock) -> None:
    """Tells what became of a clock."""
    kept = {"was_breached": clock.breached_at is not None} if kind is SlaKept else {}
    book.said.append(
        kind(
            meta=cause.meta(kind.wire_name, clock.clock_id, rulebook=book.process.label),
            **about(book, person_id),
            occurred_at=cause.occurred_at,
            by=cause.by,
            clock=clock.name,
            stage=clock.stage,
            started_at=clock.started_at,
            due_at=clock.due_at,
            **kept,
        )
    )
