"""What a command says is its own: what others wrote is shown, and obeyed by no terminal."""

from __future__ import annotations

import json

import pytest
import typer

from cli.commands.dead import _listed, _shown
from cli.output import fail, tell
from cli.table import sentence, table

WILD = "all is well\x1b]0;owned\x07\n\u202e\u009b2J\u2028  ok  NATS: fine\x7f"
OBEYED = set("\x1b\x07\u202e\u009b\u2028\x7f\r")


def letter(**changed: object) -> dict[str, object]:
    said = {"letter": 1, "service": WILD, "died_at": WILD, "subject": WILD, "reason": WILD, "event_id": WILD}
    return said | changed


def test_a_letter_keeps_to_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell([letter(), letter(unreadable=WILD)], _listed, as_json=False)
    text = capsys.readouterr().out
    assert not OBEYED & set(text)
    assert len(text.splitlines()) == 3
    assert "unreadable: all is well\\x1b]0;owned\\x07\\x0a\\u202e" in text


def test_each_part_of_one_that_is_shown_keeps_to_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    tell(letter(headers={WILD: WILD}, body=WILD), _shown, as_json=False)
    text = capsys.readouterr().out
    assert not OBEYED & set(text)
    assert len(text.splitlines()) == 8


def test_json_is_plain_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    tell(letter(), str, as_json=True)
    text = capsys.readouterr().out
    assert text.isascii()
    assert not OBEYED & set(text)
    assert json.loads(text) == letter()


def test_what_goes_wrong_forges_no_line_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        fail(f"no\nrapport: {WILD}", "Try anew.")
    lines = capsys.readouterr().err.split("\n")
    assert [line for line in lines if not line.startswith(" ")] == ["rapport: no", "Try anew.", ""]
    assert not OBEYED & set("".join(lines))


def test_names_of_people_are_left_as_they_are() -> None:
    assert table(("name", "town"), [("Jos\u00e9 \u00c5", "\u6771\u4eac")]).endswith("Jos\u00e9 \u00c5  \u6771\u4eac")
    assert sentence({"field": "a\nb", "reason": "c"}) == "a\\x0ab: c"
