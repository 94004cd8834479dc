"""A value stands in a file as what it is, or not at all."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from supervisor.datatypes import dict_of_key_value_pairs
from supervisor.options import UnhosedConfigParser

from embedded.notation import ValueRefused, read_shell_file, shell_file, supervisor_environment, supervisor_line
from embedded.secrets import SecretRefused, is_key, read_secrets

BREAKS = ["a\n[program:evil]\ncommand=id", "a\rb", "a\x00b", "a\u2028b", "a\x85b", "\x1b[2J"]
SHELL = ["$(id)", "`id`", "a b;c", "'", "\"'$x", "~", "a#b", "\\", "", "*", "a=b"]
values = st.text(st.characters(exclude_categories=["Cs"]))


def as_supervisord_reads(text: str, name: str) -> str:
    parser: Any = UnhosedConfigParser()
    parser.read_string(f"[program:x]\n{text}\nafter=1\n")
    assert parser.get("program:x", "after") == "1"
    return str(parser.saneget("program:x", name))


@pytest.mark.parametrize("value", BREAKS)
def test_what_would_begin_another_line_is_refused(value: str) -> None:
    with pytest.raises(ValueRefused):
        supervisor_line("directory", value)
    for write in (supervisor_environment, shell_file):
        with pytest.raises(ValueRefused):
            write({"A": value})


@given(values)
def test_supervisord_reads_a_line_as_it_was_or_it_is_refused(value: str) -> None:
    try:
        written = supervisor_line("directory", value)
    except ValueRefused:
        return
    assert as_supervisord_reads(written, "directory") == value


@given(st.dictionaries(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), values, max_size=3))
def test_supervisord_reads_an_environment_as_it_was_or_it_is_refused(variables: dict[str, str]) -> None:
    try:
        written = supervisor_environment(variables)
    except ValueRefused:
        return
    assert dict_of_key_value_pairs(as_supervisord_reads(written, "environment")) == variables


@pytest.mark.parametrize("value", SHELL)
def test_a_shell_reads_one_word_and_runs_nothing(tmp_path: Path, value: str) -> None:
    path = tmp_path / "rapport.env"
    path.write_text(shell_file({"RAPPORT_URL": value, "AFTER": "1"}))
    script = f'. {path}; printf "%s|%s" "$RAPPORT_URL" "$AFTER"'
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert (said.stdout, said.stderr) == (f"{value}|1", "")
    assert read_shell_file(path.read_text()) == {"RAPPORT_URL": value, "AFTER": "1"}


@given(values)
def test_what_was_written_for_a_shell_is_read_back(value: str) -> None:
    try:
        written = shell_file({"A": value})
    except ValueRefused:
        return
    assert read_shell_file(written) == {"A": value}


def test_a_name_that_is_more_is_refused() -> None:
    for name in ("A;id", "A B", "", "1A", "A\n"):
        with pytest.raises(ValueRefused):
            shell_file({name: "1"})
    assert read_shell_file("A;id=1\n# B=2\nC='open\nD=4") == {"D": "4"}


@pytest.mark.parametrize("key", ["wk_$(id)", "a b", "", "k\n", "k'", "k;", "k" * 600, "schl\u00fcssel"])
def test_a_key_is_what_a_header_carries(key: str) -> None:
    assert not is_key(key)


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 60_000, '{"api_key": 1}', "null", '"a"', "x" * 70_000])
def test_secrets_that_are_none_are_named_and_not_quoted(text: str) -> None:
    with pytest.raises(SecretRefused) as refusal:
        read_secrets(text)
    assert len(str(refusal.value)) < 80
