"""`rapport keys`."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from cli.main import app
from deployment.secret_names import SECRET_NAMES


def test_new_prints_an_env_file_with_all_of_them() -> None:
    shown = CliRunner().invoke(app, ["keys", "new"])
    assert shown.exit_code == 0
    assert [line.split("=", 1)[0] for line in shown.stdout.splitlines()] == list(SECRET_NAMES)


def test_new_as_json() -> None:
    assert set(json.loads(CliRunner().invoke(app, ["keys", "new", "--json"]).stdout)) == set(SECRET_NAMES)


def test_a_file_is_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "secrets.env"
    made = CliRunner().invoke(app, ["keys", "new", "--to", str(path)])
    assert (made.exit_code, path.stat().st_mode & 0o777) == (0, 0o600)
    assert "=" not in made.stdout
    text = path.read_text()
    again = CliRunner().invoke(app, ["keys", "new", "--to", str(path)])
    assert again.exit_code == 1
    assert "is there already" in again.stderr
    assert path.read_text() == text


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["keys", "new", "--json", "--to", str(tmp_path / "nowhere" / "x")])
    assert shown.exit_code == 1
    assert "No such file" in json.loads(shown.stdout)["error"]
