"""Lives for tests: what identity, scoring and routing may say of a few people who are merged and split on the way."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.ids import with_prefix
from people_kernel.cards import Card, ScoringSaid, blank, updated
from services.lifecycle.domain.hearing import Heard
from tests.unit.lifecycle.builders import START, accepted, corrected, created, frg, merged, per, points, returned, scored, split, told_whole

CELLS = ("A1", "A2", "B2", "C1", "D3", "A4")
REASONS = ("wrong_rep", "bad_timing", "not_a_fit")


@dataclass
class Registry:
    """People as sets of fragments. Each call tells an event; `delayed` ones are told when they `land`."""

    owner: dict[str, str] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)  # what scoring has said of each, which it says again with every profile
    version: int = 1
    told: list[Heard] = field(default_factory=list)
    in_flight: list[Heard] = field(default_factory=list)
    clock: int = 0

    def tick(self) -> datetime:
        self.clock += 1
        return START + timedelta(hours=self.clock)

    def see(self, number: int) -> str:
        """The person that this fragment is of, seen for the first time if need be; some are strangers at first, whom nobody tells of."""
        if frg(number) not in self.owner:
            self.owner[frg(number)] = per(number)
            when = self.tick()
            self.told += [created(per(number), when)] if number % 2 else []
        return self.owner[frg(number)]

    def act(self, number: int, what: str, detail: str = "", *, delayed: bool = False) -> None:
        person, when = self.see(number), self.tick()
        event: Heard
        match what:
            case "profile":
                event = told_whole(self.cards.get(person) or blank(person), when, self.version, email=f"p{number}@acme.example")
            case "score":
                earned = [points(8, when, f"rule_{number}")]
                event = scored(person, detail, when, version=self.version, earned=earned)
            case "correct":
                event = corrected(person, detail, when, self.version)
            case "accept":
                event = accepted(person, when, self.version)
            case _:
                event = returned(person, detail, when, self.version)
        if isinstance(event, ScoringSaid):
            self.cards[person] = updated(self.cards.get(person) or blank(person), event)
        (self.in_flight if delayed else self.told).append(event)

    def land(self) -> None:
        self.told += self.in_flight
        self.in_flight.clear()

    def merge(self, one: int, other: int) -> None:
        people = sorted({self.see(one), self.see(other)})
        if len(people) == 2:
            self.version += 1
            for fragment_id in self.fragments_of(people[1]):
                self.owner[fragment_id] = people[0]
            self.told.append(merged(people[0], people[1], self.fragments_of(people[0]), self.version, self.tick()))

    def split(self, number: int) -> None:
        """This fragment goes away from the others."""
        person = self.see(number)
        rest = [fragment_id for fragment_id in self.fragments_of(person) if fragment_id != frg(number)]
        if rest:
            self.version += 1
            self.owner |= {frg(number): per(number)} | dict.fromkeys(rest, with_prefix("per", min(rest)))
            self.told.append(split(person, [[frg(number)], rest], self.version, self.tick()))

    def fragments_of(self, person: str) -> list[str]:
        return sorted(fragment_id for fragment_id, owner in self.owner.items() if owner == person)


def a_life(rng: random.Random, length: int) -> list[Heard]:
    """Anything may happen to five people, some of it told late."""
    registry = Registry()
    for _ in range(length):
        number, delayed = rng.randint(1, 5), rng.random() < 0.2
        match rng.randrange(10):
            case 0:
                registry.merge(number, rng.randint(1, 5))
            case 1:
                registry.split(number)
            case 2:
                registry.land()
            case 3:
                registry.act(number, "accept", delayed=delayed)
            case 4:
                registry.act(number, "return", rng.choice(REASONS), delayed=delayed)
            case 5:
                registry.act(number, "correct", rng.choice(CELLS), delayed=delayed)
            case 6:
                registry.act(number, "profile", delayed=delayed)
            case _:
                registry.act(number, "score", rng.choice(CELLS), delayed=delayed)
    registry.land()
    return registry.told
