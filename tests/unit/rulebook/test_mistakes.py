"""All that is wrong with a rulebook is told at once, each with its place, its path and a remedy."""

from __future__ import annotations

import pytest

from rulebook.compile import compile_rulebook
from rulebook.problems import RulebookError, TextProblem
from tests.unit.rulebook.books import BOOK, LEADS, Grid, Points, a_book, a_text, problems_of
from tests.unit.rulebook.test_places import marked

SLIPS = {  # what stands in the book, what is written instead, path, words of the message, words of the remedy
    "key misspelt": (
        "    when: is_key_person",
        "    when: is_key_person\n    ^unknwon: skip",
        "rules[2].unknwon",
        "not known here",
        "unknown?",
    ),
    "name missing": ("name: scoring\n", "", "rulebook", "name is missing", "Add name:"),
    "rule without a reason": ("    reason: Read {page.path}.\n", "", "rules[1]", "reason is missing", "Add reason:"),
    "kind misspelt": (
        "[track, form]\n    named",
        "[track, ^from]\n    named",
        "rules[0].on[1]",
        "not a kind of event",
        "Did you mean form?",
    ),
    "name not a name": ("name: pricing_read", "name: ^Pricing read", "rules[1].name", "is not a name", "small letters"),
    "name used twice": (
        "name: pricing_read",
        "name: ^demo_requested",
        "rules[1].name",
        "the name of two",
        "name of its own",
    ),
    "policy that does not exist": (
        "when: is_key_person",
        "when: is_key_person\n    unknown: ^maybe",
        "rules[2].unknown",
        "'skip'",
        "Correct",
    ),
    "effect field misspelt": (
        "{points: 20}",
        "{points: 20, ^half_life: 3}",
        "rules[2].effect.half_life",
        "not known here",
        "half_life_days",
    ),
    "effect of the wrong type": ("{points: 20}", "{points: ^many}", "rules[2].effect.points", "decimal", "Correct"),
    "effect missing": ("    effect: {points: 20}\n", "", "rules[2]", "", "Correct"),
    "section misspelt": ("\ngrid:", "\ngird:", "gird", "not a part", "grid?"),
    "section of the wrong type": ("[10, 20, 30]", "[10, ^twenty, 30]", "grid.fit[1]", "integer", "Correct"),
    "placeholder misspelt": (
        "Read {page.path}.",
        "Read ^{page.pat}.",
        "rules[1].reason",
        "no fact page.pat",
        "page.path?",
    ),
    "placeholder within a fact that has no parts": (
        "Read {page.path}.",
        "Read ^{page.path.last}.",
        "rules[1].reason",
        "no fact",
        "page.path?",
    ),
    "placeholder of the effect misspelt": (
        "{effect.points}",
        "^{effect.point}",
        "rules[0].reason",
        "no point",
        "points?",
    ),
    "example with a fact misspelt": (
        "{page.path: /careers}",
        "{page.pth: ^/careers}",
        "examples[1].given.page.pth",
        "no fact",
        "page.path?",
    ),
    "example with a fact that does not fit": (
        "{employees: 1200}",
        "{employees: ^many}",
        "examples[0].given.company.employees",
        "a whole number",
        "Correct",
    ),
    "example with a choice misspelt": (
        "seniority: director",
        "seniority: ^boss",
        "examples[0].given.person.seniority",
        "one of staff",
        "Correct",
    ),
    "example with a rule misspelt": (
        "[demo_requested, key_person]",
        "[demo_requested, ^key_persn]",
        "examples[0].expect.rules[1]",
        "no rule key_persn",
        "key_person?",
    ),
    "example of a kind misspelt": (
        "    on: page\n    given",
        "    on: ^pgae\n    given",
        "examples[1].on",
        "not a kind",
        "page?",
    ),
    "definition called like a fact": (
        "  is_large: ",
        "  ^company: ",
        "definitions.company",
        "already stands for facts",
        "another name",
    ),
    "key said twice": ("title: How", "title: A\n^title: How", "title", "said twice", "Keep one"),
    "a condition that YAML takes for a tag": (
        "when: is_key_person",
        "when: ^!is_key_person",
        "rules[2].when",
        "tag",
        "Quote",
    ),
    "a reason that YAML takes for a map": (
        "reason: Read {page.path}.",
        "reason: ^{page.path}",
        "rules[1].reason",
        "not a text",
        "quotes",
    ),
    "an alias": ("when: is_key_person", "when: ^&x is_key_person", "rulebook", "anchors and aliases", "Look"),
    "not YAML": ("when: is_key_person", "when: 'is_key_person", "rulebook", "not YAML", "quotes"),
}


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS.keys())
def test_a_slip_is_named_with_place_path_and_remedy(slip: tuple[str, str, str, str, str]) -> None:
    right, wrong, path, words, remedy = slip
    assert right in BOOK
    text, spot = marked(BOOK.replace(right, wrong, 1))
    found = {problem.path: problem for problem in problems_of(text)}
    problem = found.get(path, TextProblem(0, 0, path, f"not found among {list(found)}"))
    assert words in problem.message
    assert remedy in problem.remedy
    if "^" in wrong:
        assert (problem.line, problem.column) == spot


def test_all_problems_are_told_at_once_in_the_order_of_the_text() -> None:
    text = BOOK
    for right, wrong in (
        ("is_large: company.employees", "is_large: company.employes"),
        ("on: page\n    when", "on: pages\n    when"),
        ("{points: 20}", "{points: many}"),
        ('properties.plan == "pro"', "properties.plan"),
        ("fit: [10", "fit: [ten"),
        ("title: How", "titel: How"),
        ("/careers", "/careers, page.seconds: long"),
    ):
        assert right in text
        text = text.replace(right, wrong, 1)
    problems = problems_of(text)
    assert [problem.path for problem in problems] == [
        "rulebook",  # title is missing
        "titel",
        "definitions.is_large",
        "rules[1].on",
        "rules[2].effect.points",
        "rules[3].when",
        "grid.fit[0]",
        "examples[1].given.page.seconds",
    ]
    assert [problem.line for problem in problems] == sorted(problem.line for problem in problems)


def test_the_error_reads_as_one_line_for_each_problem() -> None:
    with pytest.raises(RulebookError) as caught:
        a_book(BOOK.replace("page.path.starts", "page.pat.starts"))
    assert str(caught.value) == "line 16, column 11, rules[1].when: there is no fact page.pat. Did you mean page.path?"


def test_definitions_that_lead_back_to_themselves_are_refused() -> None:
    problems = problems_of(
        a_text("a", definitions={"a": "b && true", "b": "c", "c": "a || true", "d": "person.titel == 'x'"})
    )
    assert [(problem.path, problem.line) for problem in problems] == [("definitions.a", 11), ("definitions.d", 14)]
    assert "a definition may not lead back to itself" in problems[0].message


def test_definitions_that_explode_are_refused() -> None:
    doubling = {
        f"d{n}": f"d{n - 1} && d{n - 1}" if n else "page.path == '/a rather long path to make a point'"
        for n in range(14)
    }
    messages = {problem.path: problem.message for problem in problems_of(a_text("d13", definitions=doubling))}
    assert any("written out this is longer" in message for message in messages.values())


@pytest.mark.parametrize(
    "text",
    ["", "[1, 2]", "just words", "rules: 3", "rules: [3]", "name: x\ntitle: y\nrules: [{on: {a: b}}]\nexamples: [1]"],
)
def test_what_is_no_rulebook_at_all_is_refused_in_words(text: str) -> None:
    with pytest.raises(RulebookError) as caught:
        a_book(text)
    assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in caught.value.problems)


@pytest.mark.parametrize(
    "when", ["(" * 200 + "true" + ")" * 200, " + ".join(["1"] * 4000) + " > 0"], ids=["brackets", "a long chain"]
)
def test_an_expression_that_nests_too_deeply_is_refused_not_crashed_on(when: str) -> None:
    assert [problem.path for problem in problems_of(a_text(f'"{when}"'))] == ["rules[0].when"]


@pytest.mark.parametrize(
    "text", ["[" * 5000, "a: " * 3, "x" * 600_000, "name: \x00"], ids=["nested", "colons", "too long", "unprintable"]
)
def test_hostile_yaml_is_refused_not_crashed_on(text: str) -> None:
    with pytest.raises(RulebookError):
        a_book(text)


@pytest.mark.parametrize(
    "text",
    ["x: " + "[" * 45_000, "".join(" " * depth + "a:\n" for depth in range(400))],
    ids=["brackets", "indentation"],
)
def test_nesting_is_refused_where_it_gets_too_deep_without_reading_on(text: str) -> None:
    with pytest.raises(RulebookError, match="nested too deeply") as caught:
        a_book(text)
    (problem,) = caught.value.problems
    assert 35 < max(problem.line, problem.column) < 50


def test_of_very_many_mistakes_of_form_the_first_are_told() -> None:
    with pytest.raises(RulebookError) as caught:
        a_book(BOOK + "\n".join(f"part{number}: 1" for number in range(3_000)))
    assert 10 < len(caught.value.problems) < 200


def test_a_version_that_is_stated_must_be_the_one_that_is_given() -> None:
    stated = BOOK.replace("title:", "version: 1\ntitle:")
    assert compile_rulebook(stated, LEADS, Points, {"grid": Grid}, 1).version == 1
    words = "line 2, column 10, version: version 1 is not free, the next one is 2. Write 2, or leave the version out."
    with pytest.raises(RulebookError, match=words):
        compile_rulebook(stated, LEADS, Points, {"grid": Grid}, 2)
