"""`rapport settings`, and the page that is written from the same."""

from __future__ import annotations

import json

import pytest

from deployment import settings_page
from deployment.catalogue import PROCESSES
from deployment.setting_catalogue import settings_of, shared_settings
from deployment.suite_settings import SUITE_SETTINGS
from tests.unit.cli.conftest import Command


def test_the_page_is_what_the_settings_say() -> None:
    assert settings_page.PAGE.read_text() == settings_page.page(), "run python -m deployment.settings_page"


def test_every_setting_says_what_it_means() -> None:
    every = [*SUITE_SETTINGS, *shared_settings(), *(one for process in PROCESSES for one in settings_of(process))]
    assert [one.variable for one in every if not one.meaning] == []


def test_all_are_listed_and_those_that_are_set_are_marked(rapport: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_LANES", "4")
    listed = json.loads(rapport("settings", "--json").stdout)
    names = [one["variable"] for one in listed]
    assert {"IDENTITY_LANES", "GATEWAY_TOKEN_PRIVATE_KEY", "NATS_PORT", "METRICS_STAGES"} < set(names)
    assert [one["variable"] for one in listed if one["is_set"] and one["variable"].startswith("IDENTITY")] == [
        "IDENTITY_LANES"
    ]
    assert "* IDENTITY_LANES" in rapport("settings", "identity").stdout


def test_one_service_alone_and_none_that_is_not(rapport: Command) -> None:
    names = {one["process"] for one in json.loads(rapport("settings", "scoring", "--json").stdout)}
    assert names == {"scoring"}
    assert "metrics" in rapport("settings", "nobody").stderr


def test_what_must_be_given_is_said(rapport: Command) -> None:
    assert "SCORING_DATABASE_URL: text; must be given" in rapport("settings", "scoring").stdout
