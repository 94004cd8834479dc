"""Regular expressions run quickly mean what they mean in RE2."""

from __future__ import annotations

import pytest
from cel_expr_python import cel
from hypothesis import given, settings
from hypothesis import strategies as st

from rulebook.patterns import is_plain, quick_matcher
from tests.unit.rulebook.books import matches, one_rule

RE2 = cel.NewEnv(variables={"t": cel.Type.STRING, "p": cel.Type.STRING}).compile("t.matches(p)")

PIECES = [
    *"aAbk1 _/.-",
    "^",
    "$",
    "|",
    "(",
    "(?:",
    ")",
    ")?",
    "[ab]",
    "[^a]",
    "[a-z]",
    r"[\d/]",
    r"\b",
    r"\w",
    r"\s",
    r"\d",
    r"\W",
    r"\.",
    r"\$",
    "*",
    "+",
    "?",
    "+?",
    "{2}",
]
PATTERNS = st.builds(
    lambda flag, pieces: flag + "".join(pieces),
    st.sampled_from(["", "(?i)"]),
    st.lists(st.sampled_from(PIECES), max_size=8),
)
TEXTS = st.text(st.sampled_from("aAbBkK1 _/.-$\u212a\u017f\n\x0b"), max_size=12)


@settings(max_examples=600)
@given(PATTERNS, TEXTS)
def test_what_is_run_quickly_agrees_with_re2(pattern: str, text: str) -> None:
    search = quick_matcher(pattern)
    said = RE2.eval(data={"t": text, "p": pattern}).value()
    if search is not None and is_plain(text) and isinstance(said, bool):
        assert (search(text) is not None) is said


@pytest.mark.parametrize(
    "pattern", ["(?i)vp|director|head of", r"^/pricing(/.*)?$", "(?i)(demo|trial).*(form|request|$)", r"\bC[EFT]O\b"]
)
def test_the_patterns_people_write_are_run_quickly(pattern: str) -> None:
    assert quick_matcher(pattern) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        "(a|a)*b",
        "(a+)+b",
        ".*.*b",
        "(a|b|c|d|e|f|g|h|i|j|k)(a|b|c|d|e|f|g|h|i|j|k).*x",
        "a{2}",
        r"\pL",
        "é",
        "(?s)a",
        "[[:alpha:]]",
        "a?" * 30,
    ],
)
def test_patterns_that_could_take_long_or_mean_something_else_are_left_to_re2(pattern: str) -> None:
    assert quick_matcher(pattern) is None


def test_the_worst_that_is_run_quickly_comes_to_an_end() -> None:
    search = quick_matcher("(a|aa|aaa|aaaa|aaaaa|aaaaaa|aaaaaaa|aaaaaaaa|aaaaaaaaa).*(b|ab|aab|aaab)(c|d)$")
    assert search is not None
    assert search("a" * 256) is None  # what grew with each further letter by half would not end before the sun does


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("(?i)pricing(/|$)", "/EN/Pricing", True),
        ("(?i)pricing(/|$)", "/pricings", False),
        ("(?i)geschäftsführer", "GESCHÄFTSFÜHRER", True),
        ("(?i)kelvin", "\u212aelvin", True),
        ("a$", "a\n", False),
        ("^b", "a\nb", False),
        ("(a|a)*b", "a" * 2000, False),
        ("x", "y" * 2000 + "x", True),
    ],
)
def test_rules_match_as_re2_does(pattern: str, text: str, holds: bool) -> None:
    definitions = {"found": f'page.path.matches("{pattern}")'}
    for when in (definitions["found"], "found && true", f'true && matches(page.path, "{pattern}")'):
        assert bool(matches(one_rule(when, "fail", definitions), {"page.path": text})) is holds


def test_a_pattern_that_comes_from_a_fact_may_be_wrong_and_then_nothing_is_known() -> None:
    book = one_rule("page.path.matches(person.title)")
    assert matches(book, {"page.path": "/pricing", "person.title": "^/pri"}) == ["only"]
    [undecided] = book.evaluate("page", None, {"page.path": "/pricing", "person.title": "("}).unknown
    assert "regular expression" in undecided.why
