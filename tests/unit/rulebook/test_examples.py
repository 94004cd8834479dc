"""A rulebook's examples are its tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rulebook.document import Example
from rulebook.evaluate import Evaluation, Rulebook
from rulebook.examples import ExamplesFailed, Failure, assert_examples_pass, run_examples
from tests.unit.rulebook.books import BOOK, Points, a_book


def points(_rulebook: Rulebook[Points], _example: Example, evaluation: Evaluation[Points]) -> Mapping[str, Any]:
    return {"points": sum(match.rule.effect.points for match in evaluation.matched)}


def expecting(expectation: str) -> Rulebook[Points]:
    return a_book(BOOK.replace("{rules: [demo_requested, key_person]}", expectation))


def test_examples_that_hold_pass() -> None:
    assert run_examples(a_book()) == []
    assert_examples_pass(a_book())


def test_the_order_of_expected_rules_does_not_matter() -> None:
    assert run_examples(expecting("{rules: [key_person, demo_requested]}")) == []


def test_a_failing_example_names_itself_and_what_was_expected_and_got() -> None:
    [failure] = run_examples(expecting("{rules: [demo_requested, pro_plan]}"))
    assert failure == Failure(
        "A director of a large company asks for a demo",
        "rules",
        ["demo_requested", "pro_plan"],
        ["demo_requested", "key_person"],
        "pro_plan: properties.plan is not known",
    )
    assert str(failure) == (
        "example 'A director of a large company asks for a demo': rules should be [demo_requested, pro_plan], "
        "got [demo_requested, key_person] (pro_plan: properties.plan is not known)"
    )


def test_a_rule_expected_where_it_does_not_listen_is_explained() -> None:
    [failure] = run_examples(expecting("{rules: [demo_requested, key_person, pricing_read]}"))
    assert failure.why == "pricing_read: does not listen to this kind and name of event"


@pytest.mark.parametrize(("expected", "failures"), [("50", []), ("50.0", []), ("49", [("points", 49, 50)])])
def test_the_service_judges_what_only_it_can_answer(expected: str, failures: list[Any]) -> None:
    found = run_examples(expecting(f"{{points: {expected}}}"), points)
    assert [(failure.what, failure.expected, failure.got) for failure in found] == failures


def test_an_expectation_that_nobody_answers_fails() -> None:
    for judge in (None, points):
        [failure] = run_examples(expecting("{rules: [demo_requested, key_person], pionts: 50}"), judge)
        assert (failure.what, failure.why) == ("pionts", "nothing here answers for pionts")


def test_a_rulebook_that_contradicts_its_examples_is_not_to_be_activated() -> None:
    with pytest.raises(ExamplesFailed, match="scoring@3: example 'A director") as caught:
        assert_examples_pass(
            a_book(
                BOOK.replace("{rules: []}", "{rules: [pricing_read]}").replace(
                    "[demo_requested, key_person]}", "[key_person]}"
                ),
                3,
            )
        )
    assert len(caught.value.failures) == 2


def test_a_rulebook_without_examples_is_not_to_be_activated() -> None:
    with pytest.raises(ExamplesFailed, match="has no examples"):
        assert_examples_pass(a_book(BOOK.partition("examples:")[0] + "examples: []\n"))


def test_an_example_that_cannot_be_decided_fails() -> None:
    book = a_book(BOOK.replace("when: is_key_person\n", "when: is_key_person\n    unknown: fail\n"))
    [failure] = run_examples(book)
    assert (
        failure.why
        == "rule key_person cannot be decided: person.seniority is not known, company.employees is not known"
    )


def test_given_facts_are_brought_to_their_types() -> None:
    moments = 'seen: {first_at: "2026-01-31T12:00:00+01:00"}, page.seconds: 1m30s'
    given = f"{{{moments}, properties.a.b: 1, properties.c: x, company.revenue: 3, person.title: null}}"
    [example, _] = a_book(BOOK.replace("{person.seniority: director, company: {employees: 1200}}", given)).examples
    assert example.given == {
        "seen.first_at": datetime(2026, 1, 31, 11, tzinfo=UTC),
        "page.seconds": timedelta(seconds=90),
        "properties": {"a": {"b": 1}, "c": "x"},
        "company.revenue": 3.0,
        "person.title": None,
    }
