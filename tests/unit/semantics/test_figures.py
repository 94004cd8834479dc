"""Figures are read with their context: what stands around a number decides what it means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.attributes import has_room
from contracts.values import Interaction, InteractionKind
from semantics.answers import ANSWERS, answered
from semantics.facts import facts_of
from semantics.figures import authority, head_count, money
from semantics.timespans import months
from tests.unit.scoring.builders import an_interaction, identified

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["low", "high", "text"]), inner),
    max_leaves=6,
)
PHRASES = st.lists(
    st.sampled_from(
        [
            *("less than", "more than", "up to", "at least", "between", "and", "to", "-", "+", "or more", "under", "<"),
            *(">", "no", "not", "about", "10", "1,000", "2.500,50", "25k", "3", "12", "months", "weeks", "year", "$"),
            *(
                "EUR",
                "k",
                "Mio",
                "employees",
                "within",
                "bis",
                "zwischen",
                "und",
                "ASAP",
                "(",
                ")",
                ",",
                "/",
                "~",
                "人",
            ),
        ]
    ),
    max_size=7,
).map(" ".join)


def ends(figure: Any) -> tuple[Any, Any]:
    return (figure["low"], figure["high"]) if isinstance(figure, dict) else (figure, figure)


@pytest.mark.parametrize(
    ("told", "low", "high"),
    [
        (250, 250, 250),
        ("250", 250, 250),
        (250.0, 250, 250),
        ("51-200", 51, 200),
        ("51 – 200 employees", 51, 200),
        ("1,000+", 1000, None),
        ("10 000+", 1000 * 10, None),
        ("10k", 10_000, 10_000),
        ("10-20k", 10_000, 20_000),
        ("about 1.200 people", 1200, 1200),
        ("Fewer than 200", 0, 199),
        ("fewer_than_200", 0, 199),
        ("no more than 20", 0, 20),
        ("20 or less", 0, 20),
        ("over 500", 501, None),
        ("500 oder mehr", 500, None),
        ("moins de 50", 0, 49),
        ("plus de 50 salariés", 51, None),
        ("zwischen 10 und 50", 10, 50),
        ("von 11 bis 50 Mitarbeitern", 11, 50),
        ("entre 10 y 50", 10, 50),
        ("от 10 до 50", 10, 50),
        ("１０〜５０人", 10, 50),
        ("100人以上", 100, None),
        ("Enterprise (1000+)", 1000, None),
        ("Mid-market: 200-999", 200, 999),
        ("200 - 50", 50, 200),
        ("just me (1)", 1, 1),
        ("5,00,000", 500_000, 500_000),
        ({"low": 5, "high": None, "text": "5+"}, 5, None),
    ],
)
def test_head_counts(told: object, low: int, high: int | None) -> None:
    assert ends(head_count(told)) == (low, high)


@pytest.mark.parametrize(
    "told",
    [
        *("many", True, False, -3, "-3", "9" * 40, float("nan"), "", "n/a", "not 50", "not even 50", "50%", "24/7"),
        *("+49 30 901820", "030 901820", "555-123-4567", "4930901820", "31.12.2026", "2026-12-31", "1.2.3", "q3"),
        *("10 and 20", "250 employees in 3 offices", "50 is too many", "mid-size 50", [], {"low": 3}, None),
        *({"low": 6, "high": 3}, {"low": "6", "high": 7}, {"low": -1, "high": 7}, "1-10-100", "under 0"),
    ],
)
def test_what_is_no_head_count(told: object) -> None:
    assert head_count(told) is None


@pytest.mark.parametrize(
    ("told", "low", "high", "currency"),
    [
        ("€ 50.000", 50_000, 50_000, "EUR"),
        ("USD 25k-50k", 25_000, 50_000, "USD"),
        ("25-50k", 25_000, 50_000, None),
        ("500-2k", 500, 2_000, None),
        ("1,234.50", 1234.5, 1234.5, None),
        ("1.234,50 EUR", 1234.5, 1234.5, "EUR"),
        ("2 Mio CHF", 2_000_000, 2_000_000, "CHF"),
        ("CHF 10’000.-", 10_000, 10_000, "CHF"),
        ("10.000,- €", 10_000, 10_000, "EUR"),
        ("₹12,34,567", 1_234_567, 1_234_567, "INR"),
        ("Rs. 5 lakh", 500_000, 500_000, "INR"),
        ("1.5M", 1_500_000, 1_500_000, None),
        ("50 T€", 50_000, 50_000, "EUR"),
        ("100万円", 1_000_000, 1_000_000, "JPY"),
        ("zwischen 10 und 50 Tsd.", 10_000, 50_000, None),
        ("Less than $10,000", 0, 9999.99, "USD"),
        ("weniger als 10.000 €", 0, 9999.99, "EUR"),
        ("sub-10k", 0, 9999.99, None),
        ("up to 10000", 0, 10_000, None),
        ("10k max.", 0, 10_000, None),
        ("10k+", 10_000, None, None),
        ("> £1 million", 1_000_000.01, None, "GBP"),
        ("more than 10k but less than 50k", 10_000.01, 49_999.99, None),
        ("Budget: 50000 EUR approved", 50_000, 50_000, "EUR"),
        ("10k/year", 10_000, 10_000, None),
    ],
)
def test_sums_of_money(told: object, low: float, high: float | None, currency: str | None) -> None:
    budget = money(told)
    assert budget is not None
    assert (*ends(budget.amount), budget.currency) == (low, high, currency)


@pytest.mark.parametrize(
    "told",
    [
        *("No budget before 2027", "in 2027", "10k for 2027", "tbd", "no idea", "not even 10k", "10k is too much"),
        *("won't exceed 10k", "can't go above 10k", "$10k or €9k", "-5000", "15551234567", float("inf"), "1/2", True),
        *("3 Entscheider", "kein Budget", "10k? 20k? 30k?"),
    ],
)
def test_what_is_no_sum(told: object) -> None:
    assert money(told) is None


@pytest.mark.parametrize(
    ("told", "low", "high"),
    [
        (3, 3, 3),
        ("3", 3, 3),
        (" 3 ", 3, 3),
        ("3 months", 3, 3),
        ("in 2 Wochen", 0, 0),
        ("6-12 Monate", 6, 12),
        ("3-6", 3, 6),
        ("ASAP", 0, 0),
        ("ASAP, we are 2 analysts", 0, 0),
        ("this quarter", 0, 3),
        ("1 year", 12, 12),
        ("over a year", 13, None),
        ("More than 12 months", 13, None),
        ("12+ months", 12, None),
        ("within 3 months", 0, 3),
        ("within_3_months", 0, 3),
        ("less than 3 months", 0, 2),
        ("innerhalb von 90 Tagen", 0, 3),
        ("within 6 weeks", 0, 2),
        ("not before 6 months", 6, None),
        ("Now - 3 months", 0, 3),
        ("6 to 12 months from today", 6, 12),
        ("3 months to 1 year", 3, 12),
        ("two to three months", 2, 3),
        ("halbes Jahr", 6, 6),
        ("3ヶ月以内", 0, 3),
        ("d'ici 6 mois", 0, 6),
        ("Immediately / within 1 month", 0, 0),
    ],
)
def test_time_spans(told: object, low: int, high: int | None) -> None:
    assert ends(months(told)) == (low, high)


@pytest.mark.parametrize(
    "told",
    [
        *("later", "some day", "not now", "no rush", "no timeline", "12345 months", "-3 months", "we are 2 analysts"),
        *("Q3 2027", "31.12.2026", True, -1, float("nan"), "2 analysts in 3 offices", "few months", "", [3, 4]),
    ],
)
def test_what_is_no_time_span(told: object) -> None:
    assert months(told) is None


@pytest.mark.parametrize(
    ("told", "role"),
    [
        (True, "decides"),
        ("Yes", "decides"),
        ("Final decision maker", "decides"),
        ("Entscheider", "decides"),
        ("I recommend", "influences"),
        ("No, but I influence it", "influences"),
        ("no influence", "none"),
        ("not the decision maker", "none"),
        (False, "none"),
        ("perhaps", None),
        (7, None),
    ],
)
def test_authority(told: object, role: str | None) -> None:
    assert authority(told) == role


@given(JSON | PHRASES)
def test_whatever_is_told_is_read_or_flagged_and_never_fails(value: Any) -> None:
    for attribute in ANSWERS:
        told = dict(answered(attribute, value))
        assert told.keys() & {attribute, f"{attribute}_unreadable"}


@given(JSON | PHRASES)
def test_a_figure_lies_where_figures_can_and_its_ends_are_in_order(value: Any) -> None:
    budget = money(value)
    for figure in (head_count(value), None if budget is None else budget.amount, months(value)):
        low, high = ends(figure)
        assert low is None or (low >= 0 and (high is None or low <= high))


@given(JSON | PHRASES)
def test_what_was_read_is_read_as_itself(value: Any) -> None:
    budget = money(value)
    heads, span = head_count(value), months(value)
    assert heads is None or head_count(heads) == heads
    assert span is None or months(span) == span
    if budget is not None:
        again = money(budget.amount)
        assert again is not None
        assert again.amount == budget.amount


@given(st.text(max_size=1_000))
def test_what_was_typed_is_kept_with_a_band_only_as_far_as_there_is_room(text: str) -> None:
    for attribute, value in answered("employees", f"{text} 10-20"):
        assert attribute != "employees" or has_room(value)


@given(st.integers(0, 10**6))
def test_a_number_as_text_is_that_number(number: int) -> None:
    spellings = [str(number), f"{number:,}", f"{number:,}".replace(",", "."), f"{number:,}".replace(",", "'")]
    for text in spellings:
        assert head_count(text) == head_count(number)
        assert money(f"{text} EUR") == (float(number), "EUR")


def test_an_answer_reaches_the_profile_typed_or_with_a_flag() -> None:
    form: Interaction = an_interaction(
        "Contact",
        kind=InteractionKind.FORM,
        traits={"timing": "3", "Budget": "tbd", "Company size": ["51-200"], "decision maker": "yes"},
    )
    assert facts_of(form) == {
        "timing": 3,
        "budget_unreadable": "tbd",
        "employees": {"low": 51, "high": 200, "text": "51-200"},
        "authority": "decides",
    }
    assert facts_of(identified({"timing": 4.0, "employees": "12"})) == {"timing": 4, "employees": 12}


@pytest.mark.parametrize(
    ("choice", "low", "high"),
    [("1to10", 1, 10), ("size_11to50", 11, 50), ("gt1000", 1001, None), ("lt10", 0, 9), ("[10, 50)", 10, 50)],
)
def test_the_ids_of_choices_are_bands(choice: str, low: int, high: int | None) -> None:
    assert head_count(choice) == {"low": low, "high": high, "text": choice}


@pytest.mark.parametrize("choice", ["3_6_months", "3-6_months", "3_to_6_months"])
def test_a_span_of_months_in_the_spelling_of_a_choice(choice: str) -> None:
    assert months(choice) == {"low": 3, "high": 6, "text": choice}


@pytest.mark.parametrize("text", ["$5,000/month", "5000 USD per month", "5.000 monthly", "5-8k par mois"])
def test_so_much_each_time_is_at_least_that_in_all(text: str) -> None:
    budget = money(text)
    assert budget is not None
    assert budget.amount == {"low": 5000.0, "high": None, "text": text}
    assert money(f"up to {text}") is None


def test_a_budget_of_a_year_is_what_it_says() -> None:
    budget = money("$60,000 per year")
    assert budget is not None
    assert budget.amount == 60_000
