"""The process as a rulebook: what the default one promises, and what a process that does not hold together is told."""

from __future__ import annotations

import pytest

from rulebook.examples import run_examples
from rulebook.problems import RulebookError
from services.lifecycle.domain.process import LOST, QUALIFIED, REOPENED, SCORED, LifecycleProcess
from services.lifecycle.rulebooks import compile_lifecycle, judge_example, rule_in_words
from tests.unit.lifecycle.builders import process

SMALL = """\
name: lifecycle
title: Small
stages:
  - {name: new, order: 0, kind: open, title: New}
  - {name: hot, order: 1, kind: open, title: Hot}
  - {name: bought, order: 2, kind: won, title: Bought}
clocks:
  - {name: answer, starts: hot, stops: [bought], hours: 8, remind_before_hours: 1}
rules:
  - name: heats
    on: new
    when: scores.cell == 'A1'
    effect: {to: hot}
    reason: Is hot ({scores.cell}).
  - name: buys
    on: [new, hot]
    named: won
    when: true
    effect: {to: bought}
    reason: Bought.
"""


def problems(text: str) -> list[str]:
    with pytest.raises(RulebookError) as refused:
        compile_lifecycle(text)
    return [f"{one.line}: {one.message}" for one in refused.value.problems]


def test_the_default_rulebook_keeps_what_its_examples_promise() -> None:
    assert run_examples(process().rulebook, judge_example) == []


def test_every_default_rule_is_shown_by_an_example() -> None:
    shown = {rule for example in process().rulebook.examples for rule in example.expect.rules or ()}
    assert {rule.name for rule in process().rulebook.rules} - shown == set()


def test_a_small_process_is_all_it_takes() -> None:
    small = LifecycleProcess(compile_lifecycle(SMALL))
    assert (small.first, small.order("hot"), small.order("gone"), small.is_won("bought")) == ("new", 1, -1, True)
    assert [clock.name for clock in small.started_by("hot")] == ["answer"]
    assert (
        LifecycleProcess(
            compile_lifecycle(
                SMALL.replace(
                    "  - {name: answer, starts: hot, stops: [bought], hours: 8, remind_before_hours: 1}\n", ""
                ).replace("clocks:\n", "")
            )
        ).clocks
        == ()
    )


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("name: lifecycle", "name: scoring", "1: this is the lifecycle rulebook, and it is called scoring"),
        ("{to: hot}", "{to: warm}", "13: there is no stage warm"),
        ("{to: hot}", "{to: hot, choices: [cool]}", "13: there is no stage cool"),
        ("{to: hot}", "{to: new}", "13: new leads back to itself"),
        ("on: [new, hot]", "on: [new, hott]", "16: hott is not a kind of event"),
        ("named: won", "named: wonn", "17: wonn is not a trigger"),
        ("scores.cell == 'A1'", "scores.cel == 'A1'", "12: there is no fact scores.cel"),
        ("scores.cell == 'A1'", "stage.name == 'newt'", "12:"),
        (
            "reason: Is hot ({scores.cell}).",
            "reason: Is hot.\n    unknown: fail",
            "15: a person cannot be refused for what is not known",
        ),
        ("order: 1", "order: 2", "6: two stages have the order 2"),
        ("name: bought, order", "name: hot, order", "6: hot is the name of two"),
        ("kind: won", "kind: sold", "6:"),
        ("kind: won", "kind: open", "6: nobody can leave bought"),
        ("{to: hot}", "{to: bought}", "5: nothing leads to hot"),
        ("stops: [bought]", "stops: [sold]", "8: there is no stage sold"),
        ("starts: hot", "starts: warm", "8: there is no stage warm"),
        ("stops: [bought]", "stops: [hot]", "8: hot would start and stop it"),
        ("hours: 8,", "hours: 0,", "8:"),
        ("remind_before_hours: 1", "remind_before_hours: 9", "8: the reminder would come before the clock starts"),
        (
            "remind_before_hours: 1",
            "remind_hours: 1",
            "8: remind_hours is not known here. Did you mean remind_before_hours?",
        ),
        ("title: Hot", "titel: Hot", "5: titel is not known here. Did you mean title?"),
    ],
)
def test_a_process_that_does_not_hold_together_is_refused_with_its_line(right: str, wrong: str, complaint: str) -> None:
    assert right in SMALL
    found = problems(SMALL.replace(right, wrong, 1))
    assert any(one.startswith(complaint) for one in found), found


def test_a_process_without_stages_is_told_so_and_not_much_else() -> None:
    start, end = SMALL.index("stages:"), SMALL.index("clocks:")
    assert problems(SMALL[:start] + SMALL[end:]) == ["1: the section stages is missing"]


def test_rules_that_hold_whatever_is_known_may_not_lead_round_in_a_circle() -> None:
    back = "  - {name: cools, on: hot, when: true, effect: {to: new}, reason: Cold.}\n"
    circle = SMALL.replace("scores.cell == 'A1'", "true").replace("({scores.cell})", "") + back
    assert problems(circle) == ["10: this leads round in a circle: new -> hot -> new"]
    compile_lifecycle(SMALL + back)  # whoever is no longer hot may cool down


def test_the_first_rule_that_holds_decides_and_the_others_are_named() -> None:
    text = SMALL + "  - {name: heats_too, on: new, when: true, effect: {to: bought}, reason: Bought.}\n"
    small = LifecycleProcess(compile_lifecycle(text))
    choice = small.choose("new", SCORED, {"scores.cell": "A1"})
    assert choice is not None
    assert (choice.to, choice.match.rule.name, choice.rejected) == (
        "hot",
        "heats",
        ("heats_too: holds too, and leads to bought",),
    )
    other = small.choose("new", SCORED, {"scores.cell": "B1"})
    assert other is not None
    assert (other.to, other.rejected) == ("bought", ("heats: its condition does not hold",))


def test_rules_listen_to_what_somebody_did_only_by_its_name() -> None:
    assert process().choose("engaged", QUALIFIED, {"scores.cell": "A1", "person.has_phone": True}) is None
    assert process().choose("opportunity", SCORED, {"opportunity.others_open": 0}) is None
    lost = process().choose("opportunity", LOST, {"opportunity.others_open": 0})
    assert lost is not None
    assert lost.to == "lost"


def test_what_is_possible_from_a_stage_is_read_from_the_rules() -> None:
    possible = {stage: process().possible(stage) for stage in ("anonymous", "sal", "recycled", "customer", None)}
    assert possible["anonymous"] == possible["customer"] == possible[None] == ()
    assert (possible["sal"], possible["recycled"]) == (("qualify", "recycle", "disqualify"), ("disqualify", "reopen"))
    assert process().offers("recycled", REOPENED) == ("engaged", "known", "mql", "sal")


def test_a_rule_can_be_read_aloud() -> None:
    aloud = {rule.name: rule_in_words(rule) for rule in process().rulebook.rules}
    assert aloud["found_qualified"] == "From sal when somebody says qualified: to sql."
    assert aloud["ready_for_sales"] == "From engaged if is_ready && is_reachable: to mql."
