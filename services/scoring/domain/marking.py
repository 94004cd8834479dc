"""Marks: somebody said that a person is a test, or is none after all. A mark hangs on its fragment and goes where that goes."""

from __future__ import annotations

from contracts.events.identity import PersonMarked
from services.scoring.domain.book import Book, Person
from services.scoring.domain.passing import fade
from services.scoring.domain.regrouping import place
from services.scoring.domain.saying import Cause, say_corrected


def mark(book: Book, event: PersonMarked) -> None:
    """A fragment that nothing was heard of yet remembers its mark. `book` must hold all fragments of whoever is concerned."""
    fragment = place(book, event)
    if fragment.is_marked is event.is_test:
        return
    book.fragments[fragment.fragment_id] = fragment._replace(is_marked=event.is_test)
    if fragment.person_id not in book.people:
        return
    at = max(event.meta.at, book.people[fragment.person_id].evaluated_at)
    fade(book, fragment.person_id, at)
    before = book.people[fragment.person_id]
    is_marked = any(one.is_marked for one in book.fragments_of(fragment.person_id))
    book.people[fragment.person_id] = _told(book, before, before._replace(is_marked=is_marked, evaluated_at=at), event)


def _told(book: Book, before: Person, person: Person, event: PersonMarked) -> Person:
    """Whoever heard a score of this person hears whether it still counts."""
    if person.is_test is before.is_test or person.said is None:
        return person
    now = person.standing(person.evaluated_at, book.judges.active.grid)
    say_corrected(book, person, Cause(event), now, "marked as a test" if event.is_test else "no longer marked as a test")
    return person._replace(said=now)
