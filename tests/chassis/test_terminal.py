"""What others wrote moves no cursor."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.terminal import plain_json, printable

TITLE = "\x1b]0;owned\x07"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TITLE, "\\x1b]0;owned\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("gro\u00df, \u6771\u4eac, Jos\u00e9 \U0001f600", "gro\u00df, \u6771\u4eac, Jos\u00e9 \U0001f600"),
        ("a\u202eb\u2066c\u200fd", "a\\u202eb\\u2066c\\u200fd"),
        ("a\u2028b\u2029c\nd\re\tf\x7f", "a\\u2028b\\u2029c\\x0ad\\x0de\\x09f\\x7f"),
        ("\ud800\U000e0041\ufeff", "\\ud800\\U000e0041\\ufeff"),
    ],
)
def test_a_sign_that_a_terminal_obeys_is_shown_by_its_number(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_sign_that_is_ours_may_be_kept() -> None:
    assert printable("a\nb\r", kept="\n") == "a\nb\\x0d"


@given(st.text())
def test_nothing_that_hides_is_left(text: str) -> None:
    assert not {unicodedata.category(sign) for sign in printable(text)} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_says_the_same_in_plain_signs(text: str) -> None:
    written = plain_json({"text": text})
    assert json.loads(written) == {"text": text}
    assert all(" " <= sign <= "~" for sign in written)
