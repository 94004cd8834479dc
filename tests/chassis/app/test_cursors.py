"""Where a page ended comes back as it was said, or is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import BadInput
from chassis.web.cursors import read_cursor, write_cursor

WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20)


@given(st.lists(WORDS, min_size=1, max_size=3))
def test_what_was_said_is_read(parts: list[str]) -> None:
    assert read_cursor(write_cursor(*parts), len(parts)) == tuple(parts)


@given(st.text(max_size=60))
def test_no_word_of_somebody_else_is_taken_for_a_place(word: str) -> None:
    with pytest.raises(BadInput, match="not a cursor"):
        read_cursor(word, 1)


@given(WORDS.filter(bool), st.integers(0), st.characters(codec="ascii", categories=("L", "N")))
def test_one_letter_changed_is_noticed(part: str, at: int, letter: str) -> None:
    cursor = write_cursor(part)
    at %= len(cursor) - 1  # the last letter may hold bits that say nothing
    if cursor[at] != letter:
        with pytest.raises(BadInput):
            read_cursor(cursor[:at] + letter + cursor[at + 1 :], 1)


def test_a_cursor_of_a_list_in_another_order_is_refused() -> None:
    with pytest.raises(BadInput):
        read_cursor(write_cursor("1766", "per_1"), 1)
