"""Lives for tests: what identity, scoring and routing may say of a few people who are merged and split on the way."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.ids import with_prefix
from people_kernel.people import Card, ScoringSaid, blank, updated
from services.lifecycle.domain.incoming_events import IncomingEvent
from tests.support.people import START, frg, merged, per, split
from tests.unit.lifecycle.builders import accepted, corrected, created, points, returned, scored, told_whole

CELLS = ("A1", "A2", "B2", "C1", "D3", "A4")
REASONS = ("wrong_rep", "bad_timing", "not_a_fit")


@dataclass
class Population:
    """People as sets of fragments. Each call tells an event; `delayed` ones are told when they `land`."""

    owner: dict[str, str] = field(default_factory=dict)
    # what scoring has said of each, which it says again with every profile
    cards: dict[str, Card] = field(default_factory=dict)
    version: int = 1
    told: list[IncomingEvent] = field(default_factory=list)
    in_flight: list[IncomingEvent] = field(default_factory=list)
    clock: int = 0

    def tick(self) -> datetime:
        self.clock += 1
        return START + timedelta(hours=self.clock)

    def see(self, number: int) -> str:
        """The person that this fragment is of, seen for the first time if need be; some are strangers at first, whom
        nobody tells of.
        """
        if frg(number) not in self.owner:
            self.owner[frg(number)] = per(number)
            when = self.tick()
            self.told += [created(per(number), when)] if number % 2 else []
        return self.owner[frg(number)]

    def act(self, number: int, what: str, detail: str = "", *, delayed: bool = False) -> None:
        person, when = self.see(number), self.tick()
        event: IncomingEvent
        match what:
            case "profile":
                event = told_whole(
                    self.cards.get(person) or blank(person), when, self.version, email=f"p{number}@acme.example"
                )
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
            self.told.append(merged(self.numbers_of(people[0]), self.version, self.tick()))

    def split(self, number: int) -> None:
        """This fragment goes away from the others."""
        person = self.see(number)
        rest = [fragment_id for fragment_id in self.fragments_of(person) if fragment_id != frg(number)]
        if rest:
            self.version += 1
            self.owner |= {frg(number): per(number)} | dict.fromkeys(rest, with_prefix("per", min(rest)))
            self.told.append(split([[number], [one.removeprefix("frg_") for one in rest]], self.version, self.tick()))

    def numbers_of(self, person: str) -> list[str]:
        return [fragment_id.removeprefix("frg_") for fragment_id in self.fragments_of(person)]

    def fragments_of(self, person: str) -> list[str]:
        return sorted(fragment_id for fragment_id, owner in self.owner.items() if owner == person)


def a_life(rng: random.Random, length: int) -> list[IncomingEvent]:
    """Anything may happen to five people, some of it told late."""
    population = Population()
    for _ in range(length):
        number, delayed = rng.randint(1, 5), rng.random() < 0.2
        match rng.randrange(10):
            case 0:
                population.merge(number, rng.randint(1, 5))
            case 1:
                population.split(number)
            case 2:
                population.land()
            case 3:
                population.act(number, "accept", delayed=delayed)
            case 4:
                population.act(number, "return", rng.choice(REASONS), delayed=delayed)
            case 5:
                population.act(number, "correct", rng.choice(CELLS), delayed=delayed)
            case 6:
                population.act(number, "profile", delayed=delayed)
            case _:
                population.act(number, "score", rng.choice(CELLS), delayed=delayed)
    population.land()
    return population.told
