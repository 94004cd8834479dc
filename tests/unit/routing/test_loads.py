"""How much each rep has to do is kept, not counted: it is always what counting would give, also when several shards ask
at once.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import func, select, text

from chassis.errors import Problem
from chassis.store.database import Database
from contracts.events.routing import ReferralOffered
from services.routing.domain.answers import Reason
from services.routing.events import on_lifecycle_told
from services.routing.store.tables import LOAD, REFERRAL
from tests.support.eventually import eventually
from tests.support.people import merged, split
from tests.support.stores import prepare
from tests.unit.routing.builders import HOURS, NOW, entered, of, rep_id
from tests.unit.routing.world import World, with_rulebook

REPS = ("Ana Ruiz", "Tomo Arai", "Ines Amaral")
TEAMS = """
name: routing
title: Two teams
stages: {refer: [mql], hold: [sal, sql], keep: [customer]}
rules:
  - {name: south, on: mql, when: "person.country == 'PT'", reason: South.,
     effect: {team: south, answer_within_hours: 4}}
  - {name: north, on: mql, when: true, effect: {team: north, answer_within_hours: 4}, reason: North.}
examples:
  - {name: Somebody from the south, on: mql, given: {person.country: PT}, expect: {team: south}}
"""


async def loads(database: Database) -> tuple[dict[str, int], dict[str, int]]:
    """What is kept, and what counting gives; reps without any are left out."""
    counting = (
        select(REFERRAL.c.rep_id, func.count().label("number")).where(REFERRAL.c.takes_room).group_by(REFERRAL.c.rep_id)
    )
    async with database.read() as session:
        kept = {row.rep_id: row.number for row in await session.execute(select(LOAD)) if row.number}
        return kept, {row.rep_id: row.number for row in await session.execute(counting)}


class Life:
    """Anything that may happen to six people and three reps."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.rng, self.version, self.joined = world, random.Random(seed), 1, False

    async def step(self) -> None:
        world, rng = self.world, self.rng
        world.now += HOURS / 10
        number, name = rng.randint(1, 6), rng.choice(REPS)
        if self.joined and number == 2:
            number = 1
        match rng.randrange(10):
            case 0:
                self.version, self.joined = self.version + 1, not self.joined
                together = merged([1, 2], self.version, world.now)
                await world.hear(together if self.joined else split([[1], [2]], self.version, world.now))
            case 1 | 2 | 3:
                await world.hear(entered(number, "mql", at=world.now, version=self.version, is_test=rng.random() < 0.1))
            case 4:
                await world.hear(
                    entered(number, rng.choice(["sal", "customer", "recycled"]), at=world.now, version=self.version)
                )
            case 5:
                await world.wait(rng.choice([1, 5]) * HOURS)
            case 6:
                await world.change(name, is_active=rng.random() < 0.7, capacity=rng.choice([None, 1, 3]))
            case _:
                await self._answer(name)

    async def _answer(self, name: str) -> None:
        world, rng = self.world, self.rng
        async with world.database.read() as session:
            found = list(await session.scalars(select(REFERRAL.c.referral_id).order_by(REFERRAL.c.referral_id)))
        if not found:
            return
        referral_id, reason = rng.choice(found), rng.choice(list(Reason))
        act: Any = rng.choice(
            [world.accept, world.see, lambda who, which: world.give_back(who, which, reason), world.reassign]
        )
        with suppress(Problem):  # not theirs, or over: that is refused
            await act(name, referral_id)


@pytest.mark.parametrize("seed", range(4))
async def test_what_is_kept_of_a_reps_load_is_always_what_counting_gives(world: World, seed: int) -> None:
    for name in REPS:
        await world.hire(name, capacity=3)
    life, seen = Life(world, seed), 0
    for _ in range(60):
        await life.step()
        kept, counted = await loads(world.database)
        assert kept == counted
        seen = max(seen, sum(counted.values()))
    assert seen > 2


async def test_turns_are_fair_and_nobody_waits_in_a_circle_when_two_shards_ask_at_once(postgres_url: str) -> None:
    await prepare(postgres_url, "services.routing.migrations")
    async with Database(postgres_url) as one, Database(postgres_url) as other:
        await with_rulebook(one)
        shards = [World(one), World(other)]
        for name, weight in zip(REPS, (1, 2, 3), strict=True):
            await shards[0].hire(name, weight=weight)

        async def walk(shard: World, first: int) -> None:
            for number in range(first, 60, 2):
                said = await shard.hear(entered(number, at=NOW))
                for offered in of(ReferralOffered, said):
                    name = next(name for name in REPS if rep_id(name) == offered.rep_id)
                    if number % 3:
                        await shard.accept(name, offered.referral_id)

        async with asyncio.timeout(60):
            await asyncio.gather(*(walk(shard, first) for shard, first in zip(shards, (0, 1), strict=True)))
        asked = Counter(event.rep_id for shard in shards for event in of(ReferralOffered, shard.said))
        assert asked == {rep_id(name): share for name, share in zip(REPS, (10, 20, 30), strict=True)}
        kept, counted = await loads(one)
        assert kept == counted


async def test_who_asks_at_the_same_moment_waits_and_gives_the_next_turn(postgres_url: str) -> None:
    await prepare(postgres_url, "services.routing.migrations")
    async with Database(postgres_url) as one, Database(postgres_url) as other:
        await with_rulebook(one)
        first, second = World(one), World(other)
        for name in ("Ana Ruiz", "Tomo Arai"):
            await first.hire(name)
        async with first.context() as context:
            await on_lifecycle_told([entered(1)], context)
            waiting = asyncio.create_task(second.hear(entered(2)))
            await eventually(lambda: _is_waiting_or_done(first.database, waiting))
            asked = of(ReferralOffered, list(context.said))
        asked += of(ReferralOffered, await waiting)
        assert {event.rep_id for event in asked} == {rep_id("Ana Ruiz"), rep_id("Tomo Arai")}


async def _is_waiting_or_done(database: Database, task: asyncio.Task[Any]) -> bool:
    async with database.read() as session:
        return task.done() or bool(await session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


async def test_one_team_does_not_wait_for_another(postgres_url: str) -> None:
    await prepare(postgres_url, "services.routing.migrations")
    async with Database(postgres_url) as database, Database(postgres_url) as elsewhere:
        await with_rulebook(database, TEAMS)
        world = World(database)
        await world.hire("Ana Ruiz", teams=("south",))
        await world.hire("Tomo Arai", teams=("north",))
        async with elsewhere.begin() as busy:
            await busy.execute(select(LOAD).where(LOAD.c.rep_id == rep_id("Ana Ruiz")).with_for_update())
            async with asyncio.timeout(30):
                said = await world.hear(
                    entered(1, knows={"country": "DE"}), entered(2, "engaged", knows={"country": "PT"})
                )
        assert [event.rep_id for event in of(ReferralOffered, said)] == [rep_id("Tomo Arai")]
