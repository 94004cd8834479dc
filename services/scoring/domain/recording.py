"""Recording: each recognized interaction becomes a fact, changes what is known, and may move the scores.

Interactions are taken one by one in the order of the stream, so that what is said does not depend on how a batch was cut.
A person is judged at the latest moment anything about them was heard; a fact of earlier date counts from its own date.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from contracts.events.identity import InteractionRecognized
from services.scoring.domain.book import Book, Fragment, Person, Standing
from services.scoring.domain.decay import add, weight, worth
from services.scoring.domain.facts import FactKey, TraitFact, TraitFacts, trait_facts
from services.scoring.domain.fading import next_change
from services.scoring.domain.fit import advance, fold
from services.scoring.domain.ledger import StoredReceipt, engagement_receipts
from services.scoring.domain.passing import fade
from services.scoring.domain.profile import changes
from services.scoring.domain.regrouping import place, welcome
from services.scoring.domain.saying import Cause, say_changed, say_corrected, say_profile

LATE = "an interaction of earlier date arrived late; the profile was folded anew"


def record(book: Book, events: Sequence[InteractionRecognized], claimed: TraitFacts | None = None) -> None:
    """Each event must be new; `book` must hold what `people_touched` and `people_to_refold` name; `claimed` is what `trait_facts` gave."""
    facts = trait_facts(events, book.judges.active.version) if claimed is None else claimed
    for event in events:
        _record_one(book, event, facts.get(event.interaction.interaction_id))


def people_touched(events: Iterable[InteractionRecognized], fragments: Mapping[str, Fragment]) -> set[str]:
    """Everybody whose state the events may change."""
    touched = set()
    for event in events:
        known = fragments.get(event.fragment_id)
        touched.add(event.person_id if known is None else known.person_id)
        if known is not None and event.graph_version > known.graph_version:
            touched.add(event.person_id)
    return touched


def people_to_refold(events: Iterable[InteractionRecognized], claimed: TraitFacts, book: Book) -> set[str]:
    """Everybody whose trait facts must be at hand: a claim comes late, or a fragment goes over to another person. May name too many."""
    wanted: set[str] = set()
    latest: dict[str, FactKey] = {}
    for event in events:
        known = book.fragments.get(event.fragment_id)
        owner = event.person_id if known is None else known.person_id
        if known is not None and event.graph_version > known.graph_version and event.person_id != owner:
            wanted |= {owner, event.person_id}
        fact = claimed.get(event.interaction.interaction_id)
        if fact is None:
            continue
        person = book.people.get(owner)
        last = latest.get(owner) or (None if person is None else person.fit.last_key)
        if last is not None and fact.key < last:
            wanted.add(owner)
        latest[owner] = fact.key if last is None else max(fact.key, last)
    return wanted


def _record_one(book: Book, event: InteractionRecognized, fact: TraitFact | None) -> None:
    interaction = event.interaction
    fragment = place(book, event)
    welcome(book, fragment, event)
    at = max(event.meta.at, interaction.occurred_at, book.people[fragment.person_id].evaluated_at)
    fade(book, fragment.person_id, at)
    earned = engagement_receipts(interaction, fragment.fragment_id, book.judges.active)
    book.earned += earned
    latest = max(interaction.occurred_at, fragment.latest_at or interaction.occurred_at)
    is_test = fragment.is_test and interaction.is_test
    book.fragments[fragment.fragment_id] = replace(fragment, sums=_grown(fragment.sums, earned), latest_at=latest, is_test=is_test)
    person = book.people[fragment.person_id]
    latest, is_from_tests = max(latest, person.latest_at or latest), person.is_from_tests and interaction.is_test
    person = replace(person, evaluated_at=at, latest_at=latest, is_from_tests=is_from_tests)
    person, learned = (person, ()) if fact is None else _learn(book, person, fact, event)
    book.people[person.person_id] = _settle(book, person, event, earned, learned)


def _happened(event: InteractionRecognized) -> Cause:
    return Cause(event, event.interaction.occurred_at)


def _grown(sums: Mapping[int, int], earned: Iterable[StoredReceipt]) -> Mapping[int, int]:
    for receipt in earned:
        if receipt.half_life is not None:
            sums = add(sums, receipt.half_life, weight(receipt.points_e4, receipt.half_life, receipt.at))
    return sums


def _learn(book: Book, person: Person, fact: TraitFact, event: InteractionRecognized) -> tuple[Person, tuple[StoredReceipt, ...]]:
    """The person with what `fact` claims, and the fit receipts that are new."""
    history = book.histories.get(person.person_id)
    if history is not None:
        history.append(fact)
    if not person.fit.is_behind(fact):
        return _learn_late(book, person, event)
    step = advance(person.fit, fact, book.judges.active)
    book.add_fit_receipts(step.receipts)
    say_profile(book, person, _happened(event), step.changed)
    return replace(person, fit=step.fit), step.receipts


def _learn_late(book: Book, person: Person, event: InteractionRecognized) -> tuple[Person, tuple[StoredReceipt, ...]]:
    """A fact that belongs before others: all are folded anew. Where receipts had to be taken back, the score is corrected first."""
    history = book.histories[person.person_id]
    before, after = fold(history[:-1], book.judges), fold(history, book.judges)
    book.replace_fit_receipts({fact.fragment_id for fact in history}, after.receipts)
    say_profile(book, person, _happened(event), changes(person.fit.attributes, after.fit.attributes))
    person = replace(person, fit=after.fit)
    old, new = {receipt.receipt_id for receipt in before.receipts}, {receipt.receipt_id for receipt in after.receipts}
    if old <= new:
        return person, tuple(receipt for receipt in after.receipts if receipt.receipt_id not in old)
    now = person.standing(person.evaluated_at, book.judges.active.grid)
    if now.differs_from(person.said):
        say_corrected(book, person, Cause(event), now, LATE)
        person = replace(person, said=now)
    return person, ()


def _settle(
    book: Book, person: Person, event: InteractionRecognized, earned: tuple[StoredReceipt, ...], learned: tuple[StoredReceipt, ...]
) -> Person:
    """The person after all receipts of one interaction, said if a whole point or the cell is another."""
    if not earned and not learned:
        return person
    grid = book.judges.active.grid
    sums = _grown(person.sums, earned)
    engagement = worth(sums, person.evaluated_at)
    now = Standing(person.fit.points_e4, engagement, grid.cell(person.fit.points_e4, engagement), person.evaluated_at)
    said = person.said
    if now.differs_from(said):
        say_changed(book, person, _happened(event), now, (*earned, *learned))
        said = now
    return replace(person, sums=sums, said=said, fades_at=next_change(sums, grid.engagement, now.at) if earned else person.fades_at)
