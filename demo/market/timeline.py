"""The whole market: who comes, when, and what each of them does until now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain

from demo.market.archetypes import CROWD, HOT, TEST, Archetype
from demo.market.campaigns import WEEKS
from demo.market.dice import Dice
from demo.market.outcomes import Fate
from demo.market.people import Persona, invent
from demo.market.steps import EntryPoint, Step, Story

SPAN = timedelta(weeks=WEEKS)
FEWEST = 20
_LATEST_ARRIVAL = timedelta(hours=6)  # before now: who comes later is a live visitor
_VISIT = timedelta(minutes=25)  # so long ago live visitors arrived


@dataclass(frozen=True)
class Market:
    """People, their fates by address, and all steps in the order of time.

    `prelude` is the hot lead's visit: it happens now and is sent first.
    """

    now: datetime
    personas: Mapping[str, Persona]
    fates: Mapping[str, Fate]
    prelude: tuple[Step, ...]
    steps: tuple[Step, ...]

    @property
    def size(self) -> int:
        """How many captures there are to send."""
        return len(self.prelude) + len(self.steps)

    def fate_of(self, email: str) -> Fate | None:
        """What becomes of the person with this address."""
        return self.fates.get(email.casefold())


def make_market(seed: str, run: int, people: int, now: datetime) -> Market:
    """The same four arguments give the same market."""
    cast = [HOT, TEST, *_crowd(people - 2, Dice(seed, run, "crowd"))]
    personas, fates, stories = {}, {}, []
    reception: dict[str, Persona] = {}
    for index, archetype in enumerate(cast):
        key = f"demo-{run}-{index:04d}"
        dice = Dice(seed, run, index)
        persona = invent(key, index, archetype.name, archetype.kind, dice)
        if archetype.shares_device:
            persona = _at_reception(persona, reception)
        personas[key] = persona
        fates[persona.email.casefold()] = archetype.fate(persona, Dice(seed, run, index, "fate"))
        stories.append(_told(persona, archetype, now, dice))
    prelude = tuple(stories[0])
    steps = sorted((step for step in chain(*stories[1:]) if step.at < now), key=lambda step: (step.at, step.message_id))
    return Market(now, personas, fates, prelude, tuple(steps))


def _crowd(people: int, dice: Dice) -> list[Archetype]:
    """As many of each kind as its share says, in any order; every kind occurs, and those who share a device come in
    pairs.
    """
    counts = {archetype.name: max(1, round(archetype.share * people)) for archetype in CROWD}
    for archetype in CROWD:
        if archetype.shares_device:
            counts[archetype.name] += counts[archetype.name] % 2
    rest, most = CROWD[1:], CROWD[0]
    chosen = [archetype for archetype in rest for _ in range(counts[archetype.name])]
    return dice.shuffled([*chosen, *[most] * (people - len(chosen))])


def _at_reception(persona: Persona, waiting: dict[str, Persona]) -> Persona:
    """Every second one uses the computer of the one before, in the same company."""
    first = waiting.pop("first", None)
    if first is None:
        waiting["first"] = persona
        return persona
    email = f"{persona.email.partition('@')[0]}@{first.company.domain}"
    return replace(persona, company=first.company, email=email, devices=first.devices)


def _told(persona: Persona, archetype: Archetype, now: datetime, dice: Dice) -> Sequence[Step]:
    if archetype.is_live:
        return _live(persona, archetype, now, dice)
    begin = now - _LATEST_ARRIVAL - dice.span(timedelta(0), SPAN - _LATEST_ARRIVAL)
    story = Story(persona, begin, dice, is_test=archetype is TEST)
    archetype.script(story)
    return _without_future(story.steps, now)


def _live(persona: Persona, archetype: Archetype, now: datetime, dice: Dice) -> Sequence[Step]:
    """A visit of today, moved so that it ends with its form just before now."""
    story = Story(persona, now - _VISIT, dice)
    archetype.script(story)
    late = story.steps[-1].at - now + timedelta(seconds=dice.between(5, 200))
    return [replace(step, at=step.at - late) for step in story.steps]


def _without_future(steps: Iterable[Step], now: datetime) -> list[Step]:
    return [step for step in steps if step.at < now and step.door is not EntryPoint.FORM]
