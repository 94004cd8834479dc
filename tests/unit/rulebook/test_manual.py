"""The manual's rulebook is a rulebook, and its mistakes are told as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rulebook.examples import assert_examples_pass
from rulebook.problems import RulebookError
from tests.unit.rulebook.books import a_book, one_rule

MANUAL = Path("docs/rulebooks.md").read_text(encoding="utf-8")
[BOOK] = re.findall(r"```yaml\n(.*?)```", MANUAL, re.DOTALL)
CODE = [
    code.replace("\\|", "|")
    for row in re.findall(r"^\| .* \| (.*) \|$", MANUAL, re.MULTILINE)
    for code in re.findall(r"`([^`]+)`", row)
]
CONDITIONS = [code for code in CODE if re.match(r"!?(known|person|page|properties|company|seen|has)\b", code)]


def test_the_manuals_rulebook_passes_its_own_examples() -> None:
    assert_examples_pass(a_book(BOOK))


def test_the_manuals_mistakes_are_told_as_it_says() -> None:
    with pytest.raises(RulebookError) as caught:
        a_book(BOOK.replace("page.path.starts", "page.pth.starts").replace("{points: 20}", "{pionts: 20}"))
    assert str(caught.value).splitlines() == re.findall(r"^line \d+.*", MANUAL, re.MULTILINE)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_manuals_conditions_compile(condition: str) -> None:
    assert one_rule(condition).rules[0].reads


def test_the_manual_shows_conditions_of_every_sort() -> None:
    assert len(CONDITIONS) > 12
