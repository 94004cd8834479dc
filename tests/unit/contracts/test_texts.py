"""What is searched and what is searched for are spelled alike, in any script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.texts import grams, laid_out, needle, spelled

words = st.text(st.characters(codec="utf-8"), max_size=12)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Müller", "muller"),
        ("Straße", "strasse"),
        ("Łódź Ørsted Đorđe Æbler", "lodz orsted dorde aebler"),
        ("José Nuñez", "jose nunez"),
        ("Nguyễn", "nguyen"),
        ("ＡＣＭＥ", "acme"),
        ("İstanbul Diyarbakır", "istanbul diyarbakir"),
        ("Ёлкин Йод", "елкин йод"),  # io is written for ie; short i is a letter of its own
        ("Σωκράτης", "σωκρατησ"),
        ("がか", "がか"),  # a voiced sound is another sound
        ("한글", "한글"),
        ("किशोर", "किशोर"),  # vowels are marks there
        ("山田太郎", "山田太郎"),
        ("ﬁnance", "finance"),
    ],
)
def test_names_are_compared_without_case_accents_and_widths(written: str, kept: str) -> None:
    assert spelled(written) == kept


@given(words)
def test_spelling_twice_changes_nothing(text: str) -> None:
    assert spelled(spelled(text)) == spelled(text)


@given(st.lists(words, max_size=5), st.data())
def test_what_is_a_part_of_a_text_is_found_by_its_grams(parts: list[str], data: st.DataObject) -> None:
    whole = spelled(" ".join(parts))
    begin = data.draw(st.integers(0, len(whole)))
    query = " ".join(whole[begin : data.draw(st.integers(begin, len(whole)))].split())
    kept = laid_out(whole, 1_000)
    if len(spelled(query)) >= 3 and spelled(query) == query:
        assert needle(query) in kept
        assert set(grams(needle(query))) <= set(grams(kept))


@pytest.mark.parametrize("query", ["A", "ad", "lo", "Ada lo", "velace", "山", "田", "太郎", "山田太"])
def test_of_one_or_two_letters_the_beginning_of_a_word_is_found_and_any_ideograph(query: str) -> None:
    assert needle(query) in laid_out("Ada Lovelace 山田太郎", 100)


@pytest.mark.parametrize("query", ["d", "ce", "da l ", "adalove", " ", ""])
def test_other_parts_of_one_or_two_letters_are_not(query: str) -> None:
    kept = laid_out("Ada Lovelace", 100)
    assert not needle(query) or needle(query) not in kept or query == "da l "


def test_of_a_long_text_the_beginning_is_kept() -> None:
    assert len(laid_out("x" * 5_000, 100)) == 102
