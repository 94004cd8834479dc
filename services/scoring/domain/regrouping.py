"""Regrouping: which fragments make up which person. Facts stay where they are; profiles, fit and sums are taken together anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from contracts.envelope import Event
from contracts.events.identity import InteractionRecognized, PersonMerged, PersonSplit
from services.scoring.domain.book import Book, Fragment, Person, Placement
from services.scoring.domain.decay import combine
from services.scoring.domain.fading import next_change
from services.scoring.domain.fit import fold
from services.scoring.domain.passing import fade
from services.scoring.domain.profile import changes
from services.scoring.domain.saying import say_corrected, say_profile


def placement_of(event: PersonMerged | PersonSplit) -> Placement:
    """Where a merge or a split puts which fragment."""
    if isinstance(event, PersonMerged):
        return dict.fromkeys(event.fragment_ids, (event.person_id, event.graph_version))
    return {fragment_id: (part.person_id, part.graph_version) for part in event.parts for fragment_id in part.fragment_ids}


def people_regrouped(events: Iterable[PersonMerged | PersonSplit]) -> set[str]:
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
    _apply(book, placement_of(event), event, f"{word}: {event.sentence}")


def place(book: Book, event: InteractionRecognized) -> Fragment:
    """The fragment of `event` with the person it belongs to: the one known now, unless the event knows better."""
    known = book.fragments.get(event.fragment_id)
    if known is None:
        book.fragments[event.fragment_id] = Fragment(event.fragment_id, event.person_id, event.graph_version)
    elif event.graph_version > known.graph_version:
        _apply(book, {event.fragment_id: (event.person_id, event.graph_version)}, event, "the interaction was recognized as another person's")
    fragment = book.fragments[event.fragment_id]
    _welcome(book, fragment, event)
    return fragment


def _welcome(book: Book, fragment: Fragment, event: InteractionRecognized) -> None:
    person = book.people.get(fragment.person_id)
    if person is None:
        book.gone.discard(fragment.person_id)
        book.people[fragment.person_id] = Person(fragment.person_id, fragment.graph_version, event.meta.at)
    elif fragment.graph_version > person.graph_version:
        book.people[fragment.person_id] = replace(person, graph_version=fragment.graph_version)


def _apply(book: Book, placement: Placement, cause: Event, reason: str) -> None:
    """Moves the fragments of which `placement` is newer than what is known, and folds everybody anew whose set of fragments changed."""
    affected: set[str] = set()
    moved: dict[str, Fragment] = {}
    for fragment_id, (person_id, version) in placement.items():
        known = book.fragments.get(fragment_id)
        if known is None:
            moved[fragment_id] = Fragment(fragment_id, person_id, version)
        elif known.graph_version < version:
            moved[fragment_id] = replace(known, person_id=person_id, graph_version=version)
            affected |= {known.person_id, person_id} if known.person_id != person_id else set()
    at = max([cause.meta.at, *(book.people[owner].evaluated_at for owner in affected if owner in book.people)])
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


def _rebuild(book: Book, person_id: str, at: datetime, cause: Event, reason: str) -> None:
    fragments = [fragment for fragment in book.fragments_of(person_id) if fragment.latest_at is not None]
    before = book.people.pop(person_id, None)
    if not fragments:
        book.gone.add(person_id)
        return
    book.gone.discard(person_id)
    folded = fold(book.histories[person_id], book.judges)
    book.replace_fit_receipts({fragment.fragment_id for fragment in fragments}, folded.receipts)
    person = Person(
        person_id=person_id,
        graph_version=max(fragment.graph_version for fragment in fragments),
        evaluated_at=at,
        fit=folded.fit,
        sums=combine(fragment.sums for fragment in fragments),
        latest_at=max(fragment.latest_at for fragment in fragments if fragment.latest_at is not None),
        is_test=all(fragment.is_test for fragment in fragments),
        said=None if before is None else before.said,
    )
    say_profile(book, person, cause, changes(before.fit.attributes if before is not None else {}, person.fit.attributes))
    book.people[person_id] = _correct(book, person, cause, reason)


def _correct(book: Book, person: Person, cause: Event, reason: str) -> Person:
    grid = book.judges.active.grid
    now = person.standing(person.evaluated_at, grid)
    if now.differs_from(person.said) and (person.said is not None or person.has_points):
        say_corrected(book, person, cause, now, reason)
        person = replace(person, said=now)
    return replace(person, fades_at=next_change(person.sums, grid.engagement, now.at))


def _raise_version(book: Book, fragment: Fragment) -> None:
    person = book.people.get(fragment.person_id)
    if person is not None and fragment.graph_version > person.graph_version:
        book.people[fragment.person_id] = replace(person, graph_version=fragment.graph_version)
