"""A mistake inside an expression is pointed at in the file, however the YAML scalar around it is written."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rulebook.source import read_source
from tests.unit.rulebook.books import a_text, problems_of


def marked(text: str) -> tuple[str, tuple[int, int]]:
    """The text without its mark ^, and the line and column of the character that the mark stood before."""
    before, _, after = text.partition("^")
    return before + after, (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


WAYS_TO_WRITE = {
    "plain": "^person.titel == page.path",
    "plain over lines": 'page.path == "/x" &&\n      ^person.titel == page.path\n      && true',
    "single quotes": """'page.path == "/it''s" && ^person.titel == "x"'""",
    "single quotes over lines": """'page.path == "/it''s" &&\n\n      ^person.titel == "x"'""",
    "double quotes": r'''"page.path == \"/\u00e9\t\" && ^person.titel == 'x'"''',
    "double quotes over lines": "\"page.path ==\\\n      '/x' &&\n      ^person.titel == 'x'\"",
    "literal block": '|\n    page.path == "/x" &&\n      ^person.titel == "y"\n',
    "literal block with a comment in its header": '|-  # why not\n    page.path == "/x" &&\n      ^person.titel == "y"',
    "literal block with an indentation of its own": '|2\n    page.path == "/x" &&\n      ^person.titel == "y"',
    "folded block": '>-\n    page.path == "/x" &&\n    ^person.titel == "y"\n',
    "folded block with paragraphs": '>\n    page.path == "/x"\n\n      &&\n\n    ^person.titel == "y"\n',
    "after letters of any script": '>-\n    page.path == "/日本😀é" && ^person.titel == "y"\n',
}


@pytest.mark.parametrize("when", WAYS_TO_WRITE.values(), ids=WAYS_TO_WRITE.keys())
def test_a_misspelt_fact_is_pointed_at(when: str) -> None:
    text, spot = marked(a_text(when))
    [problem] = problems_of(text)
    assert (problem.line, problem.column) == spot
    assert problem.path == "rules[0].when"
    assert "person.titel" in problem.message
    assert problem.remedy == "Did you mean person.title?"


MISTAKES = {
    "text compared with a number": ('|\n    company.employees ^> "5"', "> cannot be applied to (int, string)"),
    "a bracket that is not closed": ('"page.path.startsWith(^"', "syntax error"),
    "a word too many": ("true &&\n      page.path ^page.path", "mismatched"),
    "a quote that is not closed": ("|\n    page.path == ^'/x", "token recognition"),
    "a function that does not exist": ("'page.path.^shout() == page.path'", "there is no function shout"),
    "a global function that does not exist": ("'true || ^shout(page.path)'", "there is no function shout"),
    "a fact that does not exist at all": ("'true || ^shoe.size > 3'", "there is no fact shoe.size"),
    "a regular expression that is none": ("'page.path.matches(^\"(\")'", "is not a regular expression"),
    "a moment that is none": ("'seen.first_at > timestamp(^\"yesterday\")'", "is not a moment"),
    "a length of time that is none": ("'page.seconds > duration(^\"a while\")'", "is not a length of time"),
    "a choice that does not exist": ("'person.seniority == ^\"boss\"'", 'it is never "boss"'),
    "a choice in a list that does not exist": ('\'person.seniority in ["director", ^"boss"]\'', 'it is never "boss"'),
    "has() of a fact": ("'has(person^.title) && true'", "is a fact"),
    "a loop variable called like a fact": (
        "'company.tags^.exists(page, page == \"x\")'",
        "page already stands for something else",
    ),
    "a number as a condition": ("^company.employees", "this is INT"),
    "an entry of a map as a condition": ("^properties.plan", "this is DYN"),
}


@pytest.mark.parametrize(("when", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_pointed_at(when: str, words: str) -> None:
    text, spot = marked(a_text(when))
    found = {(problem.line, problem.column): problem.message for problem in problems_of(text)}
    assert words in found.get(spot, f"nothing at {spot}, but {found}")
    assert all(problem.remedy for problem in problems_of(text))


def test_a_mistake_in_a_definition_is_pointed_at_in_the_definition() -> None:
    text, spot = marked(
        a_text("is_big && page.path == 'x'", definitions={"is_big": '|\n    true &&\n    company.employees ^> "5"\n'})
    )
    [problem] = problems_of(text)
    assert (problem.line, problem.column, problem.path) == (*spot, "definitions.is_big")


def test_a_mistake_after_a_definition_is_pointed_at_in_the_rule() -> None:
    text, spot = marked(
        a_text(
            ">\n    is_big && is_big &&\n    ^person.titel == 'x'\n",
            definitions={"is_big": "company.employees > 5 // large"},
        )
    )
    assert [(problem.line, problem.column, problem.path) for problem in problems_of(text)] == [(*spot, "rules[0].when")]


def test_a_definition_of_the_wrong_type_is_pointed_at_where_it_is_used() -> None:
    text, spot = marked(a_text("'true && size ^+ 1 > 2'", definitions={"size": "page.path"}))
    [problem] = problems_of(text)
    assert (problem.line, problem.column) == spot
    assert "(string, int)" in problem.message


LETTERS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp", "Cn", "Co"], exclude_characters="\ufeff"),
    min_size=1,
    max_size=30,
)


@example("''x'", "'")
@given(LETTERS.filter(lambda text: text.strip() == text and text), st.sampled_from(["'", '"', "|", ">"]))
def test_every_character_of_a_scalar_knows_its_place(value: str, style: str) -> None:
    written = {
        "'": "'" + value.replace("'", "''") + "'",
        '"': '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"',
        "|": f"|-\n    {value}",
        ">": f">-\n    {value}",
    }[style]
    source = read_source(f"first: 1\nkey: {written}\n")
    assert source.data["key"] == value
    lines = source.text.split("\n")
    for offset, letter in enumerate(value):
        line, column = source.spot_within(("key",), offset)
        shown = lines[line - 1][column - 1]
        assert shown == letter or (style == '"' and shown == "\\")
        if style == "'":  # from column 7 on, quotes doubled
            assert (line, column) == (2, 7 + offset + value[:offset].count("'"))
