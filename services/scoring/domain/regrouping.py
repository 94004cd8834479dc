"""Regrouping: which fragments make up which person. Facts stay where they are; what their fragments claim and earned is taken together anew.

Whoever results is told whole, so that nobody need remember what was last said under an id: hearers keep what they were told of a person who was
absorbed, and whoever comes back under the id is told whole before anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from contracts.events.identity import InteractionRecognized, PersonMarked, PersonMerged, PersonSplit
from contracts.ids import with_prefix
from services.scoring.domain.book import Book, Fragment, Person, Placement
from services.scoring.domain.decay import combine
from services.scoring.domain.fading import next_change
from services.scoring.domain.fit import Booking, Fit, added, judged, together
from services.scoring.domain.fit import book as booked
from services.scoring.domain.passing import fade
from services.scoring.domain.profile import differs
from services.scoring.domain.saying import Cause, say_corrected, say_profile

Regrouped = PersonMerged | PersonSplit | PersonMarked
"""What names people and fragments together without an interaction."""


def placement_of(event: Regrouped) -> Placement:
    """Where an event puts which fragment."""
    if isinstance(event, PersonMerged):
        return dict.fromkeys(event.fragment_ids, (event.person_id, event.graph_version))
    if isinstance(event, PersonMarked):
        return {event.fragment_id: (event.person_id, event.graph_version)}
    return {fragment_id: (part.person_id, part.graph_version) for part in event.parts for fragment_id in part.fragment_ids}


def people_regrouped(events: Iterable[Regrouped]) -> set[str]:
    """Everybody whom the events name. The present owners of the fragments they name come on top."""
    named: set[str] = set()
    for event in events:
        named.add(event.person_id)
        named |= {person_id for person_id, _ in placement_of(event).values()}
        if isinstance(event, PersonMerged):
            named |= set(event.absorbed_person_ids)
    return named


def regroup(book: Book, event: PersonMerged | PersonSplit) -> None:
    """`book` must hold all fragments, and their newest receipts, of everybody named and of the owners of the fragments named."""
    word = "merged" if isinstance(event, PersonMerged) else "split"
    _apply(book, placement_of(event), Cause(event), f"{word}: {event.sentence}")


def place(book: Book, event: InteractionRecognized | PersonMarked) -> Fragment:
    """The fragment of `event` with the person it belongs to: the one known now, unless the event knows better."""
    known = book.fragments.get(event.fragment_id)
    if known is None or event.graph_version > known.graph_version:
        placement = {event.fragment_id: (event.person_id, event.graph_version)}
        _apply(book, placement, Cause(event, step="regrouped"), "the fragment was recognized as another person's")
    return book.fragments[event.fragment_id]


def welcome(book: Book, fragment: Fragment, event: InteractionRecognized) -> None:
    """Whoever owns the fragment has a page in `book`: all marked fragments of people who have none must be there."""
    person = book.people.get(fragment.person_id)
    if person is None:
        book.gone.discard(fragment.person_id)
        is_marked = any(one.is_marked for one in book.fragments_of(fragment.person_id))
        person = Person(fragment.person_id, fragment.graph_version, event.meta.at, is_marked=is_marked)
        is_first = fragment.graph_version == 1 and fragment.fragment_id == with_prefix("frg", person.person_id)
        if not is_first:  # others may have gone by this id, and hearers know them
            say_profile(book, person, Cause(event, step="welcomed"), None)
        book.people[fragment.person_id] = person
    elif fragment.graph_version > person.graph_version:
        book.people[fragment.person_id] = person._replace(graph_version=fragment.graph_version)


def _apply(book: Book, placement: Placement, cause: Cause, reason: str) -> None:
    """Moves the fragments of which `placement` is newer than what is known, and takes everybody together anew whose set of fragments changed."""
    affected: set[str] = set()
    moved: dict[str, Fragment] = {}
    for fragment_id, (person_id, version) in placement.items():
        known = book.fragments.get(fragment_id)
        if known is None:
            moved[fragment_id] = Fragment(fragment_id, person_id, version)
        elif known.graph_version < version:
            moved[fragment_id] = known._replace(person_id=person_id, graph_version=version)
            affected |= {known.person_id, person_id} if known.person_id != person_id else set()
    at = max([cause.event.meta.at, *(book.people[owner].evaluated_at for owner in affected if owner in book.people)])
    for owner in sorted(affected):
        fade(book, owner, at)
    book.fragments.update(moved)
    for owner in sorted(affected):
        _rebuild(book, owner, at, cause, reason)
    for fragment in moved.values():
        _raise_version(book, fragment)


def _rebuild(book: Book, person_id: str, at: datetime, cause: Cause, reason: str) -> None:
    before, own = book.people.pop(person_id, None), book.fragments_of(person_id)
    heard = [fragment for fragment in own if fragment.latest_at is not None]
    if heard:
        book.gone.discard(person_id)
        person = _judged(book, _together(own, heard, at), cause)
        book.people[person_id] = _told(book, person, before, cause, reason)
        return
    book.gone.add(person_id)
    if own:  # nothing was heard yet of whoever goes by the id; what was said under it was about others
        version, is_marked = max(fragment.graph_version for fragment in own), any(fragment.is_marked for fragment in own)
        say_profile(book, Person(person_id, version, at, is_from_tests=False, is_marked=is_marked), cause, None)
    elif before is not None:
        _leave(book, before)


def _leave(book: Book, person: Person) -> None:
    """Nothing is said of an absorbed id. Its fragment is known from now on, so that whoever comes by the id is told whole first."""
    sibling = with_prefix("frg", person.person_id)
    if sibling not in book.fragments:
        book.fragments[sibling] = Fragment(sibling, person.person_id, person.graph_version)


def _together(own: Sequence[Fragment], heard: Sequence[Fragment], at: datetime) -> Person:
    """The person whom these fragments make, not judged yet."""
    known = together(fragment.knowledge for fragment in heard)
    return Person(
        person_id=own[0].person_id,
        graph_version=max(fragment.graph_version for fragment in heard),
        evaluated_at=at,
        fit=Fit(known.attributes, {}, known.version, known.last_key),
        sums=combine(fragment.sums for fragment in heard),
        latest_at=max(fragment.latest_at for fragment in heard if fragment.latest_at is not None),
        is_from_tests=all(fragment.is_test for fragment in heard),
        is_marked=any(fragment.is_marked for fragment in own),
    )


def _judged(book: Book, person: Person, cause: Cause) -> Person:
    """The person with what holds on their profile; what that is more or less than was booked is booked on their oldest fragment."""
    own = [fragment for fragment in book.fragments_of(person.person_id) if fragment.latest_at is not None]
    fit, differences = judged(person.fit.knowledge, added(fragment.written for fragment in own), book.judges)
    if differences:
        oldest = min(own, key=lambda fragment: fragment.fragment_id)
        steps = () if cause.step is None else (cause.step,)
        booking = Booking(oldest.fragment_id, person.latest_at or person.evaluated_at, (cause.event.meta.event_id, person.person_id, *steps))
        book.fragments[oldest.fragment_id] = oldest._replace(written=booked(oldest.written, differences))
        book.write(booking.receipts(differences))
    return person._replace(fit=fit)


def _told(book: Book, person: Person, before: Person | None, cause: Cause, reason: str) -> Person:
    """The person as hearers know them from now on: whole where a value or the id's owner is another, and the scores where they are."""
    grid = book.judges.active.grid
    now, said = person.standing(person.evaluated_at, grid), None if before is None else before.said
    scores = now if person.has_points or said is not None else None
    after = said
    if before is None or differs(before.fit.attributes, person.fit.attributes):
        say_profile(book, person, cause, scores)
        after = scores
    is_other = said is not None and before is not None and person.is_test is not before.is_test
    if scores is not None and (is_other or person.is_due(now, said, grid)):
        say_corrected(book, person._replace(said=said), cause, now, reason)
        after = now
    return person._replace(said=after, fades_at=next_change(person.sums, grid.engagement, now.at))


def _raise_version(book: Book, fragment: Fragment) -> None:
    person = book.people.get(fragment.person_id)
    if person is not None and fragment.graph_version > person.graph_version:
        book.people[fragment.person_id] = person._replace(graph_version=fragment.graph_version)
