"""Who is who: each fragment with the person it belongs to, learned from identity's merges and
splits and from the events that name a person.

A service that keeps facts per fragment answers for any grouping: after a merge, after a split, and for ids that were
absorbed. A fragment of which nothing is written is a person of its own (`own`): so a stranger costs no row. Merges and
splits are always written, whoever they are about, because from then on that default would be wrong.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from contracts.events.identity import PersonMerged, PersonSplit
from contracts.ids import with_prefix


@dataclass(frozen=True, slots=True)
class Placement:
    """Whose a fragment is, by the grouping `graph_version`."""

    person_id: str
    graph_version: int


Placements = Mapping[str, Placement]
"""Fragment -> whose it is."""


def own(fragment_id: str) -> Placement:
    """Whose a fragment is of which nothing was said: a person of its own, in no grouping yet."""
    return Placement(with_prefix("per", fragment_id), 0)


def placement_in(known: Placements, fragment_id: str) -> Placement:
    """Whose a fragment is, by what is known."""
    return known.get(fragment_id) or own(fragment_id)


def is_own(fragment_id: str, placement: Placement) -> bool:
    """Whether a placement says only what would hold without it."""
    return placement.person_id == with_prefix("per", fragment_id)


def placements_at_rest(
    told: Placements, known: Placements, kept: Container[str], regrouped: Container[str] = ()
) -> dict[str, Placement]:
    """Those of `told` that must be written: of people of whom something is `kept`, what a merge or split said
    (`regrouped`), and what is not as it would be by default.
    """
    return {
        fragment_id: placement
        for fragment_id, placement in told.items()
        if fragment_id in regrouped
        or fragment_id in known
        or placement.person_id in kept
        or not is_own(fragment_id, placement)
    }


def placements_of(event: PersonMerged | PersonSplit) -> dict[str, Placement]:
    """Every fragment that a merge or split names, with whose it is from now on."""
    if isinstance(event, PersonMerged):
        return {fragment_id: Placement(event.person_id, event.graph_version) for fragment_id in event.fragment_ids}
    return {
        fragment_id: Placement(part.person_id, part.graph_version)
        for part in event.parts
        for fragment_id in part.fragment_ids
    }


def is_newer(known: Placement | None, graph_version: int) -> bool:
    """Whether a grouping is news of a fragment; an older one than the one known says nothing."""
    return known is None or graph_version > known.graph_version


def newer(known: Placements, told: Placements) -> dict[str, Placement]:
    """Those of `told` that are news."""
    return {
        fragment_id: placement
        for fragment_id, placement in told.items()
        if is_newer(known.get(fragment_id), placement.graph_version)
    }
