"""What every person-level event names, whoever says it."""

from __future__ import annotations

from contracts.envelope import Event
from contracts.ids import with_prefix


class PersonEvent(Event):
    """Something about one person. `fragment_id` is the person's oldest; `graph_version`
    is the grouping of fragments it rests on.
    """

    person_id: str
    fragment_id: str
    graph_version: int

    @property
    def lane_key(self) -> str:
        return with_prefix("frg", self.person_id)
