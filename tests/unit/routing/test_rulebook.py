"""The routing rulebook: which team, how soon, and what is refused before it can do harm."""

from __future__ import annotations

from datetime import timedelta

import pytest

from people_kernel.people import Card, card_facts
from rulebook.examples import ExamplesFailed, assert_examples_pass
from rulebook.problems import RulebookError
from rulebook.receipts import Decision
from services.routing.domain.assignment import RoutingRules
from services.routing.rulebooks import REGISTRY, compile_routing, judge_example
from tests.support.people import frg, per
from tests.unit.routing.builders import MARA, NOW, attributes

DECISION = Decision("routing", "referral.assignment", per(1), frg(1), "evt_1", NOW)
TEAMS = """
name: routing
title: Large companies go to enterprise, returning customers to the desk that knows them
stages: {refer: [hot, back_again], hold: [working]}
rules:
  - name: large
    on: [hot, back_again]
    when: company.employees >= 1000 || (account.is_owned && "enterprise" in account.owner_teams)
    effect: {team: enterprise, answer_within_hours: 0.5}
    reason: A company of {company.employees} people.
  - name: quick
    on: hot
    when: true
    effect: {team: west, answer_within_hours: 2}
    reason: Everybody else goes to west.
examples:
  - name: A large company
    on: hot
    given: {company.employees: 4000}
    expect: {rules: [large, quick], team: enterprise, answer_within_hours: 0.5}
  - name: Somebody of whom nothing is known comes back
    on: back_again
    expect: {rules: [], team: any}
"""


def facts(**known: object) -> dict[str, object]:
    return {
        **card_facts(Card(per(1), attributes({**MARA, **known}))),
        "account.is_owned": False,
        "account.owner_teams": None,
    }


def test_the_default_rulebook_keeps_its_word() -> None:
    rulebook = compile_routing(REGISTRY.default.read_text(), 1)
    assert_examples_pass(rulebook, judge_example)
    assert rulebook.label == "routing@1"


def test_the_first_rule_that_holds_decides_and_the_receipt_names_the_others() -> None:
    rulebook = compile_routing(TEAMS, 3)
    assert_examples_pass(rulebook, judge_example)
    rules = RoutingRules(rulebook)
    large = rules.ground("hot", facts(employees=1200), DECISION)
    assert (large.asking.team, large.asking.answer_within) == ("enterprise", timedelta(minutes=30))
    assert (large.receipt.rule, large.receipt.rulebook, large.receipt.sentence) == (
        "large",
        "routing@3",
        "A company of 1200 people.",
    )
    assert large.receipt.inputs["company.employees"] == 1200
    assert large.receipt.rejected == ("quick: large comes first",)
    small = rules.ground("hot", facts(employees=12), DECISION)
    assert (small.asking.team, small.receipt.rule) == ("west", "quick")
    assert small.receipt.rejected[0].startswith("large: ")


def test_a_lead_that_no_rule_is_about_is_everybodys() -> None:
    ground = RoutingRules(compile_routing(TEAMS, 3)).ground("back_again", facts(employees=12), DECISION)
    assert (ground.asking.team, ground.asking.answer_within) == ("any", timedelta(hours=4))
    assert (ground.receipt.rule, ground.receipt.sentence) == (
        "otherwise",
        "No rule names a team, so everybody may be asked.",
    )


@pytest.mark.parametrize(
    ("text", "replacement", "complaint"),
    [
        ("on: hot\n    when: true", "on: working\n    when: true", "working"),
        ("hold: [working]", "hold: [hot]", "hot stands here more than once"),
        ("refer: [hot, back_again]", "refer: []", "stages.refer"),
        ("answer_within_hours: 2}", "answer_within_hours: 0}", "answer_within_hours"),
        ("team: west", "teem: west", "Did you mean team"),
        ("company.employees >= 1000", "company.employes >= 1000", "Did you mean company.employees"),
        ("when: true", "when: true\n    unknown: fail", "a referral cannot be refused"),
        ("stages: {refer: [hot, back_again], hold: [working]}\n", "", "hot is not a kind of event. Known are: mql"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, replacement: str, complaint: str) -> None:
    assert text in TEAMS
    with pytest.raises(RulebookError, match=r"line \d+, column \d+") as refusal:
        compile_routing(TEAMS.replace(text, replacement))
    assert complaint in str(refusal.value)


def test_an_example_that_names_the_wrong_team_does_not_pass() -> None:
    with pytest.raises(ExamplesFailed, match="team should be enterprise, got any"):
        assert_examples_pass(compile_routing(TEAMS.replace("rules: [], team: any", "team: enterprise")), judge_example)


@pytest.mark.parametrize(
    ("employees", "team"),
    [
        ({"low": 1000, "high": None, "text": "1,000+"}, "enterprise"),
        ({"low": 1001, "high": 5000, "text": "1,001-5,000"}, "enterprise"),
        ({"low": 501, "high": 1000, "text": "501-1,000"}, "west"),
        ({"low": 0, "high": 4999, "text": "less than 5,000"}, "west"),
    ],
)
def test_a_size_of_which_the_ends_are_known_is_large_if_all_of_it_is(employees: dict[str, object], team: str) -> None:
    rules = RoutingRules(compile_routing(TEAMS, 1))
    assert rules.ground("hot", facts(employees=employees), DECISION).asking.team == team
