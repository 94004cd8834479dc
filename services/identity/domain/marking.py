"""Somebody is a test: their own tests, a competitor, a robot. A human's word, kept on the person's oldest fragment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from contracts.envelope import Meta
from contracts.events.identity import PersonMarked
from contracts.ids import derive_id
from services.identity.domain.graph import Fragment, oldest_first


@dataclass(frozen=True, slots=True)
class Marking:
    """What came of it: the fragments that changed, and what is to be said."""

    fragments: Sequence[Fragment] = ()
    said: Sequence[PersonMarked] = ()


def mark(fragments: Sequence[Fragment], *, is_test: bool, by: str, at: datetime) -> Marking:
    """One person (given as all of its fragments) is a test, or is none after all: then every mark on them goes. What is so already is not said."""
    oldest = oldest_first(fragments)[0]
    chosen = [one for one in fragments if one.is_marked is not is_test and (one.fragment_id == oldest or not is_test)]
    changed = [one._replace(marked_by=by if is_test else None, marked_at=at if is_test else None) for one in chosen]
    return Marking(changed, [_say(one, is_test=is_test, by=by, at=at) for one in changed])


def is_test_person(fragments: Iterable[Fragment]) -> bool:
    """Whether only test sources saw the person, or somebody marked them."""
    own = list(fragments)
    return all(one.is_test for one in own) or any(one.is_marked for one in own)


def _say(fragment: Fragment, *, is_test: bool, by: str, at: datetime) -> PersonMarked:
    event_id = derive_id("evt", at, PersonMarked.wire_name, fragment.fragment_id, str(is_test), by, at.isoformat())
    return PersonMarked(
        meta=Meta(event_id=event_id, at=at, correlation_id=event_id),
        person_id=fragment.person_id,
        fragment_id=fragment.fragment_id,
        graph_version=fragment.graph_version,
        is_test=is_test,
        marked_by=by,
    )
