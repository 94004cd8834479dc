"""Stores that are away are told in a line each, by every command that asks them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chassis.store import errors
from cli.stores import STORE_FAILURES
from embedded.up import prepare
from tests.unit.cli.conftest import Command


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL on a port where nobody listens."""
    for name in ("GATEWAY", "IDENTITY", "SCORING"):
        monkeypatch.setenv(f"{name}_DATABASE_URL", f"postgresql://{name.lower()}:hush@127.0.0.1:1/{name.lower()}")


def test_the_doctor_tells_of_each_and_of_all_else(rapport: Command) -> None:
    shown = rapport("doctor", "--json")
    found = {one["check"]: one for one in json.loads(shown.stdout)}
    assert shown.exit_code == 1
    assert {"folder", "gateway", "NATS", "store of gateway", "store of identity"} <= set(found)
    assert found["store of gateway"]["state"] == "bad"
    assert "127.0.0.1:1/gateway is out of reach: " in found["store of gateway"]["says"]
    assert "hush" not in shown.stdout
    assert "!!  store of identity: " in rapport("doctor").stdout


@pytest.mark.parametrize("words", [("migrate",), ("migrate", "--dry-run"), ("migrate", "scoring")])
def test_migrate_tells_of_each(rapport: Command, words: tuple[str, ...]) -> None:
    shown = rapport(*words, "--json")
    assert shown.exit_code == 1
    assert all("is out of reach: " in one["error"] for one in json.loads(shown.stdout))


@pytest.mark.parametrize("words", [("replay",), ("replay", "--dry-run")])
def test_replay_ends_before_anything_is_sent(
    rapport: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    prepare(tmp_path, 0, detached=True)
    monkeypatch.setenv("RAPPORT_VAR", str(tmp_path))
    shown = rapport(*words, "--json")
    assert shown.exit_code == 1
    assert json.loads(shown.stdout)["error"].startswith("store of gateway: postgresql://127.0.0.1:1/gateway is out of")


def test_whatever_a_store_may_raise_is_among_them() -> None:
    raised = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert all(issubclass(one, STORE_FAILURES) for one in raised)
