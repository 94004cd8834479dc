"""Which installation a command is about: one, whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedded.up import prepare
from tests.unit.cli.conftest import Command

_COMMANDS = (
    ("status",),
    ("keys", "make", "eve", "--role", "admin"),
    ("keys", "list"),
    ("dead", "list"),
    ("replay", "--dry-run"),
)


def sourced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """As `set -a; . folder/rapport.env` does."""
    told = dict(line.split("=", 1) for line in (folder / "rapport.env").read_text().splitlines())
    for name, text in told.items():
        monkeypatch.setenv(name, text)
    return told


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Suites in two folders, neither running; the first one's rapport.env is sourced."""
    folders = tmp_path / "here", tmp_path / "there"
    for folder in folders:
        prepare(folder, 0, detached=True)
    sourced(folders[0], monkeypatch)
    return folders


def address(folder: Path, name: str) -> str:
    return dict(line.split("=", 1) for line in (folder / "rapport.env").read_text().splitlines())[name]


@pytest.mark.parametrize("words", [words for words in _COMMANDS if words[0] in ("status", "keys")])
def test_a_folder_that_is_named_wins_over_what_was_sourced(
    rapport: Command, two: tuple[Path, Path], words: tuple[str, ...]
) -> None:
    shown = rapport(*words, "--var", str(two[1]), "--json")
    assert address(two[1], "RAPPORT_URL") in json.loads(shown.stdout)["error"]
    assert address(two[0], "RAPPORT_URL") not in shown.stdout


@pytest.mark.parametrize("words", _COMMANDS)
def test_a_folder_and_a_sourced_file_that_contradict_each_other_are_refused_by_both_their_names(
    rapport: Command, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("RAPPORT_VAR", str(two[1]))
    shown = rapport(*words, "--json")
    assert shown.exit_code == 1
    assert "RAPPORT_URL" in (error := json.loads(shown.stdout)["error"])
    assert str(two[1] / "rapport.env") in error


def test_stores_are_those_of_the_folder_that_is_named(
    rapport: Command, two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "identity.db"
    elsewhere.touch()
    monkeypatch.setenv("IDENTITY_DATABASE_URL", f"sqlite:///{elsewhere}")
    named = json.loads(rapport("migrate", "--dry-run", "--var", str(two[1]), "--json").stdout)
    assert len(named) > 1
    assert {one["error"] for one in named} == {"there is no store yet; the service makes it at its first start"}


@pytest.mark.parametrize("words", [("down",), ("lanes",), ("lanes", "set", "2"), ("backup", "b.tar")])
def test_a_command_about_a_folder_does_nothing_while_the_environment_speaks_of_another_suite(
    rapport: Command, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("RAPPORT_VAR", str(two[1]))
    assert "two installations" in rapport(*words).stderr


def test_a_key_of_one_suite_is_never_sent_to_another(rapport: Command, two: tuple[Path, Path]) -> None:
    shown = rapport("status", "--json")
    assert address(two[0], "RAPPORT_URL") in json.loads(shown.stdout)["error"], "the environment alone is read"


def test_the_same_door_by_another_name_is_no_contradiction(
    rapport: Command, two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAPPORT_VAR", str(two[0]))
    monkeypatch.setenv("RAPPORT_URL", address(two[0], "RAPPORT_URL").replace("127.0.0.1", "localhost") + "/")
    monkeypatch.delenv("RAPPORT_API_KEY")
    assert "does not answer" in rapport("status").stderr
