"""`rapport lanes`, where no suite runs or another command is at work."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployment.lane_lock import changing
from embedded.up import CannotStart, Wish, prepare, run
from tests.unit.cli.conftest import Command


def test_while_one_change_is_under_way_another_is_refused_at_once(rapport: Command, tmp_path: Path) -> None:
    prepare(tmp_path, 0, detached=True)
    with changing(tmp_path / "lanes.json", 4, datetime(2026, 3, 1, tzinfo=UTC)):
        shown = rapport("lanes", "--var", str(tmp_path), "set", "2", "--json")
    assert shown.exit_code == 1
    assert "another change is under way (to 4 lanes, since 2026-03-01T" in json.loads(shown.stdout)["error"]


def test_with_nothing_running_there_is_a_reason(
    rapport: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(tmp_path, 0, detached=True)
    monkeypatch.setattr("cli.commands.lanes._CONNECT_SECONDS", 0.3)
    said = json.loads(rapport("lanes", "--var", str(tmp_path), "--json").stdout)["error"]
    assert said.startswith("NATS does not answer: it does not let us in within")


@pytest.mark.parametrize("lanes", [0, -3, 65])
def test_a_number_of_lanes_that_cannot_be_is_refused_and_nothing_is_written(tmp_path: Path, lanes: int) -> None:
    with pytest.raises(CannotStart, match="from 1 to 64"):
        run(Wish(tmp_path, 0, {}, is_detached=True, lanes=lanes), lambda _: None)
    assert not (tmp_path / "lanes.json").exists()


def test_the_plan_is_its_owners_alone(tmp_path: Path) -> None:
    prepare(tmp_path, 0, detached=True, lanes=2)
    assert stat.S_IMODE((tmp_path / "lanes.json").stat().st_mode) == 0o600
