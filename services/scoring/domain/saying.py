"""The events that tell what was decided. Ids derive from what brought them about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.envelope import Event, Meta, following
from contracts.events.scoring import ProfileChanged, ScoreChanged, ScoreCorrected
from contracts.ids import derive_id, with_prefix
from services.scoring.domain.book import Book, Person, Standing
from services.scoring.domain.ledger import StoredReceipt, summed_up


@dataclass(frozen=True, slots=True)
class Cause:
    """The event that brings about what is said, and when that happened (None: nothing happened, something was judged anew).

    `step` tells apart what one event brings about at several steps: the ids of what is said derive from it.
    """

    event: Event
    occurred_at: datetime | None = None
    step: str | None = None


def say_profile(book: Book, person: Person, cause: Cause, scores: Standing | None) -> None:
    """Tells all that is known of a person, with the scores that hearers are to have from now on."""
    book.said.append(
        ProfileChanged(
            meta=_following(book, cause, ProfileChanged.wire_name, person),
            person_id=person.person_id,
            fragment_id=with_prefix("frg", person.person_id),
            graph_version=person.graph_version,
            attributes=dict(sorted(person.fit.attributes.items())),
            scores=None if scores is None else scores.told(),
            highlights=tuple(receipt.told(person.person_id) for receipt in book.highlights_of(person.person_id)),
            occurred_at=cause.occurred_at,
            is_test=person.is_test,
        )
    )


def say_changed(book: Book, person: Person, cause: Cause, now: Standing, receipts: Iterable[StoredReceipt]) -> None:
    """Tells a score that something which happened has moved."""
    meta = _following(book, cause, ScoreChanged.wire_name, person)
    book.said.append(_score_changed(meta, person, now, receipts, cause.occurred_at))


def say_corrected(book: Book, person: Person, cause: Cause, now: Standing, reason: str) -> None:
    """Tells a score that was judged anew."""
    book.said.append(
        ScoreCorrected(
            meta=_following(book, cause, ScoreCorrected.wire_name, person),
            person_id=person.person_id,
            fragment_id=with_prefix("frg", person.person_id),
            graph_version=person.graph_version,
            scores=now.told(),
            previous=None if person.said is None else person.said.told(),
            reason=reason,
            is_test=person.is_test,
        )
    )


def say_faded(book: Book, person: Person, now: Standing) -> None:
    """Tells a score that time alone has moved. The chain of causes begins with the timer that fell due."""
    timer_id = faded_timer_id(person.person_id, now.at)
    meta = Meta(
        event_id=derive_id("evt", now.at, timer_id, ScoreChanged.wire_name),
        at=now.at,
        correlation_id=timer_id,
        causation_id=timer_id,
        rulebook=book.judges.active.label,
    )
    book.said.append(_score_changed(meta, person, now, [_faded_receipt(book, person, now, timer_id)]))


def faded_timer_id(person_id: str, due_at: datetime) -> str:
    """The same whether the timer fires or an event of a later moment gets there first."""
    return derive_id("tmr", due_at, "score-faded", person_id)


def _following(book: Book, cause: Cause, wire_name: str, person: Person) -> Meta:
    step = () if cause.step is None else (cause.step,)
    return following(cause.event, wire_name, person.person_id, *step, rulebook=book.judges.active.label)


def _score_changed(meta: Meta, person: Person, now: Standing, receipts: Iterable[StoredReceipt], occurred_at: datetime | None = None) -> ScoreChanged:
    return ScoreChanged(
        meta=meta,
        person_id=person.person_id,
        fragment_id=with_prefix("frg", person.person_id),
        graph_version=person.graph_version,
        scores=now.told(),
        previous=None if person.said is None else person.said.told(),
        receipts=tuple(receipt.told(person.person_id) for receipt in summed_up(receipts)),
        occurred_at=occurred_at,
        is_test=person.is_test,
    )


def _faded_receipt(book: Book, person: Person, now: Standing, timer_id: str) -> StoredReceipt:
    before = "" if person.said is None else f" from {person.said.cell}"
    return StoredReceipt(
        receipt_id=derive_id("rcp", now.at, timer_id),
        fragment_id=with_prefix("frg", person.person_id),
        at=now.at,
        measure="engagement",
        rule="time_passed",
        rulebook=book.judges.active.label,
        points_e4=0,
        half_life=None,
        cause_id=timer_id,
        inputs={"engagement": str(now.told().engagement)},
        sentence=f"Time passed without a new interaction: engagement faded and the cell moved{before} to {now.cell}.",
    )
