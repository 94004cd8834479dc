"""Recording: each recognized interaction becomes a fact, changes what is known, and may move the scores.

Interactions are taken one by one in the order of the stream, so that what is said does not depend on how a batch was cut.
A person is judged at the latest moment anything about them was heard; a fact of earlier date counts from its own date. None of it reads history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from contracts.events.identity import InteractionRecognized
from services.scoring.domain.book import Book, Fragment, Person, Standing
from services.scoring.domain.decay import Accumulators, add, weight, worth
from services.scoring.domain.facts import TraitFact, TraitFacts, trait_facts
from services.scoring.domain.fading import next_change
from services.scoring.domain.fit import Booking, Lesson, learn
from services.scoring.domain.fit import book as booked
from services.scoring.domain.ledger import StoredReceipt, engagement_receipts
from services.scoring.domain.passing import fade
from services.scoring.domain.profile import teaches
from services.scoring.domain.regrouping import place, welcome
from services.scoring.domain.saying import Cause, say_changed, say_corrected, say_profile

LATE = "an interaction of earlier date arrived late and took points back"


def record(book: Book, events: Sequence[InteractionRecognized], claimed: TraitFacts | None = None) -> None:
    """Each event must be new; `book` must hold what the four questions below name; `claimed` is what `trait_facts` gave."""
    facts = trait_facts(events, book.judges.active.version) if claimed is None else claimed
    for event in events:
        record_one(book, event, facts.get(event.interaction.interaction_id))


def people_touched(events: Iterable[InteractionRecognized], fragments: Mapping[str, Fragment]) -> set[str]:
    """Everybody whose state the events may change."""
    touched = set()
    for event in events:
        known = fragments.get(event.fragment_id)
        touched.add(event.person_id if known is None else known.person_id)
        if known is not None and event.graph_version > known.graph_version:
            touched.add(event.person_id)
    return touched


def people_moved(events: Iterable[InteractionRecognized], fragments: Mapping[str, Fragment]) -> set[str]:
    """Everybody who may win or lose a fragment: all of theirs must be at hand."""
    moved: set[str] = set()
    owners: dict[str, set[str]] = {}
    for event in events:
        known = fragments.get(event.fragment_id)
        named = owners.setdefault(event.fragment_id, set() if known is None else {known.person_id})
        if known is None or event.graph_version > known.graph_version:
            named.add(event.person_id)
        if len(named) > 1:
            moved |= named
    return moved


def people_taught(events: Iterable[InteractionRecognized], claimed: TraitFacts, book: Book) -> set[str]:
    """Everybody known of whom the events may change a value: their fragments and newest receipts must be at hand. May name too many."""
    taught: set[str] = set()
    for event in events:
        fact, known = claimed.get(event.interaction.interaction_id), book.fragments.get(event.fragment_id)
        person = book.people.get(event.person_id if known is None else known.person_id)
        if person is not None and fact is not None and person.person_id not in taught and teaches(person.fit.attributes, fact):
            taught.add(person.person_id)
    return taught


def record_one(book: Book, event: InteractionRecognized, fact: TraitFact | None) -> None:
    """One new event, with what it claims."""
    interaction = event.interaction
    fragment = place(book, event)
    welcome(book, fragment, event)
    at = max(event.meta.at, interaction.occurred_at, book.people[fragment.person_id].evaluated_at)
    fade(book, fragment.person_id, at)
    earned = engagement_receipts(interaction, fragment.fragment_id, book.judges.active)
    book.write(earned)
    latest = max(interaction.occurred_at, fragment.latest_at or interaction.occurred_at)
    is_test = fragment.is_test and interaction.is_test
    sums = _grown(fragment.sums, earned)
    book.fragments[fragment.fragment_id] = fragment._replace(sums=sums, latest_at=latest, is_test=is_test)
    person = book.people[fragment.person_id]
    sums = sums if person.sums is fragment.sums else _grown(person.sums, earned)  # the same to the object: of one fragment alone
    latest, is_from_tests = max(latest, person.latest_at or latest), person.is_from_tests and interaction.is_test
    person = person._replace(evaluated_at=at, latest_at=latest, is_from_tests=is_from_tests)
    person, learned = (person, ()) if fact is None else _learn(book, person, fact, event)
    book.people[person.person_id] = _settle(book, person, event, sums, (*earned, *learned))


def _happened(event: InteractionRecognized) -> Cause:
    return Cause(event, event.interaction.occurred_at)


def _grown(sums: Accumulators, earned: Iterable[StoredReceipt]) -> Accumulators:
    for receipt in earned:
        if receipt.half_life is not None:
            sums = add(sums, receipt.half_life, weight(receipt.points_e4, receipt.half_life, receipt.at))
    return sums


def _learn(book: Book, person: Person, fact: TraitFact, event: InteractionRecognized) -> tuple[Person, tuple[StoredReceipt, ...]]:
    """The person with what `fact` claims, and the receipts of fit that are news. Points that a late fact takes back are corrected first."""
    lesson = learn(person.fit, fact, book.judges)
    is_late = not person.fit.knowledge.is_behind(fact.key)
    is_correction = is_late and any(one.points_e4 < 0 for one in lesson.differences)
    at = max(fact.occurred_at, person.latest_at or fact.occurred_at) if is_correction else fact.occurred_at
    receipts = _book(book, fact, lesson, Booking(fact.fragment_id, at, (fact.interaction_id,)))
    told = _told(book, person, lesson, event)
    if not is_correction:
        return told, receipts
    now = told.standing(told.evaluated_at, book.judges.active.grid)
    if now.differs_from(told.said):
        say_corrected(book, told, Cause(event), now, LATE)
        told = told._replace(said=now)
    return told, ()


def _book(book: Book, fact: TraitFact, lesson: Lesson, booking: Booking) -> tuple[StoredReceipt, ...]:
    """Writes down what the fact changed, on its fragment."""
    receipts = booking.receipts(lesson.differences)
    fragment = book.fragments[fact.fragment_id]
    knowledge, written = fragment.knowledge.with_fact(fact), booked(fragment.written, lesson.differences)
    book.fragments[fact.fragment_id] = fragment._replace(knowledge=knowledge, written=written)
    book.write(receipts)
    return receipts


def _told(book: Book, person: Person, lesson: Lesson, event: InteractionRecognized) -> Person:
    """The person with the fit learned; told whole where a value became another. Of a stranger hearers may have no scores yet, or old ones."""
    after = person._replace(fit=lesson.fit)
    if not lesson.is_news:
        return after
    if person.is_stranger and person.has_points:
        after = after._replace(said=person.standing(person.evaluated_at, book.judges.active.grid))
    say_profile(book, after, _happened(event), after.said)
    return after


def _settle(book: Book, person: Person, event: InteractionRecognized, sums: Accumulators, receipts: Sequence[StoredReceipt]) -> Person:
    """The person after all receipts of one interaction, which make `sums` of their engagement; said if that is due."""
    if not receipts:
        return person
    grid = book.judges.active.grid
    engagement = worth(sums, person.evaluated_at)
    now = Standing(person.fit.points_e4, engagement, grid.cell(person.fit.points_e4, engagement), person.evaluated_at)
    said = person.said
    if person.is_due(now, said, grid):
        say_changed(book, person, _happened(event), now, receipts)
        said = now
    return person._replace(sums=sums, said=said, fades_at=person.fades_at if sums is person.sums else next_change(sums, grid.engagement, now.at))
