"""`rapport migrate`: stores of a folder, or those that the environment names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embedded.up import prepare
from tests.unit.cli.conftest import Command


def test_a_store_that_the_environment_names_is_migrated(
    rapport: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "identity.db"
    store.touch()
    monkeypatch.setenv("IDENTITY_DATABASE_URL", f"sqlite:///{store}")
    dry = json.loads(rapport("migrate", "--dry-run", "--json").stdout)
    assert [one["service"] for one in dry] == ["identity"]
    assert dry[0]["lacking"]
    assert not dry[0]["is_done"]
    done = json.loads(rapport("migrate", "identity", "--json").stdout)
    assert done[0] == {**dry[0], "is_done": True}
    assert "up to date" in rapport("migrate").stdout


def test_a_store_that_is_not_there_is_told(rapport: Command, tmp_path: Path) -> None:
    prepare(tmp_path, 0, detached=True)
    shown = rapport("migrate", "scoring", "--var", str(tmp_path))
    assert (shown.exit_code, "makes it at its first start" in shown.stdout) == (1, True)
    assert not (tmp_path / "scoring.db").exists()


def test_no_such_service_and_no_such_folder(rapport: Command, tmp_path: Path) -> None:
    assert "holds no suite" in rapport("migrate", "--var", str(tmp_path)).stderr
    prepare(tmp_path, 0, detached=True)
    assert "there is no service nobody" in rapport("migrate", "nobody", "--var", str(tmp_path)).stderr
