"""The walk of a lead, told in the pure domain."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from contracts.events.lifecycle import StageCorrected, StageEntered
from services.lifecycle.domain.sales import NotPossible
from services.lifecycle.domain.workspace import move_id_of
from tests.support.people import at, merged, per
from tests.unit.lifecycle.builders import (
    accepted,
    corrected,
    created,
    expired,
    points,
    process,
    profile,
    ready,
    returned,
    scored,
)
from tests.unit.lifecycle.world import World

ADA = per(1)
LEAD = ["known", "engaged", "mql"]


def test_a_stranger_becomes_a_lead_step_by_step() -> None:
    world = World().hear(
        created(ADA, at(0)),
        scored(ADA, "D3", at(1)),
        profile(ADA, at(2), email="ada@acme.example"),
        scored(ADA, "A2", at(3)),
    )
    assert world.way(ADA) == LEAD
    assert [move.occurred_at for move in world.workspace.new_moves] == [at(0), at(2), at(2), at(3)]


def test_history_that_arrives_late_is_dated_by_when_it_happened() -> None:
    world = World().hear(
        created(ADA, at(30), occurred=at(1)), profile(ADA, at(30, minutes=1), occurred=at(4), email="ada@acme.example")
    )
    assert [(move.stage, move.occurred_at) for move in world.workspace.new_moves] == [
        ("anonymous", at(1)),
        ("known", at(4)),
    ]


def test_one_event_may_lead_through_several_stages_each_with_its_receipt() -> None:
    world = World().hear(*ready(ADA)[1:])
    entered = world.told(StageEntered, ADA)
    assert [(event.previous, event.stage) for event in entered] == [
        ("anonymous", "known"),
        ("known", "engaged"),
        ("engaged", "mql"),
    ]
    assert [event.receipt.rule for event in entered] == ["identified", "takes_part", "ready_for_sales"]
    assert entered[-1].receipt.sentence == "Fits and is engaged (cell A2): ready for sales."
    assert entered[-1].receipt.outcome == "mql"
    assert len({event.meta.event_id for event in entered}) == len({event.receipt.receipt_id for event in entered}) == 3
    first, *others = world.workspace.receipts
    assert (first.rule, others) == ("first_seen", [event.receipt for event in entered])


def test_the_lead_carries_all_that_the_decision_rested_on() -> None:
    demo = points(50, at(0))
    world = World().hear(*ready(ADA, earned=[demo]))
    lead = world.told(StageEntered, ADA)[-1]
    assert lead.attributes["title"].value == "VP Marketing"
    assert (lead.scores.cell, lead.account_id, lead.highlights, lead.due_at) == (
        "A2",
        "acc_acme",
        (demo,),
        at(hours=24),
    )
    assert (lead.receipt.inputs["scores.cell"], lead.meta.rulebook, lead.by) == ("A2", "lifecycle@1", None)
    cause = ready(ADA, earned=[demo])[-1].meta
    assert (lead.meta.causation_id, lead.meta.correlation_id, lead.receipt.cause_id) == (
        cause.event_id,
        cause.correlation_id,
        cause.event_id,
    )


def test_a_lead_walks_all_the_way_to_qualified() -> None:
    world = World().hear(*ready(ADA), accepted(ADA, at(hours=2)))
    world.verdict(ADA, "qualify", at(1), note="Two sites.", bant={"budget": "50k", "need": None})
    assert world.way(ADA) == [*LEAD, "sal", "sql"]
    sal, sql = world.told(StageEntered, ADA)[-2:]
    assert (sal.by, sal.receipt.inputs["rep_id"]) == ("rep_ines", "rep_ines")
    assert (sql.by, sql.receipt.inputs) == ("usr_ines", {"bant.budget": "50k", "note": "Two sites."})


def test_nobody_goes_back_because_a_score_faded() -> None:
    world = World().hear(*ready(ADA), scored(ADA, "A4", at(30)))
    assert world.stage(ADA) == "mql"


def test_a_correction_or_a_new_folding_fires_nothing_and_the_next_change_decides() -> None:
    refolded = profile(ADA, at(2), email="ada@acme.example").model_copy(update={"occurred_at": None})
    world = World().hear(created(ADA, at(0)), refolded, corrected(ADA, "A1", at(2)))
    assert world.way(ADA) == []
    assert world.hear(scored(ADA, "A1", at(3))).way(ADA) == LEAD


@pytest.mark.parametrize(
    ("reason", "stage"),
    [("wrong_rep", "mql"), ("bad_timing", "recycled"), ("not_a_fit", "disqualified"), ("bad_data", "disqualified")],
)
def test_what_a_rep_gives_back_goes_where_the_reason_says(reason: str, stage: str) -> None:
    world = World().hear(*ready(ADA), returned(ADA, reason, at(hours=3)))
    assert world.stage(ADA) == stage
    if stage != "mql":
        event = world.told(StageEntered, ADA)[-1]
        assert (event.reason, event.by, event.receipt.inputs["note"]) == (reason, "rep_ines", "Call in autumn.")


def test_when_every_rep_was_asked_in_vain_the_lead_waits_where_it_is() -> None:
    world = World().hear(*ready(ADA), expired(ADA, at(1), is_exhausted=True), expired(ADA, at(2), is_exhausted=False))
    assert world.way(ADA) == LEAD


def test_who_was_given_back_does_not_bounce_but_may_come_back_by_themselves() -> None:
    before = scored(ADA, "A1", at(hours=4), earned=[points(40, at(hours=4))])
    world = World().hear(*ready(ADA), before, returned(ADA, "bad_timing", at(1)))
    late = points(50, at(hours=5), "heard_late")  # earned before the return: no answer to it
    world.hear(scored(ADA, "A1", at(2), earned=[late]), scored(ADA, "A2", at(3), earned=[points(15, at(3))]))
    assert world.stage(ADA) == "recycled"
    world.hear(scored(ADA, "A1", at(4), earned=[points(6, at(4))]))
    assert world.way(ADA)[-2:] == ["recycled", "mql"]
    assert (
        world.told(StageEntered, ADA)[-1].receipt.sentence
        == "Came back by themselves and earned 21 points since (cell A1)."
    )


def test_a_person_is_woken_when_the_moment_comes_unless_they_moved_meanwhile() -> None:
    def parked() -> World:
        world = World().hear(*ready(ADA), accepted(ADA, at(1)))
        assert world.verdict(ADA, "recycle", at(2), reason="bad_timing", wake_at=at(90))
        return world.pass_time(at(89))

    assert parked().stage(ADA) == "recycled"
    assert parked().pass_time(at(90)).way(ADA)[-4:] == ["sal", "recycled", "engaged", "mql"]
    quiet = parked().hear(corrected(ADA, "A4", at(80))).pass_time(at(90))
    assert quiet.way(ADA)[-2:] == ["recycled", "known"]
    moved = parked()
    moved.verdict(ADA, "disqualify", at(89.5), reason="left")
    assert moved.pass_time(at(90)).stage(ADA) == "disqualified"


def test_the_wake_date_can_be_set_anew_without_another_move() -> None:
    world = World().hear(*ready(ADA))
    world.verdict(ADA, "recycle", at(1), reason="bad_timing", wake_at=at(30))
    assert world.verdict(ADA, "recycle", at(2), reason="bad_timing", wake_at=at(60))
    assert len(world.told(StageEntered, ADA)) == 4
    assert world.pass_time(at(59)).stage(ADA) == "recycled"
    assert world.pass_time(at(60)).stage(ADA) == "mql"


def test_the_same_verdict_again_moves_nobody() -> None:
    world = World().hear(*ready(ADA), accepted(ADA, at(1)))
    assert world.verdict(ADA, "qualify", at(2))
    before = len(world.workspace.said)
    assert not world.verdict(ADA, "qualify", at(3))
    assert len(world.workspace.said) == before


def test_a_verdict_that_the_process_does_not_allow_says_what_it_does() -> None:
    world = World().hear(created(ADA))
    with pytest.raises(NotPossible) as refusal:
        world.verdict(ADA, "qualify")
    assert refusal.value.detail == "Somebody in anonymous (Anonymous visitor) cannot be led on by :qualify"
    assert refusal.value.instead == "No verdict is possible now. :qualify is for sal"
    world.hear(*ready(ADA)[1:])
    with pytest.raises(NotPossible) as refusal:
        world.verdict(ADA, "qualify")
    assert refusal.value.instead == "Possible now: :recycle, :disqualify. :qualify is for sal"


def test_who_is_reopened_begins_where_the_process_says_or_where_a_human_chooses() -> None:
    def given_up() -> World:
        world = World().hear(*ready(ADA))
        world.verdict(ADA, "disqualify", at(1), reason="student")
        return world

    world = given_up()
    world.verdict(ADA, "reopen", at(2))
    # the rules go on from where the process begins again
    assert world.way(ADA)[-3:] == ["disqualified", "engaged", "mql"]
    world = given_up()
    world.verdict(ADA, "reopen", at(2), to="known")
    assert world.way(ADA)[-2:] == ["disqualified", "known"]  # what a human chose stays
    with pytest.raises(NotPossible) as refusal:
        given_up().verdict(ADA, "reopen", at(2), to="customer")
    assert refusal.value.instead == "Choose one of: engaged, known, mql, sal"


def test_history_is_told_in_one_order_and_what_was_claimed_stays_readable() -> None:
    world = World().hear(*ready(ADA, at(5)), accepted(ADA, at(6)).model_copy(update={"occurred_at": at(1)}))
    sal = world.told(StageEntered, ADA)[-1]
    assert (sal.occurred_at, sal.receipt.inputs["claimed_at"]) == (at(5), at(1).isoformat())


def test_imported_history_moves_in_its_own_time_and_is_decided_now() -> None:
    imported = [event.model_copy(update={"occurred_at": at(-300)}) for event in ready(ADA, at(0))[1:]]
    world = World().hear(*imported)
    lead = world.told(StageEntered, ADA)[-1]
    assert (lead.occurred_at, lead.meta.at, lead.due_at) == (at(-300), at(0), at(1))


def test_a_test_person_walks_the_whole_way_and_is_marked() -> None:
    world = World().hear(*ready(ADA, is_test=True), accepted(ADA, at(1)))
    assert world.way(ADA) == [*LEAD, "sal"]
    assert all(event.is_test for event in world.workspace.said)  # type: ignore[attr-defined]
    world.hear(scored(ADA, "A1", at(2)))
    assert not world.workspace.current_stage(ADA).is_test


def test_what_is_told_of_somebody_absorbed_changes_the_card_and_nothing_else() -> None:
    bea = per(2)
    world = World().hear(created(ADA), created(bea), merged([1, 2], 2, at(1)))
    before = len(world.workspace.said)
    world.hear(profile(bea, at(2), email="bea@acme.example"), scored(bea, "A1", at(2)))
    assert len(world.workspace.said) == before
    assert world.workspace.cards[bea].attributes["email"].value == "bea@acme.example"


def test_an_acceptance_in_flight_during_a_merge_counts_for_the_survivor() -> None:
    bea = per(2)
    world = World().hear(created(ADA), *ready(bea), merged([1, 2], 2, at(1)), accepted(bea, at(2)))
    assert world.way(ADA) == ["(mql)", "sal"]
    assert world.told(StageCorrected, ADA)[0].previous == "anonymous"


def test_a_later_thing_heard_first_comes_to_the_same() -> None:
    """Between streams there is no order: scoring or routing may be heard before identity."""
    events: list[Any] = [*ready(ADA), accepted(ADA, at(1))]
    early = World().hear(*events[1:], events[0])
    assert early.way(ADA) == World().hear(*events).way(ADA) == [*LEAD, "sal"]


def test_what_is_heard_twice_is_done_once_and_ids_derive_from_their_cause() -> None:
    world = World().hear(*ready(ADA))
    assert [event.meta for event in World().hear(*ready(ADA), *ready(ADA)).workspace.said] == [
        event.meta for event in world.workspace.said
    ]
    cause = ready(ADA)[-1].meta
    assert world.workspace.new_moves[-1].move_id == move_id_of(cause.at, cause.event_id, ADA, "mql")


ROUND = """
name: lifecycle
title: Round
stages:
  - {name: new, order: 0, kind: open, title: New}
  - {name: hot, order: 1, kind: open, title: Hot}
  - {name: cold, order: 2, kind: open, title: Cold}
rules:
  - {name: heats, on: [new, cold], when: known.scores.cell, effect: {to: hot}, reason: Hot.}
  - {name: cools, on: hot, when: known.scores.cell, effect: {to: cold}, reason: Cold.}
"""


def test_rules_that_lead_round_in_a_circle_stop_after_one_round() -> None:
    world = World(process(ROUND)).hear(scored(ADA, "A1"))
    assert world.way(ADA) == ["hot", "cold"]


def test_people_in_a_stage_that_a_new_version_dropped_stay_there() -> None:
    world = World(process(ROUND)).hear(scored(ADA, "A1"))
    world.workspace.process = process()
    world.hear(*ready(ADA, START_LATER))
    assert world.stage(ADA) == "cold"


START_LATER = at(0) + timedelta(days=1)


def test_a_stranger_is_where_everybody_begins_and_nothing_is_kept_of_them() -> None:
    world = World().hear(scored(ADA, "D3", at(1)), scored(ADA, "D2", at(2)))
    assert (
        world.workspace.cards,
        world.workspace.stages,
        world.workspace.new_moves,
        world.workspace.receipts,
        world.workspace.said,
    ) == (
        {},
        {},
        [],
        [],
        [],
    )
    assert world.workspace.stage_of(ADA) == "anonymous"


def test_who_moves_on_has_begun_where_everybody_begins_when_they_were_first_seen() -> None:
    world = World().hear(created(ADA, at(3), occurred=at(1)), profile(ADA, at(3), email="ada@acme.example"))
    assert [(move.stage, move.previous, move.occurred_at) for move in world.workspace.new_moves] == [
        ("anonymous", None, at(1)),
        ("known", "anonymous", at(3)),
    ]
    assert world.way(ADA) == ["known"]


FROM_THE_START = ROUND.replace(
    "rules:", "clocks:\n  - {name: makes_up_their_mind, starts: new, stops: [hot], hours: 24}\nrules:", 1
)


def test_a_clock_that_starts_where_everybody_begins_runs_from_the_first_that_is_heard() -> None:
    world = World(process(FROM_THE_START)).hear(created(ADA, at(0)))
    assert [(clock.name, clock.due_at) for clock in world.workspace.clocks_of(ADA)] == [("makes_up_their_mind", at(1))]
