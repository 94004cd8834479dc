"""`rapport status`: what `GET /v1/status` says, for eyes and for programs."""

from __future__ import annotations

import json

import pytest

from cli.commands.status import in_words
from tests.support.fake_gateway import answering
from tests.unit.cli.conftest import Command

STATUS = {
    "version": "0.2.0",
    "since": "2026-11-28T10:00:00Z",
    "services": [
        {
            "name": "identity",
            "instances": ["http://127.0.0.1:8001"],
            "status": "ready",
            "since": "2026-11-28T10:00:01Z",
            "version": "0.2.0",
            "lag": {"CAPTURE": 0},
            "outbox_age_seconds": 0.0,
            "dead_letters": 0,
            "timers_late_seconds": 0,
            "problems": [],
            "notes": [],
            "more": {"than": "known"},
        },
        {
            "name": "scoring",
            "status": "not-ready",
            "lag": {"IDENTITY": 41, "CAPTURE": 0},
            "problems": [{"field": "rulebook", "reason": "line 4 does not compile", "remedy": "mend it"}],
            "notes": ["two events were refused"],
        },
        {"name": "metrics", "status": "unreachable"},
    ],
    "unassigned_leads": 3,
    "dead_letters": 2,
    "disk": {"free_bytes": 12_300_000_000},
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_API_KEY", "rk_1")


@pytest.mark.usefixtures("told")
def test_every_service_has_a_line_and_what_is_amiss_is_told(rapport: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering({("GET", "/v1/status"): (200, STATUS)}) as gateway:
        monkeypatch.setenv("RAPPORT_URL", gateway.url)
        shown = rapport("status")
    assert gateway.asked == [("GET", "/v1/status", "Bearer rk_1", None)]
    assert shown.exit_code == 1, "not all are ready"
    assert "! scoring: rulebook: line 4 does not compile: mend it" in shown.stdout
    assert "- scoring: two events were refused" in shown.stdout
    assert "IDENTITY 41" in shown.stdout
    assert "leads without a rep: 3" in shown.stdout
    assert "free 12.3 GB" in shown.stdout
    assert [line.split()[:2] for line in shown.stdout.splitlines() if line.startswith("metrics")] == [
        ["metrics", "unreachable"]
    ]


@pytest.mark.usefixtures("told")
def test_as_json_it_is_what_the_gateway_says(rapport: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = {**STATUS, "services": STATUS["services"][:1]}  # type: ignore[index]
    with answering({("GET", "/v1/status"): (200, ready)}) as gateway:
        monkeypatch.setenv("RAPPORT_URL", gateway.url)
        shown = rapport("status", "--json")
    assert (shown.exit_code, json.loads(shown.stdout)) == (0, ready)


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("status", "words"), [(401, "The key is not known there"), (403, "admin or ops"), (404, "has no /v1/status")]
)
def test_a_refusal_is_told_with_its_remedy(
    rapport: Command, monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    with answering({("GET", "/v1/status"): (status, {"detail": "No"})}) as gateway:
        monkeypatch.setenv("RAPPORT_URL", gateway.url)
        shown = rapport("status", "--json")
    assert shown.exit_code == 1
    assert words in json.loads(shown.stdout)["remedy"]


@pytest.mark.usefixtures("told")
def test_nobody_there_is_told_with_its_remedy(rapport: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_URL", "http://127.0.0.1:1")
    shown = rapport("status")
    assert shown.exit_code == 1
    assert "does not answer" in shown.stderr
    assert "rapport up" in shown.stderr


def test_where_nothing_is_known_the_remedy_is_named(rapport: Command) -> None:
    shown = rapport("status")
    assert shown.exit_code == 1
    assert "no RAPPORT_URL in the environment" in shown.stderr


def test_an_answer_that_leaves_all_out_is_shown_all_the_same() -> None:
    assert "Rapport" in in_words({})
