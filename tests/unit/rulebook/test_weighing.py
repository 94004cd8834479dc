"""Rules weighed against facts: what matches, what does not, and what an unknown fact means."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any

import pytest

from rulebook.evaluate import FactsUnknown, UnknownKind
from tests.unit.rulebook.books import BOOK, a_book, matches, one_rule

DIRECTOR = {"person.seniority": "director", "company.employees": 1200}


def test_only_rules_that_listen_to_the_kind_and_name_are_weighed() -> None:
    book = a_book()
    assert matches(book, DIRECTOR, "track", "Demo") == ["demo_requested", "key_person"]
    assert matches(book, DIRECTOR, "form", "Demo Requested") == ["demo_requested", "key_person"]
    assert matches(book, DIRECTOR, "track", "Something else") == ["key_person"]
    assert matches(book, DIRECTOR, "track") == ["key_person"]
    assert matches(book, DIRECTOR | {"page.path": "/pricing/eu"}, "page", "Demo") == ["pricing_read", "key_person"]


def test_a_rule_that_does_not_listen_is_neither_rejected_nor_unknown() -> None:
    evaluation = a_book().evaluate("page", None, DIRECTOR | {"page.path": "/careers"})
    assert evaluation.refusals() == [("pricing_read", "its condition does not hold")]


def test_a_kind_outside_the_vocabulary_is_refused() -> None:
    with pytest.raises(UnknownKind, match="carrier pigeon is none of page, track, form"):
        a_book().evaluate("carrier pigeon", None, {})


def test_a_match_carries_the_facts_it_read_and_nothing_else() -> None:
    facts = DIRECTOR | {
        "page.path": "/pricing",
        "person.title": "Director",
        "properties": {"plan": "pro", "secret": "x"},
    }
    evaluation = a_book().evaluate("track", None, facts)
    inputs = {match.rule.name: match.inputs for match in evaluation.matched}
    assert inputs == {
        "key_person": {"person.seniority": "director", "company.employees": 1200},
        "pro_plan": {"properties.plan": "pro"},
    }


def test_a_match_carries_the_effect_as_the_service_knows_it() -> None:
    [match] = a_book().evaluate("page", None, {"page.path": "/pricing"}).matched
    assert (match.rule.effect.points, match.rule.effect.half_life_days) == (Decimal(10), Decimal(14))


@pytest.mark.parametrize(
    "facts", [{}, {"company.employees": None}, {"company.employees": "many"}], ids=["absent", "None", "misfit"]
)
def test_an_unknown_fact_is_never_a_silent_no(facts: dict[str, Any]) -> None:
    for when in (
        "company.employees > 10",
        "company.employees <= 10",
        "!(company.employees > 10)",
        "company.employees != 10",
    ):
        evaluation = one_rule(when).evaluate("page", None, facts)
        assert not evaluation.matched
        assert not evaluation.rejected
        [undecided] = evaluation.unknown
        assert undecided.facts == ("company.employees",)


@pytest.mark.parametrize(
    ("policy", "matched", "refused"),
    [
        ("skip", [], [("only", "company.employees is not known")]),
        ("false", [], [("only", "company.employees is not known, which counts as a no")]),
        ("true", [("only", ("company.employees",))], []),
    ],
)
def test_each_rule_decides_what_unknown_means(policy: str, matched: list[Any], refused: list[Any]) -> None:
    evaluation = one_rule("company.employees > 10", policy).evaluate("page", None, {})
    assert [(match.rule.name, match.assumed) for match in evaluation.matched] == matched
    assert evaluation.refusals() == refused
    assert len(evaluation.unknown) == (policy == "skip")


def test_a_rule_may_refuse_to_go_on_without_a_fact() -> None:
    book = one_rule("company.employees > 10", "fail")
    with pytest.raises(FactsUnknown, match=r"rule only cannot be decided: company.employees is not known"):
        book.evaluate("page", None, {})
    assert matches(book, {"company.employees": 11}) == ["only"]
    assert matches(book, {"company.employees": 10}) == []


def test_a_fact_that_cannot_change_the_outcome_need_not_be_known() -> None:
    either = one_rule('company.employees > 10 || page.path == "/pricing"', "fail")
    assert matches(either, {"page.path": "/pricing"}) == ["only"]
    both = one_rule('company.employees > 10 && page.path == "/pricing"', "fail")
    assert matches(both, {"page.path": "/careers"}) == []


def test_whether_a_fact_is_known_can_be_asked() -> None:
    book = one_rule("!known.company.employees || company.employees > 10", "fail")
    assert matches(book, {}) == ["only"]
    assert matches(book, {"company.employees": "many"}) == ["only"]
    assert matches(book, {"company.employees": 5}) == []
    assert matches(book, {"company.employees": 11}) == ["only"]


def test_an_entry_that_a_map_does_not_have_is_unknown() -> None:
    [undecided] = one_rule('properties.plan == "pro"').evaluate("page", None, {"properties": {"seats": 3}}).unknown
    assert undecided.facts == ("properties.plan",)
    assert undecided.why == "properties.plan is not known"


def test_whether_a_map_has_an_entry_can_be_asked() -> None:
    book = one_rule('has(properties.plan) && properties.plan == "pro"', "fail")
    assert matches(book, {"properties": {}}) == []
    assert matches(book, {"properties": {"plan": "pro"}}) == ["only"]
    assert matches(one_rule('properties.?plan.orValue("free") == "free"', "fail"), {"properties": {}}) == ["only"]


def test_a_misfit_entry_of_a_map_harms_no_rule_that_does_not_read_it() -> None:
    book = one_rule('properties.plan == "pro"', "fail")
    assert matches(
        book, {"properties": {"plan": "pro", "huge": 2**80, "odd": object(), 3: "three", "text": "\ud800"}}
    ) == ["only"]


def test_a_rule_that_reads_a_whole_map_harms_no_rule_that_reads_an_entry_of_it() -> None:
    book = a_book(BOOK.replace("when: is_key_person", "when: size(properties) > 0"))
    evaluation = book.evaluate("track", None, {"properties": {"plan": "pro", "odd": object()}})
    assert [match.rule.name for match in evaluation.matched] == ["pro_plan"]
    assert [maybe.rule.name for maybe in evaluation.unknown] == ["key_person"]


def test_a_map_read_as_a_whole_is_unknown_if_any_entry_is_a_misfit() -> None:
    book = one_rule("size(properties) == 2")
    assert matches(book, {"properties": {"a": 1, "b": [1, {"c": None}]}}) == ["only"]
    assert book.evaluate("page", None, {"properties": {"a": 1, "b": 2**80}}).unknown[0].facts == ("properties",)


def test_what_cannot_be_computed_is_told_in_words() -> None:
    [undecided] = one_rule("10 / company.employees > 1").evaluate("page", None, {"company.employees": 0}).unknown
    assert (undecided.facts, undecided.why) == ((), "divide by zero")


def test_a_misfit_is_named_with_what_was_expected() -> None:
    [undecided] = one_rule("company.employees > 10").evaluate("page", None, {"company.employees": "many"}).unknown
    assert undecided.why == "company.employees should be a whole number and is str"


def test_what_was_said_of_an_equal_value_is_not_said_of_another_type() -> None:
    book = one_rule("properties.seats == 1 || properties.seats == true")
    number = one_rule("properties.seats == 1", "false")
    for seats, expected in ((True, []), (1, ["only"]), (True, []), ([1], []), (1.0, ["only"])):
        assert matches(number, {"properties": {"seats": seats}}) == expected
        assert matches(book, {"properties": {"seats": seats}}) == ([] if seats == [1] else ["only"])


def test_what_was_said_of_zero_holds_for_minus_zero() -> None:
    for first, second in ((0.0, -0.0), (-0.0, 0.0)):
        book = one_rule("1.0 / company.revenue > 0.0")
        assert matches(book, {"company.revenue": first}) == matches(book, {"company.revenue": second}) == ["only"]


def test_more_values_than_are_remembered_change_nothing() -> None:
    book = one_rule("company.employees % 2 == 0")
    for employees in [*range(3000), *range(3000)]:
        assert matches(book, {"company.employees": employees}) == ([] if employees % 2 else ["only"])


def test_equal_questions_have_equal_answers() -> None:
    book = one_rule("known.properties && properties.seats >= 0.0 || company.employees > 100")
    seats: list[Any] = [None, 1, 1.0, True, 0.0, -0.0, "1", [1], "x" * 300]
    given: list[Any] = [None, {}, "text", *({"seats": one} for one in seats)]
    answers: dict[Any, str] = {}
    for facts in (
        {"properties": properties, "company.employees": employees}
        for properties in given
        for employees in (None, 1, 120, "120")
    ):
        question = book.question("page", None, facts)
        if question is not None:
            answer = repr(book.evaluate("page", None, facts))
            assert answers.setdefault(question, answer) == answer
    assert len(answers) == 28  # what is long, broken or made of parts cannot be asked again


def test_a_question_is_of_a_kind_that_there_is() -> None:
    with pytest.raises(UnknownKind):
        one_rule("true").question("visit", None, {})


class Word(StrEnum):
    PRICING = "/pricing"


class OldWord(str, Enum):  # noqa: UP042  (older code has these)
    PRICING = "/pricing"


NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
DEEP: dict[str, Any] = {}
for _ in range(5000):
    DEEP = {"deeper": DEEP}

VALUES = [  # condition, variable, value, whether it fits and holds (None: it does not fit)
    ("company.employees == 120", "company.employees", 120, True),
    ("company.employees == 120", "company.employees", 120.0, True),
    ("company.employees == 120", "company.employees", Decimal("120.00"), True),
    ("company.employees == 120", "company.employees", 120.5, None),
    ("company.employees == 1", "company.employees", True, None),
    ("company.employees == 1", "company.employees", "1", None),
    ("company.employees > 0", "company.employees", 2**63 - 1, True),
    ("company.employees > 0", "company.employees", 2**63, None),
    ("company.employees > 0", "company.employees", 1e300, None),
    ("company.employees < 0", "company.employees", -(2**63), True),
    ("company.revenue > 1.0", "company.revenue", 2, True),
    ("company.revenue == 0.1", "company.revenue", Decimal("0.1"), True),
    ("company.revenue > 1.0", "company.revenue", True, None),
    ("company.revenue > 1.0", "company.revenue", float("nan"), None),
    ("company.revenue > 1.0", "company.revenue", Decimal("Infinity"), None),
    ("company.revenue > 1.0", "company.revenue", 2**60, None),
    ('page.path == "/pricing"', "page.path", Word.PRICING, True),
    ('page.path == "/pricing"', "page.path", OldWord.PRICING, True),
    ('page.path == "/pricing"', "page.path", b"/pricing", None),
    ('page.path == "/preise-für-日本"', "page.path", "/preise-für-日本", True),
    ('page.path != ""', "page.path", "\ud800", None),
    ("person.has_business_email", "person.has_business_email", True, True),
    ("person.has_business_email", "person.has_business_email", 1, None),
    ('seen.first_at == timestamp("2026-01-31T12:00:00Z")', "seen.first_at", NOON, True),
    ('seen.first_at == timestamp("2026-01-31T12:00:00Z")', "seen.first_at", NOON.replace(tzinfo=None), None),
    ('page.seconds > duration("1m")', "page.seconds", timedelta(seconds=61), True),
    ('page.seconds > duration("1m")', "page.seconds", timedelta.max, None),
    ('page.seconds > duration("1m")', "page.seconds", 61, None),
    ('"saas" in company.tags', "company.tags", ("saas", "eu"), True),
    ('"saas" in company.tags', "company.tags", ["saas", 3], None),
    ('"saas" in company.tags', "company.tags", "saas", None),
    ("size(properties) == 0", "properties", {}, True),
    ("size(properties) == 0", "properties", [], None),
    ("size(properties) == 1", "properties", DEEP, None),
    ("anything == 3", "anything", 3.0, True),
    ("anything == [1, 'a', null]", "anything", (1, "a", None), True),
    ("anything == 3", "anything", object(), None),
]


@pytest.mark.parametrize(
    ("when", "variable", "value", "expected"),
    VALUES,
    ids=[f"{variable} of {type(value).__name__} {number}" for number, (_, variable, value, _) in enumerate(VALUES)],
)
def test_values_are_taken_exactly_or_not_at_all(when: str, variable: str, value: Any, expected: bool | None) -> None:
    evaluation = one_rule(when).evaluate("page", None, {variable: value})
    assert [bool(evaluation.matched), bool(evaluation.rejected), bool(evaluation.unknown)] == [
        expected is True,
        expected is False,
        expected is None,
    ]
    if expected is None:
        assert evaluation.unknown[0].facts == (variable,)


def test_definitions_stand_for_what_they_say_wherever_they_stand() -> None:
    definitions = {
        "is_large": "company.employees > 500 // heads",
        "is_key": "is_large && known.person.title",
        "path": "page.path.lowerAscii()",
    }
    book = one_rule(
        'is_key && path.startsWith("/pri") && [1].exists(large, large == 1) && !(path == "is_key")', "fail", definitions
    )
    assert matches(book, {"company.employees": 501, "person.title": "CTO", "page.path": "/PRICING"}) == ["only"]
    assert matches(book, {"company.employees": 500, "person.title": "CTO", "page.path": "/PRICING"}) == []


def test_a_definition_keeps_its_own_precedence() -> None:
    book = one_rule(
        "either && page.path == '/x'", "fail", {"either": "company.employees > 1 || company.employees < -1"}
    )
    assert matches(book, {"company.employees": 2, "page.path": "/y"}) == []


def test_a_loop_variable_hides_nothing_of_the_same_name_elsewhere() -> None:
    book = one_rule("company.tags.exists(t, t == 'a') && !company.tags.all(t, t == 'a')", "fail")
    assert matches(book, {"company.tags": ["a", "b"]}) == ["only"]


def test_a_rulebook_is_shared_by_threads() -> None:
    book = a_book()

    def ask(employees: int) -> bool:
        return all(
            matches(book, {"person.seniority": "director", "company.employees": employees}, "track")
            == (["key_person"] if employees >= 500 else [])
            for _ in range(300)
        )

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(100, 1000, 100)))


def test_a_rulebook_cannot_be_changed() -> None:
    book = a_book()
    with pytest.raises(AttributeError):
        book.version = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        book.rules[0].when = "false"  # type: ignore[misc]
    with pytest.raises(TypeError):
        book.sections["grid"] = book.sections["grid"]  # type: ignore[index]
