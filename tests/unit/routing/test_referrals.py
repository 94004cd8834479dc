"""A lead is ready: somebody is asked, somebody answers, and nobody is abandoned."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from chassis.store.database import Database
from chassis.store.session import lock
from chassis.store.timers import Timer
from contracts.events.lifecycle import SlaBreached, SlaReminded
from contracts.events.routing import (
    AlertRaised,
    ReferralAccepted,
    ReferralExpired,
    ReferralOffered,
    ReferralReassigned,
    ReferralReturned,
)
from contracts.ids import derive_id
from services.routing.commands import AnotherIsAsked, ReferralWentOn, RepAnswer, RepCannotBeAsked, accept_referral
from services.routing.domain.answers import Asker, Reason
from services.routing.domain.workspace import OFFER_EXPIRED, State
from services.routing.events import on_offers_expired
from services.routing.store.tables import LOAD
from tests.support.people import per
from tests.support.stores import prepare
from tests.unit.routing.builders import HOURS, MOVE, NOW, clock, corrected, entered, in_charge, of, rep_id, words
from tests.unit.routing.world import World, with_rulebook

MINUTE = timedelta(minutes=1)
READY = entered(1)
REFERRAL = derive_id("ref", READY.meta.at, READY.meta.event_id)


async def test_a_lead_that_is_ready_is_offered_to_a_rep_who_takes_it(world: World) -> None:
    await world.hire("Ana Ruiz")
    said = await world.hear(entered(1, "anonymous"), entered(1, "engaged"), READY)
    assert words(said) == ["ReferralOffered", "AlertRaised offered"]
    offered: ReferralOffered = of(ReferralOffered, said)[0]
    assert (offered.referral_id, offered.rep_id, offered.attempt, offered.person_id) == (
        REFERRAL,
        rep_id("Ana Ruiz"),
        1,
        per(1),
    )
    assert offered.due_at == NOW + 4 * HOURS
    assert offered.meta.causation_id == READY.meta.event_id
    assert offered.meta.correlation_id == READY.meta.correlation_id
    assert offered.meta.rulebook == "routing@1"
    assert offered.receipt.sentence == "Assigned to Ana Ruiz: next in turn among all reps. Everybody takes turns."
    await world.see("Ana Ruiz", REFERRAL)
    accepted = await world.accept("Ana Ruiz", REFERRAL, "Calling her today.")
    assert (accepted.state, accepted.due_at, accepted.answered_at) == (State.ACCEPTED, None, NOW)
    assert words(world.said[-2:]) == ["ReferralSeen", "ReferralAccepted"]
    told: ReferralAccepted = world.said[-1]
    assert (told.by, told.receipt.sentence, told.receipt.inputs["note"]) == (
        "Ana Ruiz",
        "Ana Ruiz takes care of them.",
        "Calling her today.",
    )
    assert await world.wait(100 * HOURS) == []


async def test_the_alert_says_who_why_and_until_when(world: World) -> None:
    await world.hire("Ana Ruiz")
    (alert,) = of(AlertRaised, await world.hear(READY))
    assert (
        alert.headline
        == "Mara Lindqvist, Head of Logistics at Tidewater Freight, is ready: asked for a demo. Answer by 16:20 UTC."
    )
    assert [receipt.kind for receipt in alert.because] == ["referral.assignment", "stage.move", "score.engagement"]
    assert alert.because[1] == MOVE
    assert alert.actions == {
        answer: f"POST /v1/referrals/{REFERRAL}:{answer}" for answer in ("see", "accept", "return")
    }
    assert alert.attributes["company"].value == "Tidewater Freight"
    assert alert.scores.cell == "B1"
    assert alert.due_at == NOW + 4 * HOURS
    assert alert.subjects(1) == ("routing.alert.raised.v1.0", f"alerts.rep.{rep_id('Ana Ruiz')}.offered")


async def test_an_answer_that_does_not_come_lets_the_next_rep_be_asked_until_nobody_is_left(world: World) -> None:
    await world.hire("Ana Ruiz")
    await world.hire("Tomo Arai")
    await world.hear(READY)
    first, second = sorted(["Ana Ruiz", "Tomo Arai"], key=rep_id)  # of equals the lesser id comes first
    assert await world.wait(4 * HOURS - MINUTE) == []
    said = await world.wait(MINUTE)
    assert words(said) == ["ReferralExpired", "AlertRaised withdrawn", "ReferralOffered", "AlertRaised offered"]
    expired, offered = of(ReferralExpired, said)[0], of(ReferralOffered, said)[0]
    assert (expired.rep_id, expired.attempt, expired.is_exhausted) == (rep_id(first), 1, False)
    assert expired.receipt.sentence == f"{first} did not answer by 16:20 UTC. {second} is asked next."
    assert (offered.rep_id, offered.attempt, offered.due_at) == (rep_id(second), 2, world.now + 4 * HOURS)
    assert f"{rep_id(first)}: {first} was offered before" in offered.receipt.rejected
    said = await world.wait(4 * HOURS)
    assert words(said) == ["ReferralExpired", "AlertRaised withdrawn"]
    assert said[0].is_exhausted
    assert (await world.referral(REFERRAL)).state is State.UNASSIGNED
    taken = await world.accept(first, REFERRAL)
    assert (taken.state, taken.rep_id, taken.attempt) == (State.ACCEPTED, rep_id(first), 3)
    assert await world.trail(REFERRAL) == [(first, "expired"), (second, "expired"), (first, "accepted")]


async def test_who_answers_late_learns_to_whom_it_went_and_when(world: World) -> None:
    await world.hire("Ana Ruiz", weight=100)
    await world.hire("Tomo Arai")
    await world.hear(READY)
    await world.wait(4 * HOURS)
    with pytest.raises(
        ReferralWentOn, match="went on to Tomo Arai on 2 March at 16:20 UTC, who is to answer by 20:20 UTC"
    ):
        await world.accept("Ana Ruiz", REFERRAL)
    await world.accept("Tomo Arai", REFERRAL)
    with pytest.raises(ReferralWentOn, match="Tomo Arai took this referral over on 2 March"):
        await world.accept("Ana Ruiz", REFERRAL)
    assert words(world.said).count("ReferralAccepted") == 1


async def test_a_stranger_may_not_answer_and_accepting_twice_says_nothing_again(world: World) -> None:
    await world.hire("Ana Ruiz")
    await world.hire("Tomo Arai", weight=0)
    await world.hear(READY)
    with pytest.raises(AnotherIsAsked, match="Ana Ruiz is asked"):
        await world.accept("Tomo Arai", REFERRAL)
    await world.accept("Ana Ruiz", REFERRAL)
    number = len(world.said)
    assert (await world.accept("Ana Ruiz", REFERRAL)).state is State.ACCEPTED
    assert len(world.said) == number


async def test_an_offer_never_outlives_the_clock_of_its_stage(world: World) -> None:
    await world.hire("Ana Ruiz")
    (offered,) = of(ReferralOffered, await world.hear(entered(1, due_at=NOW + HOURS)))
    assert offered.due_at == NOW + HOURS


async def test_imported_history_breaches_nothing_at_once(world: World) -> None:
    await world.hire("Ana Ruiz")
    long_ago = NOW - timedelta(days=400)
    (offered,) = of(ReferralOffered, await world.hear(entered(1, occurred_at=long_ago, due_at=long_ago + HOURS)))
    assert (offered.due_at, offered.occurred_at) == (NOW + 4 * HOURS, NOW)


async def test_without_any_rep_the_lead_waits_and_is_offered_to_the_first_who_comes(world: World) -> None:
    assert await world.hear(READY) == []
    waiting = await world.referral(REFERRAL)
    assert waiting.state is State.UNASSIGNED
    await world.hire("Ana Ruiz", weight=0)
    assert of(ReferralOffered, await world.wait(MINUTE)) == []
    await world.change("Ana Ruiz", weight=1)
    (offered,) = of(ReferralOffered, await world.wait(MINUTE))
    assert offered.rep_id == rep_id("Ana Ruiz")


async def test_a_lead_that_waits_is_offered_to_who_becomes_the_owner_of_its_account(world: World) -> None:
    await world.hire("Ana Ruiz", weight=0)
    await world.hear(entered(1, account_id="acc_1"))
    await world.wait(MINUTE)
    await world.give_account("acc_1", "Ana Ruiz")
    (offered,) = of(ReferralOffered, await world.wait(MINUTE))
    assert offered.rep_id == rep_id("Ana Ruiz")


async def test_however_many_wait_all_are_offered_when_somebody_comes(world: World) -> None:
    await world.hear(*(entered(number) for number in range(1, 231)))
    await world.hire("Ana Ruiz")
    assert len({offered.person_id for offered in of(ReferralOffered, await world.wait(MINUTE))}) == 230


async def test_a_full_rep_gets_nothing_until_there_is_room_again(world: World) -> None:
    await world.hire("Ana Ruiz", capacity=1)
    assert await world.wait(MINUTE) == []  # the clock that her coming set
    await world.hear(READY)
    await world.accept("Ana Ruiz", REFERRAL)
    assert await world.hear(entered(1, "sal"), entered(2)) == []
    assert await world.hear(entered(1, "customer")) == []
    (offered,) = of(ReferralOffered, await world.wait(MINUTE))
    assert offered.person_id == per(2)
    assert (await world.referral(REFERRAL)).state is State.ACCEPTED


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.WRONG_REP])
async def test_a_lead_that_is_given_back_is_lifecycles_to_act_on(world: World, reason: Reason) -> None:
    await world.hire("Ana Ruiz")
    await world.hire("Tomo Arai")
    await world.hear(READY)
    name = "Ana Ruiz" if world.said[-1].rep_id == rep_id("Ana Ruiz") else "Tomo Arai"
    number = len(world.said)
    returned = await world.give_back(name, REFERRAL, reason, "A student.")
    assert returned.state is State.RETURNED
    assert words(world.said[number:]) == ["ReferralReturned"]
    told: ReferralReturned = world.said[-1]
    assert (told.reason, told.note, told.rep_id) == (reason.value, "A student.", rep_id(name))
    assert (await world.give_back(name, REFERRAL, reason)).state is State.RETURNED
    assert await world.hear(entered(1, "recycled")) == []
    assert len(world.said) == number + 1
    assert await world.wait(100 * HOURS) == []


async def test_the_wrong_rep_hands_on_to_the_next_one_also_after_accepting(world: World) -> None:
    await world.hire("Ana Ruiz", weight=100)
    await world.hire("Tomo Arai")
    await world.hear(READY)
    await world.accept("Ana Ruiz", REFERRAL)
    await world.give_back("Ana Ruiz", REFERRAL, Reason.WRONG_REP)
    assert words(world.said[-3:]) == ["ReferralReturned", "ReferralOffered", "AlertRaised offered"]
    assert world.said[-1].rep_id == rep_id("Tomo Arai")
    assert (await world.give_back("Ana Ruiz", REFERRAL, Reason.WRONG_REP)).rep_id == rep_id("Tomo Arai")
    await world.give_back("Tomo Arai", REFERRAL, Reason.WRONG_REP)
    assert words(world.said[-1:]) == ["ReferralReturned"]
    assert (await world.referral(REFERRAL)).state is State.UNASSIGNED


async def test_a_rep_who_was_the_wrong_one_is_not_asked_first_when_somebody_comes_back(world: World) -> None:
    await world.hire("Ana Ruiz", weight=100)
    await world.hire("Tomo Arai")
    await world.hear(READY)
    await world.accept("Ana Ruiz", REFERRAL)
    await world.give_back("Ana Ruiz", REFERRAL, Reason.WRONG_REP)
    await world.give_back("Tomo Arai", REFERRAL, Reason.NO_ANSWER)
    (offered,) = of(ReferralOffered, await world.hear(entered(1, at=NOW + HOURS)))
    assert "took care" not in offered.receipt.sentence


async def test_somebody_in_charge_answers_for_the_rep_but_does_not_take_over_what_another_has(world: World) -> None:
    await world.hire("Ana Ruiz")
    await world.hear(READY)
    chief = Asker("chief", rep_id("Chief"), True)
    accepted = await world.answer(accept_referral, REFERRAL, RepAnswer(in_charge("boss")))
    assert (accepted.state, accepted.rep_id) == (State.ACCEPTED, rep_id("Ana Ruiz"))
    assert world.said[-1].receipt.sentence == "Ana Ruiz takes care of them, says boss."
    assert (await world.answer(accept_referral, REFERRAL, RepAnswer(in_charge("boss")))).rep_id == rep_id("Ana Ruiz")
    with pytest.raises(ReferralWentOn, match="Ana Ruiz took this referral over"):
        await world.answer(accept_referral, REFERRAL, RepAnswer(chief))


async def test_who_took_care_before_is_asked_first_when_somebody_comes_back(world: World) -> None:
    for name in ("Ana Ruiz", "Tomo Arai", "Ines Amaral"):
        await world.hire(name)
    await world.hear(READY)
    first = world.said[-1].rep_id
    name = next(name for name in ("Ana Ruiz", "Tomo Arai", "Ines Amaral") if rep_id(name) == first)
    await world.accept(name, REFERRAL)
    await world.hear(entered(1, "sal"), entered(1, "recycled"), entered(7), entered(8))
    assert (await world.referral(REFERRAL)).closed_because == "stage_left"
    (offered,) = of(ReferralOffered, await world.hear(entered(1, at=NOW + 30 * 24 * HOURS)))
    assert offered.rep_id == first
    assert offered.receipt.sentence.startswith(f"Assigned to {name}: took care of them before.")
    assert offered.referral_id != REFERRAL


async def test_who_owns_the_account_is_asked_ahead_of_all_turns(world: World) -> None:
    await world.hire("Ana Ruiz", weight=0, capacity=1)
    await world.hire("Tomo Arai")
    await world.give_account("acc_1", "Ana Ruiz")
    (offered,) = of(ReferralOffered, await world.hear(entered(1, account_id="acc_1")))
    assert (
        offered.receipt.sentence == "Assigned to Ana Ruiz: owns the account Tidewater Freight. Everybody takes turns."
    )
    assert offered.receipt.rejected == (f"{rep_id('Tomo Arai')}: Tomo Arai was not first in line",)
    (offered,) = of(ReferralOffered, await world.hear(entered(2, account_id="acc_1")))
    assert offered.rep_id == rep_id("Tomo Arai")
    assert offered.receipt.rejected == (
        f"{rep_id('Ana Ruiz')}: Ana Ruiz owns the account Tidewater Freight, but is over capacity (1 of 1)",
    )


async def test_a_breached_clock_hands_an_open_offer_on_at_once_and_says_so(world: World) -> None:
    await world.hire("Ana Ruiz", weight=100)
    await world.hire("Tomo Arai")
    due_at = NOW + 24 * HOURS
    await world.hear(entered(1, due_at=due_at))
    assert words(await world.hear(clock(SlaBreached, 1, stage="sal", due_at=due_at, at=due_at))) == []
    world.now = due_at
    said = await world.hear(clock(SlaBreached, 1, due_at=due_at, at=due_at))
    assert words(said) == ["ReferralExpired", "AlertRaised withdrawn", "ReferralOffered", "AlertRaised offered"]
    assert of(AlertRaised, said)[1].headline.startswith("Overdue, nobody answered in time: Mara Lindqvist")
    assert of(ReferralOffered, said)[0].due_at == due_at + 4 * HOURS


async def test_a_breach_that_comes_after_the_offers_own_end_leaves_the_next_rep_their_time(world: World) -> None:
    await world.hire("Ana Ruiz", weight=100)
    await world.hire("Tomo Arai")
    due_at = NOW + HOURS
    await world.hear(entered(1, due_at=due_at))
    (offered,) = of(ReferralOffered, await world.wait(HOURS))
    assert offered.due_at == due_at + 4 * HOURS
    assert await world.hear(clock(SlaBreached, 1, due_at=due_at, at=due_at)) == []
    assert (await world.referral(offered.referral_id)).is_overdue


async def test_the_rep_is_reminded_when_time_is_nearly_up(world: World) -> None:
    await world.hire("Ana Ruiz")
    await world.hear(READY)
    (alert,) = of(AlertRaised, await world.hear(clock(SlaReminded, 1, due_at=NOW + 24 * HOURS, at=NOW + HOURS)))
    assert (alert.kind, alert.rep_id) == ("reminded", rep_id("Ana Ruiz"))
    assert "still waits for an answer. Answer by 16:20 UTC." in alert.headline
    await world.accept("Ana Ruiz", REFERRAL)
    assert await world.hear(clock(SlaReminded, 1, due_at=NOW + 24 * HOURS, at=NOW + 2 * HOURS)) == []


async def test_an_offer_is_withdrawn_when_the_person_moves_on_by_other_means(world: World) -> None:
    await world.hire("Ana Ruiz")
    await world.hear(READY)
    (alert,) = await world.hear(entered(1, "disqualified", by="marketer"))
    assert words([alert]) == ["AlertRaised withdrawn"]
    assert alert.headline.endswith("does not wait for you any more: the stage is disqualified now, by marketer.")
    assert alert.actions == {}
    with pytest.raises(ReferralWentOn, match="is over since 2 March at 12:20 UTC: stage left"):
        await world.accept("Ana Ruiz", REFERRAL)
    assert await world.trail(REFERRAL) == [("Ana Ruiz", "withdrawn")]
    assert await world.wait(100 * HOURS) == []


async def test_a_corrected_stage_closes_and_never_offers(world: World) -> None:
    await world.hire("Ana Ruiz")
    assert await world.hear(corrected(2, "mql")) == []
    await world.hear(READY)
    assert words(await world.hear(corrected(1, "customer"))) == ["AlertRaised withdrawn"]


async def test_a_manager_gives_a_referral_to_another_rep_who_has_to_answer(world: World) -> None:
    await world.hire("Ana Ruiz")
    await world.hire("Tomo Arai", weight=0, capacity=0)
    await world.hear(READY)
    number = len(world.said)
    given = await world.reassign("Tomo Arai", REFERRAL)
    assert (given.state, given.rep_id, given.attempt) == (State.OFFERED, rep_id("Tomo Arai"), 2)
    assert words(world.said[number:]) == [
        "AlertRaised withdrawn",
        "ReferralReassigned",
        "ReferralOffered",
        "AlertRaised offered",
    ]
    told: ReferralReassigned = of(ReferralReassigned, world.said)[0]
    assert (told.previous_rep_id, told.rep_id, told.by) == (rep_id("Ana Ruiz"), rep_id("Tomo Arai"), "manager")
    with pytest.raises(RepCannotBeAsked, match="is unknown"):
        await world.reassign("Nobody", REFERRAL)
    number = len(world.said)
    assert (await world.reassign("Tomo Arai", REFERRAL)).attempt == 2
    assert len(world.said) == number
    assert await world.trail(REFERRAL) == [("Ana Ruiz", "reassigned"), ("Tomo Arai", "open")]


async def test_what_a_rep_who_leaves_was_asked_goes_to_the_next_one(world: World) -> None:
    await world.hire("Ana Ruiz", weight=100)
    await world.hire("Tomo Arai")
    await world.hear(READY, entered(2), entered(3))  # the first and the third are Ana's by weight
    await world.accept("Ana Ruiz", REFERRAL)
    number = len(world.said)
    await world.change("Ana Ruiz", is_active=False)
    said = world.said[number:]
    assert words(said) == [
        "RepChanged",
        "ReferralExpired",
        "AlertRaised withdrawn",
        "ReferralOffered",
        "AlertRaised offered",
    ]
    assert said[1].receipt.sentence == "Ana Ruiz is inactive now. Tomo Arai is asked next."
    assert (await world.referral(REFERRAL)).rep_id == rep_id("Ana Ruiz")


async def test_a_test_lead_walks_the_whole_way_into_the_sink_and_takes_nobodys_turn(world: World) -> None:
    await world.hire("Ana Ruiz", capacity=1)
    await world.hire("Tomo Arai", capacity=1)
    for number in range(1, 6):
        said = await world.hear(entered(number, is_test=True))
        assert words(said) == ["ReferralOffered", "AlertRaised offered"]
        assert said[0].rep_id == said[1].rep_id == min(rep_id("Ana Ruiz"), rep_id("Tomo Arai"))
        assert said[1].subjects(1)[1].startswith("alerts.sink.")
    await world.accept("Ana Ruiz" if rep_id("Ana Ruiz") < rep_id("Tomo Arai") else "Tomo Arai", REFERRAL)
    assert world.said[-1].is_test
    reps = [event.rep_id for event in of(ReferralOffered, await world.hear(entered(11), entered(12)))]
    assert reps == sorted([rep_id("Ana Ruiz"), rep_id("Tomo Arai")])


async def test_somebody_who_is_asked_about_already_is_not_asked_about_twice(world: World) -> None:
    await world.hire("Ana Ruiz")
    await world.hear(READY)
    assert await world.hear(entered(1, at=NOW + HOURS)) == []


async def test_a_clock_that_was_set_for_an_offer_before_does_not_end_the_present_one(world: World) -> None:
    await world.hire("Ana Ruiz", weight=100)
    await world.hire("Tomo Arai")
    await world.hear(READY)
    world.now += HOURS
    await world.give_back("Ana Ruiz", REFERRAL, Reason.WRONG_REP)
    number = len(world.said)
    async with world.context() as context:
        await on_offers_expired([Timer(OFFER_EXPIRED, REFERRAL, NOW + 4 * HOURS)], context)
    assert world.said[number:] == []
    assert (await world.referral(REFERRAL)).rep_id == rep_id("Tomo Arai")


@pytest.mark.parametrize("held", ["person", "rep"])
async def test_a_clock_does_not_wait_for_somebody_who_may_wait_for_it(postgres_url: str, held: str) -> None:
    """Who decides about the same may want to set the very timers that are in hand here: one of two who wait for each
    other would be thrown out.
    """
    await prepare(postgres_url, "services.routing.migrations")
    async with Database(postgres_url) as database, Database(postgres_url) as elsewhere:
        await with_rulebook(database)
        world = World(database)
        await world.hire("Ana Ruiz")
        await world.hear(READY)
        world.now += 4 * HOURS
        expired = Timer(OFFER_EXPIRED, REFERRAL, NOW + 4 * HOURS)
        async with elsewhere.begin() as busy:
            if held == "person":
                await lock(busy, [per(1)])
            else:
                await busy.execute(select(LOAD).with_for_update())
            async with asyncio.timeout(30), world.context() as context:
                await on_offers_expired([expired], context)
        assert (await world.referral(REFERRAL)).state is State.OFFERED
        assert words(await world.wait(MINUTE)) == ["ReferralExpired", "AlertRaised withdrawn"]
