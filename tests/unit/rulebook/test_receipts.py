"""Receipts say in values and in words why a rule decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from contracts.values import Contribution, Receipt
from rulebook.evaluate import MatchedRule
from rulebook.receipts import Decision, alternatives, in_words, receipt
from tests.unit.rulebook.books import BOOK, Points, a_book, one_rule

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
DECISION = Decision("scoring", "score.engagement", "per_1", "frg_1", "int_1", NOON)


def a_match(version: int = 1) -> MatchedRule[Points]:
    return (
        a_book(version=version)
        .evaluate("track", "Demo", {"person.seniority": "director", "company.employees": 1200})
        .matched[1]
    )


def test_a_receipt_tells_inputs_rule_version_contribution_and_alternatives() -> None:
    book = a_book(version=4)
    evaluation = book.evaluate("track", "Demo", {"person.seniority": "staff", "properties": {"plan": "pro"}})
    contribution = Contribution(measure="engagement", points=Decimal(5))
    written = receipt(book, evaluation.matched[1], DECISION, contribution, alternatives(evaluation))
    assert written.model_dump(exclude={"receipt_id"}) == Receipt(
        receipt_id="",
        at=NOON,
        owner="scoring",
        kind="score.engagement",
        person_id="per_1",
        fragment_id="frg_1",
        cause_id="int_1",
        rule="pro_plan",
        rulebook="scoring@4",
        inputs={"properties.plan": "pro"},
        contribution=contribution,
        rejected=("key_person: its condition does not hold",),
        sentence="On the pro plan.",
    ).model_dump(exclude={"receipt_id"})


def test_the_same_decision_gives_the_same_receipt() -> None:
    assert receipt(a_book(), a_match(), DECISION) == receipt(a_book(), a_match(), DECISION)
    assert receipt(a_book(), a_match(), DECISION).receipt_id.startswith("rcp_")


def test_a_receipt_keeps_its_id_when_the_person_turns_out_to_be_another() -> None:
    moved = replace(DECISION, person_id="per_2")
    assert receipt(a_book(), a_match(), moved).receipt_id == receipt(a_book(), a_match(), DECISION).receipt_id


@pytest.mark.parametrize(
    "change", [{"cause_id": "int_2"}, {"kind": "score.fit"}, {"at": NOON + timedelta(seconds=1)}, {"part": "second"}]
)
def test_another_decision_has_another_receipt(change: dict[str, Any]) -> None:
    assert (
        receipt(a_book(), a_match(), replace(DECISION, **change)).receipt_id
        != receipt(a_book(), a_match(), DECISION).receipt_id
    )


def test_another_version_has_another_receipt() -> None:
    assert (
        receipt(a_book(version=2), a_match(2), DECISION).receipt_id != receipt(a_book(), a_match(), DECISION).receipt_id
    )


def test_the_reason_is_filled_with_values_in_plain_words() -> None:
    sentences = [receipt(a_book(), match, DECISION).sentence for match in a_book().evaluate("form", "Demo", {}).matched]
    assert sentences == ["Asked for a demo, which brings 30 points."]


def test_what_was_assumed_is_said() -> None:
    book = one_rule("company.employees > 10", "true")
    [match] = book.evaluate("page", None, {}).matched
    assert receipt(book, match, DECISION).sentence == "It does. (assumed: company.employees is not known)"


def test_a_fact_cited_only_in_the_reason_is_among_the_inputs() -> None:
    book = a_book(
        BOOK.replace(
            "On the {properties.plan} plan.",
            "The {person.title}, seen {seen.first_at}, is on the {properties.plan} plan.",
        )
    )
    [match] = book.evaluate("track", None, {"properties": {"plan": "pro"}, "seen.first_at": NOON}).matched
    written = receipt(book, match, DECISION)
    assert written.sentence == "The unknown, seen 2026-01-31 12:00 UTC, is on the pro plan."
    assert written.inputs == {"properties.plan": "pro", "seen.first_at": "2026-01-31T12:00:00+00:00"}


def test_inputs_survive_the_wire() -> None:
    book = one_rule(
        'size(properties) > 0 && page.seconds > duration("1s") && seen.first_at < timestamp("2030-01-01T00:00:00Z")'
    )
    [match] = book.evaluate(
        "page",
        None,
        {"properties": {"a": [1, {"b": None}]}, "page.seconds": timedelta(seconds=90), "seen.first_at": NOON},
    ).matched
    written = receipt(book, match, DECISION)
    assert Receipt.model_validate_json(written.model_dump_json()) == written


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "unknown"),
        (True, "yes"),
        (2.50, "2.5"),
        (Decimal("30.00"), "30"),
        (1200, "1200"),
        (1e21, "1000000000000000000000"),
        (timedelta(days=1, hours=2, seconds=1), "1 day 2 hours 1 second"),
        (timedelta(0), "no time"),
        (["a", "b"], "a, b"),
        ([], "nothing"),
        (list("abcdefg"), "a, b, c, d, e and 2 more"),
        ({"plan": "pro", "seats": 3}, "plan pro, seats 3"),
    ],
)
def test_values_are_told_as_a_person_would_write_them(value: Any, words: str) -> None:
    assert in_words(value) == words
