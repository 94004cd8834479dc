"""A small identity service for tests: links and cuts among fragments, told as the real one tells them, with events in
flight.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.envelope import Event
from contracts.events.identity import InteractionRecognized, PersonMarked
from contracts.ids import with_prefix
from contracts.values import Interaction
from tests.support.people import START, merged, meta, split
from tests.unit.scoring.builders import as_known, recognized


@dataclass
class Registry:
    """People as sets of fragments.

    What is recognized can be kept in flight: it then arrives later, naming the person it knew.
    """

    owner: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    told: list[Event] = field(default_factory=list)
    in_flight: list[InteractionRecognized] = field(default_factory=list)
    marked: set[str] = field(default_factory=set)
    clock: int = 0
    began: datetime = START + timedelta(days=400)  # when the first event is heard

    def see(self, interaction: Interaction, fragment: int, *, delayed: bool = False) -> None:
        event = recognized(interaction, fragment, heard_at=self._tick(), **as_known(interaction, fragment))
        person = self.owner.setdefault(event.fragment_id, event.person_id)
        version = self.versions.setdefault(person, 1)
        event = event.model_copy(update={"person_id": person, "graph_version": version})
        (self.in_flight if delayed else self.told).append(event)

    def land(self) -> None:
        self.told += self.in_flight
        self.in_flight.clear()

    def mark(self, person: str, *, is_test: bool = True) -> None:
        """A mark hangs on the oldest fragment; to take it back is about all of them."""
        fragments = self._fragments(person)
        for fragment in fragments[:1] if is_test else sorted(self.marked.intersection(fragments)):
            self.told.append(
                PersonMarked(
                    meta=meta(self._tick(), "marked"),
                    person_id=person,
                    fragment_id=fragment,
                    graph_version=self.versions[person],
                    is_test=is_test,
                    marked_by="usr_ada",
                )
            )
        self.marked = self.marked | set(fragments[:1]) if is_test else self.marked - set(fragments)

    def merge(self, first: str, second: str) -> None:
        people = sorted({self.owner[first], self.owner[second]})
        if len(people) < 2:
            return
        survivor, version = people[0], 1 + max(self.versions[person] for person in people)
        for person in people[1:]:
            for fragment in self._fragments(person):
                self.owner[fragment] = survivor
            del self.versions[person]
        self.versions[survivor] = version
        self.told.append(merged([one[4:] for one in self._fragments(survivor)], version, self._tick()))

    def split(self, person: str, away: Iterable[str]) -> None:
        version = self.versions.pop(person) + 1
        gone = set(away)
        fragments = self._fragments(person)
        parts = [
            part
            for part in (tuple(f for f in fragments if f not in gone), tuple(f for f in fragments if f in gone))
            if part
        ]
        for part in parts:
            owner = with_prefix("per", min(part))
            self.versions[owner] = version
            self.owner.update(dict.fromkeys(part, owner))
        self.told.append(split([[one[4:] for one in part] for part in parts], version, self._tick()))

    def _fragments(self, person: str) -> tuple[str, ...]:
        return tuple(sorted(fragment for fragment, owner in self.owner.items() if owner == person))

    def _tick(self) -> datetime:
        self.clock += 1
        return self.began + timedelta(seconds=self.clock)
