"""`rapport doctor` looks everywhere and says what to do."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from embedded.up import prepare
from tests.unit.cli.conftest import Command


def checks(text: str) -> dict[str, dict[str, str]]:
    return {one["check"]: one for one in json.loads(text)}


def test_where_nothing_is_known_nothing_is_claimed(rapport: Command) -> None:
    shown = rapport("doctor", "--json")
    assert shown.exit_code == 0
    found = checks(shown.stdout)
    assert {found[name]["state"] for name in ("folder", "gateway", "NATS", "stores")} == {"unknown"}


def test_a_folder_that_is_open_a_slip_and_a_taken_port_are_told_with_their_remedies(
    rapport: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = prepare(tmp_path, 0, detached=True)
    tmp_path.chmod(0o755)
    (tmp_path / "rapport.env").unlink()
    monkeypatch.setenv("SCORING_LANE", "2")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", plan.ports["nats"]))
        taken.listen()
        shown = rapport("doctor", "--var", str(tmp_path), "--json")
    assert shown.exit_code == 1
    found = checks(shown.stdout)
    assert "SCORING_LANES" in found["settings"]["says"]
    assert "chmod -R go=" in found["rights"]["remedy"]
    assert f"nats {plan.ports['nats']}" in found["ports"]["says"]
    assert found["disk"]["state"] in ("fine", "warning")
    assert found["store of identity"]["state"] == "warning"


def test_in_words_each_has_a_line_and_its_remedy(rapport: Command, tmp_path: Path) -> None:
    prepare(tmp_path, 0, detached=True)
    shown = rapport("doctor", "--var", str(tmp_path))
    assert " !  folder: nothing runs in" in shown.stdout
    assert "      Start it: `rapport up`." in shown.stdout
    assert "!!  NATS: NATS does not let us in" in shown.stdout
