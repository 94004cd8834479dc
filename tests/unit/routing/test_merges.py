"""People turn out to be one, or two: referrals go with their fragments, and nobody is asked about twice."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select

from contracts.envelope import Event
from contracts.events.routing import AlertRaised, ReferralOffered
from contracts.ids import derive_id
from services.routing.domain.answers import Reason
from services.routing.domain.workspace import State
from services.routing.store.tables import CREDIT, FRAGMENT, LOAD, OFFER, RECEIPT, REFERRAL
from tests.support.people import frg, merged, per, split
from tests.unit.routing.builders import NOW, entered, of, rep_id, words
from tests.unit.routing.world import World

MINUTE = timedelta(minutes=1)
FIRST, SECOND = entered(1), entered(2, at=NOW + MINUTE)
ONE, TWO = (derive_id("ref", event.meta.at, event.meta.event_id) for event in (FIRST, SECOND))


async def two_leads(world: World) -> dict[str, str]:
    """Two leads, each with a rep; the rep's name by referral."""
    for name in ("Ana Ruiz", "Tomo Arai"):
        await world.hire(name)
    said = await world.hear(FIRST, SECOND)
    names = {rep_id(name): name for name in ("Ana Ruiz", "Tomo Arai")}
    return {event.referral_id: names[event.rep_id] for event in of(ReferralOffered, said)}


async def states(world: World) -> tuple[State, State]:
    return (await world.referral(ONE)).state, (await world.referral(TWO)).state


async def test_of_two_offers_for_one_person_the_older_one_goes_on(world: World) -> None:
    names = await two_leads(world)
    (alert,) = await world.hear(merged([1, 2], 2, NOW))
    assert (alert.kind, alert.referral_id, alert.rep_id) == ("withdrawn", TWO, rep_id(names[TWO]))
    assert f"this is somebody who was referred before, and {names[ONE]} is asked" in alert.headline
    assert await states(world) == (State.OFFERED, State.CLOSED)
    assert (await world.referral(TWO)).person_id == per(1)
    assert await world.trail(TWO) == [(names[TWO], "withdrawn")]


@pytest.mark.parametrize("answer", ["see", "accept"])
async def test_the_referral_that_came_further_goes_on_although_it_is_younger(world: World, answer: str) -> None:
    names = await two_leads(world)
    await (world.see if answer == "see" else world.accept)(names[TWO], TWO)
    (alert,) = await world.hear(merged([1, 2], 2, NOW))
    assert (alert.referral_id, alert.rep_id) == (ONE, rep_id(names[ONE]))
    assert (await states(world))[0] is State.CLOSED
    kept = await world.referral(TWO)
    assert (kept.person_id, kept.fragment_id) == (per(1), frg(2))


async def test_of_two_who_accepted_the_older_one_keeps_the_person_and_the_other_is_told(world: World) -> None:
    names = await two_leads(world)
    await world.accept(names[ONE], ONE)
    await world.accept(names[TWO], TWO)
    (alert,) = of(AlertRaised, await world.hear(merged([1, 2], 2, NOW)))
    assert (alert.kind, alert.rep_id) == ("withdrawn", rep_id(names[TWO]))
    assert f"{names[ONE]} takes care of them" in alert.headline


async def test_a_split_lets_each_go_with_their_fragment_and_asks_nobody_anew(world: World) -> None:
    names = await two_leads(world)
    await world.accept(names[TWO], TWO)
    await world.hear(merged([1, 2], 2, NOW))
    assert await world.hear(split([[1], [2]], 3, NOW)) == []
    kept, back = await world.referral(TWO), await world.referral(ONE)
    assert (kept.state, kept.person_id, kept.rep_id) == (State.ACCEPTED, per(2), rep_id(names[TWO]))
    assert (back.state, back.person_id, back.rep_id) == (State.UNASSIGNED, per(1), None)


async def test_what_was_accepted_before_a_merge_is_accepted_again_after_the_split(world: World) -> None:
    names = await two_leads(world)
    await world.accept(names[ONE], ONE)
    await world.accept(names[TWO], TWO)
    await world.hear(merged([1, 2], 2, NOW), split([[1], [2]], 3, NOW))
    back = await world.referral(TWO)
    assert (back.state, back.rep_id, back.person_id, back.closed_because) == (
        State.ACCEPTED,
        rep_id(names[TWO]),
        per(2),
        None,
    )


async def test_what_was_answered_while_they_were_one_is_not_brought_back(world: World) -> None:
    names = await two_leads(world)
    await world.hear(merged([1, 2], 2, NOW))
    world.now += MINUTE
    await world.give_back(names[ONE], ONE, Reason.NOT_A_FIT)
    await world.hear(split([[1], [2]], 3, NOW))
    assert await states(world) == (State.RETURNED, State.CLOSED)


async def test_events_after_a_merge_name_the_survivor(world: World) -> None:
    names = await two_leads(world)
    await world.accept(names[TWO], TWO)
    await world.hear(merged([1, 2], 2, NOW))
    await world.give_back(names[TWO], TWO, Reason.BAD_TIMING)
    told = world.said[-1]
    assert (told.person_id, told.fragment_id, told.graph_version) == (per(1), frg(1), 2)


async def test_a_lead_under_an_id_that_was_absorbed_is_referred_all_the_same_and_once(world: World) -> None:
    """Between lifecycle's stream and identity's there is no order: both come to one referral of the survivor."""
    await world.hire("Ana Ruiz")
    assert await world.hear(merged([1, 2], 2, NOW)) == []
    (offered,) = of(ReferralOffered, await world.hear(SECOND))
    assert (offered.person_id, offered.fragment_id, offered.graph_version) == (per(1), frg(1), 2)
    assert await world.hear(FIRST) == []


async def test_what_lifecycle_said_of_an_absorbed_id_moves_nobody_on(world: World) -> None:
    await world.hire("Ana Ruiz")
    await world.hear(FIRST, merged([1, 2], 2, NOW))
    assert await world.hear(entered(2, "disqualified", at=NOW + MINUTE)) == []
    assert (await world.referral(ONE)).state is State.OFFERED


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_whatever_is_heard_first_one_person_has_one_open_referral(world: World, order: Sequence[int]) -> None:
    await world.hire("Ana Ruiz")
    told: list[Event] = [FIRST, SECOND, merged([1, 2], 2, NOW)]
    for index in order:
        await world.hear(told[index])
    async with world.database.read() as session:
        rows = await session.execute(select(REFERRAL.c.person_id, REFERRAL.c.state))
    assert [row.person_id for row in rows if row.state != "closed"] == [per(1)]


async def test_an_older_grouping_that_is_heard_late_takes_nothing_back(world: World) -> None:
    await two_leads(world)
    await world.hear(merged([1, 2], 2, NOW), split([[1], [2]], 3, NOW))
    assert await world.hear(merged([1, 2], 2, NOW + MINUTE)) == []
    assert (await world.referral(TWO)).person_id == per(2)


def a_history(seed: int) -> list[Event]:
    rng = random.Random(seed)
    told: list[Event] = []
    version, joined = 1, False
    for step in range(40):
        at = NOW + step * MINUTE
        number = rng.randint(1, 4)
        match rng.randrange(6):
            case 0 if not joined:
                version, joined = version + 1, True
                told.append(merged([1, 2], version, at))
            case 0:
                version, joined = version + 1, False
                told.append(split([[1], [2]], version, at))
            case 1 | 2 | 3:
                who = 1 if joined and number == 2 else number
                told.append(entered(who, "mql", at=at, version=version if who <= 2 else 1))
            case _:
                who = 1 if joined and number == 2 else number
                told.append(
                    entered(who, rng.choice(["sal", "recycled", "customer"]), at=at, version=version if who <= 2 else 1)
                )
    return told


async def everything(world: World) -> dict[str, list[Any]]:
    async with world.database.read() as session:
        return {
            table.name: sorted(map(repr, await session.execute(select(table))))
            for table in (REFERRAL, OFFER, RECEIPT, CREDIT, LOAD)
        }


@pytest.mark.parametrize("seed", range(3))
async def test_it_does_not_matter_how_a_history_is_cut_into_batches(world: World, seed: int) -> None:
    for name in ("Ana Ruiz", "Tomo Arai", "Ines Amaral"):
        await world.hire(name, capacity=3)
    told = a_history(seed)
    said = await world.hear(*told)
    whole = await everything(world)
    async with world.database.begin() as session:
        for table in (REFERRAL, OFFER, RECEIPT, CREDIT, FRAGMENT):
            await session.execute(table.delete())
        await session.execute(LOAD.update().values(number=0))
    again = []
    for event in told:
        again += await world.hear(event)
    assert words(again) == words(said)
    assert [event.meta.event_id for event in again] == [event.meta.event_id for event in said]
    assert await everything(world) == whole
    assert len(said) > 10
