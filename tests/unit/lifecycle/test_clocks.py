"""The clock that marketing and sales agreed on."""

from __future__ import annotations

from contracts.events.lifecycle import SlaBreached, SlaKept, SlaReminded, SlaStarted
from services.lifecycle.domain.transitions import BREACH, REMIND
from tests.support.people import at, merged, per, split
from tests.unit.lifecycle.builders import accepted, created, ready
from tests.unit.lifecycle.world import World

ADA, BEA = per(1), per(2)
BOTH = [1, 2]


def test_a_lead_starts_the_clock_and_sets_two_timers() -> None:
    world = World().hear(*ready(ADA))
    (started,) = world.told(SlaStarted)
    assert (started.clock, started.stage, started.started_at, started.due_at) == ("acceptance", "mql", at(0), at(1))
    assert {kind: due for (kind, _), (due, _) in world.timers.items()} == {BREACH: at(hours=24), REMIND: at(hours=20)}


def test_the_clock_runs_from_the_decision_and_not_from_what_was_imported() -> None:
    imported = [event.model_copy(update={"occurred_at": at(-200)}) for event in ready(ADA)[1:]]
    world = World().hear(*imported).pass_time(at(hours=19))
    assert world.told(SlaStarted)[0].due_at == at(1)
    assert world.told(SlaBreached) == []


def test_accepted_in_time_is_kept_and_the_timers_are_gone() -> None:
    world = World().hear(*ready(ADA), accepted(ADA, at(hours=2)))
    (kept,) = world.told(SlaKept)
    assert (kept.was_breached, kept.by, kept.occurred_at) == (False, "rep_ines", at(hours=2))
    assert world.timers == {}
    assert world.pass_time(at(9)).told(SlaBreached) == []


def test_time_that_is_nearly_up_is_told_once_and_time_that_is_up_too() -> None:
    world = World().hear(*ready(ADA)).pass_time(at(hours=21))
    assert [event.occurred_at for event in world.told(SlaReminded)] == [at(hours=20)]
    world.pass_time(at(3))
    assert [(event.occurred_at, event.due_at) for event in world.told(SlaBreached)] == [(at(1), at(1))]
    world.hear(accepted(ADA, at(4)))
    assert [event.was_breached for event in world.told(SlaKept)] == [True]


def test_what_was_accepted_too_late_is_a_breach_also_when_the_timer_was_slower() -> None:
    world = World().hear(*ready(ADA), accepted(ADA, at(2)))
    (breached,), (kept,) = world.told(SlaBreached), world.told(SlaKept)
    assert (breached.occurred_at, breached.by, kept.was_breached) == (at(1), None, True)


def test_what_happened_in_time_is_in_time_whenever_it_is_heard_of() -> None:
    told_late = accepted(ADA, at(2)).model_copy(update={"occurred_at": at(hours=23)})
    world = World().hear(*ready(ADA), told_late)
    assert world.told(SlaBreached) == []
    assert [event.was_breached for event in world.told(SlaKept)] == [False]


def test_two_clocks_of_one_person_speak_once() -> None:
    world = World().hear(*ready(BEA, at(0)), *ready(ADA, at(hours=3)), merged(BOTH, 2, at(hours=4))).pass_time(at(2))
    assert [(event.person_id, event.due_at) for event in world.told(SlaBreached)] == [(ADA, at(1))]
    world.hear(accepted(ADA, at(3), 2))
    assert [event.due_at for event in world.told(SlaKept)] == [at(1)]


def test_a_clock_whose_person_came_further_by_a_merge_just_ends() -> None:
    world = (
        World()
        .hear(*ready(ADA), *ready(BEA), accepted(BEA, at(hours=1)), merged(BOTH, 2, at(hours=2)))
        .pass_time(at(2))
    )
    assert world.stage(ADA) == "sal"
    assert world.told(SlaBreached) == world.told(SlaReminded) == []


def test_a_clock_goes_with_its_part_of_a_split() -> None:
    world = World().hear(*ready(BEA), created(ADA), merged(BOTH, 2, at(hours=1)), split([[1], [2]], 3, at(hours=2)))
    assert [event.person_id for event in world.pass_time(at(2)).told(SlaBreached)] == [BEA]


def test_a_test_person_has_a_clock_too_and_it_is_marked() -> None:
    world = World().hear(*ready(ADA, is_test=True)).pass_time(at(2))
    assert [event.is_test for event in (*world.told(SlaStarted), *world.told(SlaBreached))] == [True, True]
