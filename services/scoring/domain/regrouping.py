"""Regrouping: which fragments make up which person. Facts stay where they are; profiles, fit and sums are taken together anew.

Whoever results is told under their id what differs from what was last said under it, however long ago: hearers keep what they were told of a person
who was absorbed, and of one whom a split brings back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from contracts.events.identity import InteractionRecognized, PersonMarked, PersonMerged, PersonSplit
from services.scoring.domain.book import Book, Fragment, Person, Placement, Told
from services.scoring.domain.decay import combine
from services.scoring.domain.fading import next_change
from services.scoring.domain.fit import fold
from services.scoring.domain.passing import fade
from services.scoring.domain.profile import changes
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
    """`book` must hold all fragments and trait facts of everybody named and of the owners of the fragments named."""
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
        said, is_marked = book.forget(fragment.person_id).said, any(one.is_marked for one in book.fragments_of(fragment.person_id))
        book.people[fragment.person_id] = Person(fragment.person_id, fragment.graph_version, event.meta.at, is_marked=is_marked, said=said)
    elif fragment.graph_version > person.graph_version:
        book.people[fragment.person_id] = replace(person, graph_version=fragment.graph_version)


def _apply(book: Book, placement: Placement, cause: Cause, reason: str) -> None:
    """Moves the fragments of which `placement` is newer than what is known, and folds everybody anew whose set of fragments changed."""
    affected: set[str] = set()
    moved: dict[str, Fragment] = {}
    for fragment_id, (person_id, version) in placement.items():
        known = book.fragments.get(fragment_id)
        if known is None:
            moved[fragment_id] = Fragment(fragment_id, person_id, version)
            affected |= {person_id} & book.farewells.keys()  # an id comes back that nobody went by
        elif known.graph_version < version:
            moved[fragment_id] = replace(known, person_id=person_id, graph_version=version)
            affected |= {known.person_id, person_id} if known.person_id != person_id else set()
    at = max([cause.event.meta.at, *(book.people[owner].evaluated_at for owner in affected if owner in book.people)])
    for owner in sorted(affected):
        fade(book, owner, at)
    book.fragments.update(moved)
    _pool_histories(book, affected)
    for owner in sorted(affected):
        _rebuild(book, owner, at, cause, reason)
    for fragment in moved.values():
        _raise_version(book, fragment)


def _pool_histories(book: Book, affected: set[str]) -> None:
    """Trait facts go with their fragments."""
    facts = [fact for owner in affected for fact in book.histories.pop(owner, [])]
    for owner in affected:
        book.histories[owner] = []
    for fact in facts:
        book.histories[book.fragments[fact.fragment_id].person_id].append(fact)


def _rebuild(book: Book, person_id: str, at: datetime, cause: Cause, reason: str) -> None:
    own = book.fragments_of(person_id)
    told = book.forget(person_id)
    book.gone.add(person_id)
    if not own:
        book.part_with(person_id, told)
        return
    has_facts = any(fragment.latest_at is not None for fragment in own)
    person = _folded(book, own, at, told) if has_facts else _nobody(own, at, told)
    say_profile(book, person, cause, changes(told.attributes, person.fit.attributes))
    person = _correct(book, person, told, cause, reason)
    if has_facts:
        book.gone.discard(person_id)
        book.people[person_id] = person
    else:
        book.part_with(person_id, Told(said=person.said, is_test=person.is_test))


def _folded(book: Book, own: Sequence[Fragment], at: datetime, told: Told) -> Person:
    """The person whom all facts on these fragments make."""
    fragments = [fragment for fragment in own if fragment.latest_at is not None]
    folded = fold(book.histories[own[0].person_id], book.judges)
    book.replace_fit_receipts({fragment.fragment_id for fragment in fragments}, folded.receipts)
    return Person(
        person_id=own[0].person_id,
        graph_version=max(fragment.graph_version for fragment in fragments),
        evaluated_at=at,
        fit=folded.fit,
        sums=combine(fragment.sums for fragment in fragments),
        latest_at=max(fragment.latest_at for fragment in fragments if fragment.latest_at is not None),
        is_from_tests=all(fragment.is_test for fragment in fragments),
        is_marked=any(fragment.is_marked for fragment in own),
        said=told.said,
    )


def _nobody(own: Sequence[Fragment], at: datetime, told: Told) -> Person:
    """Who goes by an id of which nothing was heard yet: what was said under it before was about others."""
    version, is_marked = max(fragment.graph_version for fragment in own), any(fragment.is_marked for fragment in own)
    return Person(own[0].person_id, version, at, is_from_tests=told.is_test, is_marked=is_marked, said=told.said)


def _correct(book: Book, person: Person, told: Told, cause: Cause, reason: str) -> Person:
    grid = book.judges.active.grid
    now = person.standing(person.evaluated_at, grid)
    is_news = now.differs_from(told.said) or person.is_test is not told.is_test
    if is_news and (told.said is not None or person.has_points):
        say_corrected(book, person, cause, now, reason)
        person = replace(person, said=now)
    return replace(person, fades_at=next_change(person.sums, grid.engagement, now.at))


def _raise_version(book: Book, fragment: Fragment) -> None:
    person = book.people.get(fragment.person_id)
    if person is not None and fragment.graph_version > person.graph_version:
        book.people[fragment.person_id] = replace(person, graph_version=fragment.graph_version)
