"""--json is understood wherever it stands, and answered also where nothing else is understood."""

from __future__ import annotations

import json

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from cli.main import app
from cli.usage import RapportGroup
from tests.unit.cli.conftest import Command


@pytest.mark.parametrize(
    "words",
    [
        ("lanes", "set", "0"),
        ("lanes", "set", "x"),
        ("lanes", "set", "65"),
        ("restore",),
        ("nonsense",),
        ("keys", "nonsense"),
        ("up", "--lanes", "0"),
        ("up", "--port", "70000"),
        ("status", "--colour"),
        ("dead", "show"),
        (),
    ],
)
@pytest.mark.parametrize("comes_first", [True, False])
def test_what_is_not_understood_is_told_as_json(rapport: Command, words: tuple[str, ...], comes_first: bool) -> None:
    shown = rapport("--json", *words) if comes_first else rapport(*words, "--json")
    assert shown.exit_code == 2, shown.output
    answer = json.loads(shown.stdout)
    assert set(answer) == {"error", "remedy"}
    assert answer["error"]
    assert "--help" in answer["remedy"]


@pytest.mark.parametrize("words", [("version",), ("settings", "suite"), ("lanes", "steps", "4"), ("keys", "new")])
def test_before_the_command_it_means_the_same(rapport: Command, words: tuple[str, ...]) -> None:
    before, behind = rapport("--json", *words), rapport(*words, "--json")
    assert (before.exit_code, behind.exit_code) == (0, 0)
    assert type(json.loads(before.stdout)) is type(json.loads(behind.stdout))


def test_between_group_and_command_as_well(rapport: Command) -> None:
    assert json.loads(rapport("keys", "--json", "new").stdout)


def test_without_it_people_are_told_as_ever(rapport: Command) -> None:
    shown = rapport("lanes", "set", "0")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert "Usage:" in shown.stderr


def test_every_command_takes_it() -> None:
    """So that where it stands cannot matter."""
    runner = CliRunner()

    def leaves(group: TyperGroup, *path: str) -> list[tuple[str, ...]]:
        return [
            leaf
            for name, command in group.commands.items()
            for leaf in (leaves(command, *path, name) if isinstance(command, TyperGroup) else [(*path, name)])
        ]

    group = get_command(app)
    assert isinstance(group, RapportGroup)
    for leaf in leaves(group):
        assert "--json" in runner.invoke(app, [*leaf, "--help"]).output, leaf


def test_a_mistake_of_ours_is_told_as_json_too() -> None:
    broken = typer.Typer(cls=RapportGroup, pretty_exceptions_enable=False)

    @broken.callback()
    def anything() -> None: ...

    @broken.command()
    def divide(as_json: bool = typer.Option(False, "--json")) -> None:
        raise ZeroDivisionError("by nothing")

    shown = CliRunner().invoke(broken, ["divide", "--json"])
    assert shown.exit_code == 1
    assert json.loads(shown.stdout)["error"] == "it broke: ZeroDivisionError: by nothing"
    assert "Traceback" in shown.stderr
