"""The words in which all tests speak of people: numbers become ids, days become moments, and identity says who is
who.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.envelope import Meta
from contracts.events.identity import PersonMerged, PersonPart, PersonSplit
from contracts.events.scoring import Attribute
from contracts.ids import derive_id, with_prefix
from contracts.values import Strength

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def at(days: float = 0, **delta: float) -> datetime:
    """So many days (or `hours=...`) after START."""
    return START + timedelta(days=days, **delta)


def frg(number: int | str) -> str:
    """The id of a fragment; the smaller the number, the older it is."""
    return f"frg_{number:0>26}"


def per(number: int | str) -> str:
    """The id of the person whose oldest fragment has this number."""
    return f"per_{number:0>26}"


def meta(when: datetime, *cause: object) -> Meta:
    """Of an event that `cause` brought about; the same cause at the same moment gives the same event id."""
    event_id = derive_id("evt", when, *map(str, cause))
    return Meta(event_id=event_id, at=when, correlation_id=f"cap_{event_id[4:]}")


def attribute(value: Any, when: datetime = START, strength: Strength = Strength.CLAIMED) -> Attribute:
    """A believed value of a profile."""
    return Attribute(value=value, strength=strength, source_id="src_web", interaction_id="int_1", occurred_at=when)


def merged(fragments: Iterable[int | str], version: int, when: datetime = START) -> PersonMerged:
    """All these fragments (by number) are one person from now on: that of the oldest."""
    first, *others = sorted(map(frg, fragments))
    return PersonMerged(
        meta=meta(when, "merged", first, *others, version),
        person_id=with_prefix("per", first),
        absorbed_person_ids=tuple(with_prefix("per", one) for one in others),
        fragment_ids=(first, *others),
        graph_version=version,
        strength=Strength.MANUAL,
        sentence="They are one.",
    )


def split(parts: Sequence[Iterable[int | str]], version: int, when: datetime = START) -> PersonSplit:
    """Each part (fragments by number) is a person from now on."""
    groups = [sorted(map(frg, part)) for part in parts]
    people = tuple(
        PersonPart(person_id=with_prefix("per", group[0]), fragment_ids=tuple(group), graph_version=version)
        for group in groups
    )
    return PersonSplit(
        meta=meta(when, "split", *groups, version),
        person_id=min(one.person_id for one in people),
        parts=people,
        graph_version=version,
        sentence="They are several.",
    )
