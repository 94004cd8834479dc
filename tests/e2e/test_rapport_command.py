"""`rapport`, as an operator uses it on a running suite."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nats
import pytest

from tests.support.eventually import eventually
from tests.support.suite import ROOT, Suite

pytestmark = pytest.mark.slow
SUBJECT = "capture.interaction.received.v1.0"


def rapport(var: Path, *words: str) -> subprocess.CompletedProcess[str]:
    clean = {name: text for name, text in os.environ.items() if not name.startswith("RAPPORT_")}
    return subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=110, env=clean | {"RAPPORT_VAR": str(var)},
    )  # fmt: skip


def answer(var: Path, *words: str) -> Any:
    shown = rapport(var, *words, "--json")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    return json.loads(shown.stdout)


def test_up_says_where_everything_is_a_second_time_who_is_there_and_down_stops_it(tmp_path: Path) -> None:
    started = answer(tmp_path, "up", "--port", "0", "--detach")
    assert started["ports"]["gateway"] == int(started["url"].rpartition(":")[2])
    again = rapport(tmp_path, "up", "--port", "0", "--detach", "--json")
    assert again.returncode == 1
    assert "it is running already" in json.loads(again.stdout)["error"]
    assert answer(tmp_path, "down") == {"was_running": True, "orphans": [], "held_by": ""}
    assert answer(tmp_path, "down")["was_running"] is False


@pytest.mark.timeout(400)  # eleven processes on top of a suite
async def test_a_dead_letter_is_listed_shown_and_sent_again(own_suite: Suite) -> None:
    var = own_suite.var
    nothing = rapport(var, "dead", "list")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "There is no dead letter.\n", "")
    operator = await nats.connect(own_suite.operator_nats_url)
    await operator.publish(
        SUBJECT, b'{"not": "a capture"}', headers={"ce-id": "cap_poison", "ce-time": "2026-03-01T00:00:00Z"}
    )
    await operator.flush()
    await operator.close()

    async def set_aside() -> dict[str, Any]:
        (letter,) = answer(var, "dead", "list")
        return letter  # type: ignore[no-any-return]

    letter = await eventually(set_aside, within=20)
    assert letter["service"] == "identity"
    assert answer(var, "dead", "show", str(letter["letter"]))["body"] == '{"not": "a capture"}'
    assert answer(var, "replay", "--dry-run")["dead_letters"] == 1
    looked = rapport(var, "doctor")
    assert looked.returncode == 1
    assert "1 dead letters, of identity" in looked.stdout
    assert answer(var, "dead", "replay", str(letter["letter"]))["replayed"] == [letter["letter"]]
    again = await eventually(set_aside, within=20)
    assert again["letter"] != letter["letter"], "it failed once more"
    assert answer(var, "replay", "--service", "identity")["dead_letters"] == 1


def test_which_letter_has_to_be_said_and_has_to_be_there(suite: Suite) -> None:
    assert rapport(suite.var, "dead", "replay").returncode == 2
    missing = rapport(suite.var, "dead", "show", "999", "--json")
    assert (missing.returncode, json.loads(missing.stdout)["error"]) == (1, "there is no letter 999")


def test_a_healthy_suite_is_found_healthy(suite: Suite) -> None:
    found = {one["check"]: one for one in json.loads(rapport(suite.var, "doctor", "--json").stdout)}
    for check in ("folder", "rights", "disk", "settings", "NATS", "store of identity", "store of gateway"):
        assert found[check]["state"] == "fine", found[check]
    assert {one["error"] for one in answer(suite.var, "migrate")} == {""}
    assert answer(suite.var, "migrate", "metrics", "--dry-run")[0]["lacking"] == []


def test_api_keys_are_made_listed_rotated_and_revoked(suite: Suite) -> None:
    made = answer(suite.var, "keys", "make", "dana@acme.test", "--role", "ops")
    rotated = answer(suite.var, "keys", "rotate", made["key_id"])
    assert (rotated["roles"], rotated["api_key"] == made["api_key"]) == (["ops"], False)
    answer(suite.var, "keys", "revoke", rotated["key_id"])
    states = {key["key_id"]: key["is_revoked"] for key in answer(suite.var, "keys", "list")}
    assert states[made["key_id"]] is states[rotated["key_id"]] is True
    assert states["key_bootstrap"] is False


def test_what_cannot_be_reached_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "rapport.env").write_text("RAPPORT_OPERATOR_NATS_URL=nats://operator:hush@127.0.0.1:1\n")
    shown = rapport(tmp_path, "dead", "list")
    assert shown.returncode == 1
    assert (shown.stdout, shown.stderr.count("\n")) == ("", 2)
    assert "hush" not in shown.stderr


def test_a_shell_can_complete_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the function that `rapport --install-completion` installs asks."""
    for name, text in {"_RAPPORT_COMPLETE": "complete_bash", "COMP_WORDS": "rapport s", "COMP_CWORD": "1"}.items():
        monkeypatch.setenv(name, text)
    assert set(rapport(Path()).stdout.split()) == {"settings", "status"}
