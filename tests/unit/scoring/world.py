"""Scoring without a store: what the tables would keep, in memory."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.envelope import Event
from contracts.events.identity import InteractionRecognized, PersonMarked, PersonMerged, PersonSplit
from services.scoring.domain.book import Book, Person
from services.scoring.domain.fit import Fit
from services.scoring.domain.grid import Grid
from services.scoring.domain.judging import Judge
from services.scoring.domain.ledger import StoredReceipt
from services.scoring.domain.marking import mark
from services.scoring.domain.recording import record
from services.scoring.domain.regrouping import regroup
from tests.unit.scoring.builders import JUDGE, a_book, at

MOMENT = at(500)


class World:
    """All pages open: what a store would keep, in memory. Hears events as the service does, each once."""

    def __init__(self, judge: Judge = JUDGE) -> None:
        self.book: Book = a_book(judge)
        self.receipts: dict[str, StoredReceipt] = {}
        self.heard: set[str] = set()

    def hear(self, events: Iterable[Event]) -> World:
        for event in events:
            if event.meta.event_id in self.heard:
                continue
            self.heard.add(event.meta.event_id)
            if isinstance(event, InteractionRecognized):
                known = self.book.fragments.get(event.fragment_id)
                for owner in (event.person_id, event.person_id if known is None else known.person_id):
                    self.book.histories.setdefault(owner, [])
                record(self.book, [event])
            elif isinstance(event, PersonMerged | PersonSplit):
                regroup(self.book, event)
            elif isinstance(event, PersonMarked):
                mark(self.book, event)
            self._save()
        return self

    def _save(self) -> None:
        for fragment_id in self.book.refolded:
            self.receipts = {key: kept for key, kept in self.receipts.items() if kept.fragment_id != fragment_id or kept.measure != "fit"}
        fit_receipts = [receipt for receipts in self.book.fit_receipts.values() for receipt in receipts]
        self.receipts.update({receipt.receipt_id: receipt for receipt in [*self.book.earned, *fit_receipts]})
        self.book.refolded.clear()
        self.book.fit_receipts.clear()
        self.book.earned.clear()

    def receipts_of(self, person: Person) -> list[StoredReceipt]:
        fragments = {fragment.fragment_id for fragment in self.book.fragments_of(person.person_id)}
        return sorted((r for r in self.receipts.values() if r.fragment_id in fragments), key=lambda receipt: receipt.receipt_id)

    def state(self) -> dict[str, object]:
        """Everything that may not depend on how it came about; scores at a fixed moment."""
        return {person.person_id: (_content(person, self.book.judges.active.grid), self.receipts_of(person)) for person in self.book.people.values()}


def _content(person: Person, grid: Grid) -> tuple[object, ...]:
    fit = Fit(person.fit.attributes, person.fit.held, person.fit.version, person.fit.last_key)
    return fit, person.sums, person.latest_at, person.is_test, person.standing(MOMENT, grid)
