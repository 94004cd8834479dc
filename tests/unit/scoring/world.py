"""Scoring without a store: what the tables would keep, in memory."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from contracts.envelope import Event
from contracts.events.identity import (
    AccountChanged,
    AccountMerged,
    AccountSplit,
    InteractionRecognized,
    PersonMarked,
    PersonMerged,
    PersonSplit,
)
from services.scoring.domain.accounts import AccountTold, belongs_to, cause_of, cause_told
from services.scoring.domain.claims import TraitFact, trait_facts
from services.scoring.domain.company_news import judge_anew
from services.scoring.domain.incoming_events import mark, regroup
from services.scoring.domain.receipts import ENGAGEMENT, FIT, Grid, Judge, Judges, StoredReceipt
from services.scoring.domain.workspace import Person, ScoringWorkspace
from services.scoring.store.queries import PersonHistory, PersonSnapshot
from tests.support.people import at
from tests.unit.scoring.builders import JUDGE, a_workspace, record_all

MOMENT = at(500)


class World:
    """All pages open: what a store would keep, in memory. Hears events as the service does, each once."""

    def __init__(self, judge: Judge = JUDGE) -> None:
        self.workspace: ScoringWorkspace = a_workspace(judge)
        self.receipts: dict[str, StoredReceipt] = {}
        self.facts: list[TraitFact] = []
        self.heard: set[str] = set()

    def hear(self, events: Iterable[Event]) -> World:
        for event in events:
            if event.meta.event_id in self.heard:
                continue
            self.heard.add(event.meta.event_id)
            if isinstance(event, InteractionRecognized):
                claimed = trait_facts([event], self.workspace.judges.active.version)
                self.facts += claimed.values()
                record_all(self.workspace, [event], claimed)
            elif isinstance(event, PersonMerged | PersonSplit):
                regroup(self.workspace, event)
            elif isinstance(event, PersonMarked):
                mark(self.workspace, event)
            elif isinstance(event, AccountChanged | AccountMerged | AccountSplit):
                self._hear_of_account(event)
            self._save()
        return self

    def _hear_of_account(self, event: AccountTold) -> None:
        """As the service does, but for the pages."""
        for account_id in self.workspace.accounts.hear(event):
            for person_id, person in sorted(self.workspace.people.items()):
                named = self.workspace.accounts.get(belongs_to(person.fit.attributes) or "")
                if named is not None and named.current_id == account_id:
                    judge_anew(self.workspace, person_id, *cause_of(cause_told(event)))

    def activate(self, judge: Judge) -> None:
        """From here on another version of the rulebook decides."""
        self.workspace.judges = Judges({**self.workspace.judges.by_version, judge.version: judge}, judge)

    def _save(self) -> None:
        for receipt in self.workspace.receipts:
            assert receipt.receipt_id not in self.receipts
            self.receipts[receipt.receipt_id] = receipt
        self.workspace.receipts.clear()

    def receipts_of(self, person: Person) -> list[StoredReceipt]:
        fragments = {fragment.fragment_id for fragment in self.workspace.fragments_of(person.person_id)}
        return sorted(
            (r for r in self.receipts.values() if r.fragment_id in fragments), key=lambda receipt: receipt.receipt_id
        )

    def booked(self, person: Person) -> dict[str, int]:
        """What a person's receipts of fit come to, rule by rule."""
        totals: dict[str, int] = {}
        for receipt in self.receipts_of(person):
            if receipt.measure == FIT:
                totals[receipt.rule] = totals.get(receipt.rule, 0) + receipt.points_e4
        return {rule: points for rule, points in totals.items() if points}

    def as_of(self, person: Person, moment: datetime) -> PersonSnapshot:
        past = PersonHistory(moment)
        fragments = {fragment.fragment_id for fragment in self.workspace.fragments_of(person.person_id)}
        past.learn(fact for fact in self.facts if fact.fragment_id in fragments and fact.occurred_at <= moment)
        past.earn(
            (r.points_e4, r.half_life, r.at)
            for r in self.receipts_of(person)
            if r.half_life is not None and r.at <= moment
        )
        return past.snapshot(self.workspace.judges)

    def state(self) -> dict[str, object]:
        """Everything that may not depend on how it came about; scores at a fixed moment.

        Receipts of fit are a ledger: bookings and counter-bookings tell how it came
        about, and only what they come to may not.
        """
        return {
            person.person_id: self._content(person, self.workspace.judges.active.grid)
            for person in self.workspace.people.values()
        }

    def _content(self, person: Person, grid: Grid) -> tuple[object, ...]:
        earned = [receipt for receipt in self.receipts_of(person) if receipt.measure == ENGAGEMENT]
        return (
            person.fit,
            self.booked(person),
            person.sums,
            person.latest_at,
            person.is_test,
            person.scores_at(MOMENT, grid),
            earned,
        )
