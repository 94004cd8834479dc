"""A figure of which only the ends are known: a rule holds if it holds for every number between them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rulebook.evaluate import Evaluation, Rulebook
from rulebook.inputs import MOST_PLACES, Band, band_of, is_band
from rulebook.receipts import Decision, in_words, receipt
from rulebook.vocabulary import DOUBLE, INT, STRING
from tests.unit.rulebook.books import Points, a_book, a_text, one_rule

FARTHEST = 70  # beyond every number that the conditions name

WHOLE = (
    "company.employees >= 20",
    "company.employees < 20",
    "company.employees >= 20 && company.employees < 40",
    "company.employees < 10 || company.employees > 30",
    "company.employees != 25",
    "!(company.employees == 25)",
    "company.employees in [12, 13, 14, 15]",
    "double(company.employees) > 12.5",
    "company.employees - 5 >= 20",
    "known.company.employees && company.employees > 3",
    "company.employees > 30 ? company.employees < 50 : company.employees < 20",
)


def band(low: float, high: float | None, text: str = "as typed") -> dict[str, Any]:
    return {"low": low, "high": high, "text": text}


def holds(book: Rulebook[Points], **facts: Any) -> bool:
    return bool(book.evaluate("page", None, {name.replace("__", "."): value for name, value in facts.items()}).matched)


BOOKS = {text: one_rule(text) for text in WHOLE}


@settings(max_examples=200)
@given(st.sampled_from(WHOLE), st.integers(0, 60), st.integers(0, 60))
def test_a_rule_holds_for_a_band_if_it_holds_for_every_number_in_it(text: str, one: int, other: int) -> None:
    low, high = min(one, other), max(one, other)
    all_of_them = all(holds(BOOKS[text], company__employees=number) for number in range(low, high + 1))
    assert holds(BOOKS[text], company__employees=band(low, high)) is all_of_them


@settings(max_examples=100)
@given(st.sampled_from(WHOLE), st.integers(0, 60))
def test_without_an_upper_end_it_must_hold_for_every_greater_number(text: str, low: int) -> None:
    all_of_them = all(holds(BOOKS[text], company__employees=number) for number in range(low, FARTHEST))
    assert holds(BOOKS[text], company__employees=band(low, None)) is all_of_them


@settings(max_examples=100)
@given(st.integers(0, 80), st.integers(0, 80))
def test_sums_of_money_are_judged_to_the_cent(one: int, other: int) -> None:
    low, high = min(one, other) / 4, max(one, other) / 4
    book = one_rule("company.revenue >= 10.0 && company.revenue < 15.0")
    assert holds(book, company__revenue=band(low, high)) is (low >= 10.0 and high < 15.0)


@settings(max_examples=60)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))
def test_two_bands_are_judged_in_all_their_combinations(a: int, b: int, c: int, d: int) -> None:
    book = one_rule("company.employees > 20 || company.revenue > 20.0")
    (low, high), (least, most) = sorted((a, b)), sorted((c, d))
    wanted = all(heads > 20 or money > 20 for heads in range(low, high + 1) for money in range(least, most + 1))
    facts = {"company__employees": band(low, high), "company__revenue": band(float(least), float(most))}
    assert holds(book, **facts) is wanted


def test_a_rule_that_does_not_hold_for_all_says_of_which() -> None:
    book = one_rule("company.employees >= 200")
    (no,) = book.evaluate("page", None, {"company.employees": band(0, 199)}).rejected
    assert no.why == "its condition does not hold for all of company.employees up to 199"


def test_a_receipt_quotes_the_band_and_tells_it_in_words() -> None:
    text = a_text("company.employees >= 50").replace("It does.", "The company has {company.employees} employees.")
    book = a_book(text)
    told = band(51, 200, "51-200 employees")
    (match,) = book.evaluate("page", None, {"company.employees": told}).matched
    decision = Decision("scoring", "score.fit", "per_1", "frg_1", "int_1", datetime(2026, 1, 1, tzinfo=UTC))
    written = receipt(book, match, decision)
    assert written.inputs == {"company.employees": told}
    assert written.sentence == "The company has 51 to 200 employees."


def test_a_rule_that_only_asks_whether_it_is_known_says_yes() -> None:
    assert holds(one_rule("known.company.employees"), company__employees=band(0, None))
    assert not holds(one_rule("!known.company.employees"), company__employees=band(0, None))


@pytest.mark.parametrize(
    "odd",
    [
        band(10, 5),
        {"low": 1},
        {"low": "1", "high": 2},
        {"low": 1, "high": 2, "more": 3},
        {"low": True, "high": 2},
        band(1.5, 2),
        band(0, 2**70),
    ],
)
def test_what_is_no_band_of_this_fact_is_not_known(odd: dict[str, Any]) -> None:
    evaluation: Evaluation[Points] = one_rule("company.employees >= 0").evaluate(
        "page", None, {"company.employees": odd}
    )
    assert [one.facts for one in evaluation.unknown] == [("company.employees",)]


def test_a_rule_that_names_too_many_numbers_is_not_decided_for_ranges() -> None:
    numbers = ", ".join(str(number) for number in range(0, 4 * MOST_PLACES, 4))
    book = one_rule(f"company.employees in [{numbers}]")
    assert holds(book, company__employees=8)
    (maybe,) = book.evaluate("page", None, {"company.employees": band(0, None)}).unknown
    assert "too many numbers" in maybe.why


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (band(51, 200), "51 to 200"),
        (band(0, 19), "up to 19"),
        (band(1000, None), "at least 1000"),
        (band(0.0, 9999.99), "less than 10000"),
        (band(10000.01, None), "more than 10000"),
        (band(2500.5, 9000.0), "2500.5 to 9000"),
        ({"low": "a", "high": "b"}, "low a, high b"),
    ],
)
def test_bands_in_words(value: dict[str, Any], words: str) -> None:
    assert in_words(value) == words


def test_only_numbers_can_be_bands() -> None:
    assert band_of(band(1, 2), INT) == Band(1, 2)
    assert band_of(band(1, 2), DOUBLE) == Band(1.0, 2.0)
    assert band_of(band(1, 2), STRING) is None
    assert not is_band(7)


def test_an_answer_about_a_band_is_not_kept_for_another() -> None:
    book = one_rule("company.employees >= 50")
    assert book.question("page", None, {"company.employees": band(51, 200)}) is None
    assert book.question("page", None, {"company.employees": 51}) is not None
