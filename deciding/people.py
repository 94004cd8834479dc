"""Who is who: each fragment with the person it belongs to, learned from identity's merges and splits and from the events that name a person.

A service that keeps facts per fragment answers for any grouping: after a merge, after a split, and for ids that were absorbed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contracts.events.identity import PersonMerged, PersonSplit


@dataclass(frozen=True, slots=True)
class Placement:
    """Whose a fragment is, by the grouping `graph_version`."""

    person_id: str
    graph_version: int


Placements = Mapping[str, Placement]
"""Fragment -> whose it is."""


def placements_of(event: PersonMerged | PersonSplit) -> dict[str, Placement]:
    """Every fragment that a merge or split names, with whose it is from now on."""
    if isinstance(event, PersonMerged):
        return {fragment_id: Placement(event.person_id, event.graph_version) for fragment_id in event.fragment_ids}
    return {fragment_id: Placement(part.person_id, part.graph_version) for part in event.parts for fragment_id in part.fragment_ids}


def newer(known: Placements, told: Placements) -> dict[str, Placement]:
    """Those of `told` that are news. An older grouping than the one known says nothing."""
    return {
        fragment_id: placement
        for fragment_id, placement in told.items()
        if fragment_id not in known or placement.graph_version > known[fragment_id].graph_version
    }
