"""`rapport keys`, as far as the API has it."""

from __future__ import annotations

import json

import pytest

from tests.support.fake_gateway import answering
from tests.unit.cli.conftest import Command

OLD = {
    "key_id": "key_1",
    "hint": "...abcd",
    "subject": "dana@acme.test",
    "roles": ["ops"],
    "rep_id": None,
    "teams": [],
    "is_revoked": False,
    "created_at": "2026-11-28T10:00:00Z",
}
NEW = {**OLD, "key_id": "key_2", "api_key": "rk_new"}


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_API_KEY", "rk_1")


def test_all_pages_are_listed(rapport: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        ("GET", "/v1/keys"): (200, {"items": [OLD], "next_cursor": "a b"}),
        ("GET", "/v1/keys?cursor=a+b"): (200, {"items": [{**OLD, "key_id": "key_9", "is_revoked": True}]}),
    }
    with answering(answers) as gateway:
        monkeypatch.setenv("RAPPORT_URL", gateway.url)
        shown = rapport("keys", "list")
    assert shown.exit_code == 0, shown.output
    assert [line.split()[0] for line in shown.stdout.splitlines()[1:]] == ["key_1", "key_9"]
    assert "revoked" in shown.stdout


def test_rotation_makes_one_that_may_the_same_before_it_revokes(
    rapport: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {
        ("GET", "/v1/keys"): (200, {"items": [OLD], "next_cursor": None}),
        ("POST", "/v1/keys"): (201, NEW),
        ("DELETE", "/v1/keys/key_1"): (204, None),
    }
    with answering(answers) as gateway:
        monkeypatch.setenv("RAPPORT_URL", gateway.url)
        shown = rapport("keys", "rotate", "key_1", "--json")
        kept = rapport("keys", "rotate", "key_1", "--keep")
    assert json.loads(shown.stdout)["api_key"] == "rk_new"
    assert kept.stdout.startswith("rk_new\n")
    assert [asked[:2] for asked in gateway.asked] == [
        ("GET", "/v1/keys"),
        ("POST", "/v1/keys"),
        ("DELETE", "/v1/keys/key_1"),
        ("GET", "/v1/keys"),
        ("POST", "/v1/keys"),
    ]
    assert gateway.asked[1][3] == {"subject": "dana@acme.test", "roles": ["ops"], "rep_id": None, "teams": []}


def test_the_key_of_the_settings_is_rotated_there(rapport: Command) -> None:
    shown = rapport("keys", "revoke", "key_bootstrap")
    assert shown.exit_code == 1
    assert "GATEWAY_BOOTSTRAP_API_KEY" in shown.stderr


def test_a_key_is_made_with_its_roles(rapport: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering({("POST", "/v1/keys"): (201, NEW)}) as gateway:
        monkeypatch.setenv("RAPPORT_URL", gateway.url)
        shown = rapport("keys", "make", "dana@acme.test", "--role", "ops", "--role", "admin")
    assert shown.exit_code == 0
    assert gateway.asked[0][3] == {"subject": "dana@acme.test", "roles": ["ops", "admin"]}
