"""The nurture rulebook and the conditions of treatments: what they may say, and how their mistakes are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events.scoring import Attribute
from contracts.values import Strength
from people_kernel.people import Card, blank
from rulebook.examples import ExamplesFailed, assert_examples_pass, run_examples
from rulebook.problems import RulebookError
from rulebook.receipts import Decision
from rulebook.vocabulary import UnknownPolicy
from services.nurture.domain.rules import BuyingStage, NurtureJudge, compile_condition, compile_nurture, judge_example
from services.nurture.domain.treatments import STARTERS, compile_treatment
from tests.support.people import START, frg, per
from tests.unit.nurture.builders import scores

DEFAULT = (Path(__file__).parents[3] / "services" / "nurture" / "rulebooks" / "default.yaml").read_text()
TWO_RULES = """
name: nurture
title: Two that hold
rules:
  - {name: first, on: person, when: true, effect: {buying_stage: consideration}, reason: The first.}
  - {name: second, on: person, when: true, effect: {buying_stage: decision, precedence: 5}, reason: The second.}
  - {name: third, on: person, when: company.employees > 9, reason: The third.,
     effect: {buying_stage: customer, precedence: 9}}
"""

_stages = st.sampled_from(["anonymous", "known", "engaged", "mql", "lost", "disqualified"])
_cells, _timings = st.sampled_from([None, "A1", "B3", "D2", "D4"]), st.sampled_from([None, 1, 3, 4])
_needs = st.sampled_from([None, "", "fewer calls", "n" * 300])  # the last is too long to be remembered


def test_the_default_rulebook_passes_its_own_examples() -> None:
    assert_examples_pass(compile_nurture(DEFAULT, 1), judge_example)


def test_an_example_that_expects_another_buying_stage_fails() -> None:
    wrong = DEFAULT.replace(
        "expect: {rules: [is_engaged], buying_stage: consideration}", "expect: {buying_stage: decision}"
    )
    assert [failure.what for failure in run_examples(compile_nurture(wrong, 1), judge_example)] == ["buying_stage"]
    with pytest.raises(ExamplesFailed):
        assert_examples_pass(compile_nurture(wrong, 1), judge_example)


def test_the_first_rule_that_holds_decides_unless_another_takes_precedence() -> None:
    assert (
        NurtureJudge(compile_nurture(TWO_RULES, 1)).judge(blank(per(1)), "known").buying.stage is BuyingStage.DECISION
    )
    equal = TWO_RULES.replace(", precedence: 5", "")
    assert (
        NurtureJudge(compile_nurture(equal, 1)).judge(blank(per(1)), "known").buying.stage is BuyingStage.CONSIDERATION
    )


def test_the_receipt_of_a_buying_stage_names_the_rule_the_reason_and_the_others() -> None:
    judge = NurtureJudge(compile_nurture(TWO_RULES, 1))
    judgement = judge.judge(blank(per(1)), "known")
    receipt = judge.receipt(judgement, Decision("nurture", "buying.stage", per(1), frg(1), "evt_1", START))
    assert (receipt.rule, receipt.rulebook, receipt.outcome, receipt.sentence) == (
        "second",
        "nurture@1",
        "decision",
        "The second.",
    )
    assert receipt.rejected == ("first: holds too, but second comes first", "third: company.employees is not known")


def test_of_whom_no_rule_speaks_is_in_awareness() -> None:
    judge = NurtureJudge(compile_nurture(DEFAULT, 1))
    judgement = judge.judge(blank(per(1)), "anonymous")
    receipt = judge.receipt(judgement, Decision("nurture", "buying.stage", per(1), frg(1), "evt_1", START))
    assert judgement.buying.stage is BuyingStage.AWARENESS
    assert (receipt.rule, receipt.outcome) == ("default", "awareness")
    assert any(line.startswith("has_bought: ") for line in receipt.rejected)


def test_what_a_person_said_of_their_hurry_counts() -> None:
    timing = Attribute(value=2, strength=Strength.CLAIMED, source_id="s", interaction_id="i", occurred_at=START)
    card = Card(per(1), {"timing": timing}, scores("B3", START))
    buying = NurtureJudge(compile_nurture(DEFAULT, 1)).judge(card, "engaged").buying
    assert (buying.stage, buying.sentence) == (BuyingStage.DECISION, "Wants to decide within 2 months.")


@settings(max_examples=60)
@given(
    people=st.lists(
        st.tuples(
            st.sampled_from(["anonymous", "known", "engaged", "mql", "lost", "disqualified"]), _cells, _timings, _needs
        ),
        max_size=12,
    )
)
def test_who_was_judged_before_is_judged_as_if_for_the_first_time(
    people: list[tuple[str, str | None, int | None, str | None]],
) -> None:
    rulebook = compile_nurture(DEFAULT, 1)
    judge = NurtureJudge(rulebook)
    for stage, cell, timing, need in [*people, *people]:
        given = {name: value for name, value in (("timing", timing), ("need", need)) if value is not None}
        attributes = {
            name: Attribute(
                value=value, strength=Strength.CLAIMED, source_id="src", interaction_id="int", occurred_at=START
            )
            for name, value in given.items()
        }
        card = Card(per(1), attributes, None if cell is None else scores(cell, START))
        assert judge.judge(card, stage) == NurtureJudge(rulebook).judge(card, stage)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            TWO_RULES.replace("when: true", "when: 'true'", 1).replace("customer, precedence: 9", "client"),
            "buying_stage",
        ),
        (TWO_RULES.replace("company.employees > 9,", "company.employes > 9,"), "Did you mean company.employees"),
        (
            TWO_RULES.replace("when: company.employees > 9,", "when: company.employees > 9, unknown: fail,"),
            "a person cannot be refused",
        ),
        (TWO_RULES.replace("name: third", "name: default"), "Choose another name"),
        (TWO_RULES + "suggestions: {stages: [Known]}\n", "suggestions.stages[0]"),
        (TWO_RULES.replace("on: person", "on: page", 1), "page is not a kind of event"),
    ],
    ids=["effect", "fact", "fail", "default", "suggestions", "kind"],
)
def test_mistakes_in_a_rulebook_are_named(text: str, words: str) -> None:
    with pytest.raises(RulebookError, match="line") as refused:
        compile_nurture(text, 1)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("company.employes > 5", 1, 1, "there is no fact company.employes. Did you mean company.employees?"),
        (
            'stage.name == "mql"\n&& compny.name == "x"',
            2,
            4,
            "there is no fact compny.name. Did you mean company.name?",
        ),
        ("company.employees >", 1, 20, ""),
        ('buying.stage == "ready"', 1, 17, 'it is never "ready"'),
        ("company.employees", 1, 1, "a condition must be true or false"),
        ("bant.timing_months < 3.0", 1, 20, "cannot be applied"),
    ],
    ids=["fact", "second-line", "syntax", "choice", "no-condition", "types"],
)
def test_a_mistake_in_a_condition_is_named_with_its_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(RulebookError) as refused:
        compile_condition(text, UnknownPolicy.SKIP)
    problem = refused.value.problems[0]
    assert (problem.line, problem.column) == (line, column)
    assert words in str(problem)
    assert "rules[0]" not in problem.path


def test_what_unknown_means_is_the_author_s_to_say() -> None:
    text = "company.employees > 5"
    assert compile_condition(text, UnknownPolicy.TRUE).weigh({}).holds
    assert "cannot be said" in compile_condition(text, UnknownPolicy.SKIP).weigh({}).why
    assert "counts as a no" in compile_condition(text, UnknownPolicy.FALSE).weigh({}).why


def test_the_starters_can_be_weighed_and_speak_to_every_buying_stage() -> None:
    treatments = [compile_treatment(key, 1, body) for key, body in STARTERS.items()]
    assert {stage for treatment in treatments for stage in treatment.body.buying_stages} == set(BuyingStage)
    assert 4 <= len(treatments) <= 6
