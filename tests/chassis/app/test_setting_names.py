"""A variable that nobody reads is a mistake, told with what was meant."""

from __future__ import annotations

import pytest

from chassis import setting_names
from chassis.settings import SettingsRefused
from deployment.catalogue import PROCESSES
from deployment.secret_names import KINDS, SECRET_NAMES
from tests.chassis.app.echo import EchoSettings


@pytest.fixture(autouse=True)
def complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHO_DATABASE_URL", "sqlite:///echo.db")
    monkeypatch.setenv("ECHO_TOKEN_PUBLIC_KEY", "k")


def test_a_slip_is_told_with_what_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHO_BATCHSIZE", "hush")
    with pytest.raises(SettingsRefused, match=r"ECHO_BATCHSIZE: .* did you mean ECHO_BATCH_SIZE") as refusal:
        EchoSettings()
    assert "hush" not in str(refusal.value)


def test_what_resembles_nothing_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHO_QQQQQQQQQ", "1")
    with pytest.raises(SettingsRefused, match=r"ECHO_QQQQQQQQQ: there is no such setting .what .* RAPPORT_FOREIGN"):
        EchoSettings()


@pytest.mark.parametrize(
    "name",
    [
        "ECHO_SERVICE_HOST",
        "ECHO_SERVICE_PORT",
        "ECHO_SERVICE_PORT_HTTP",
        "ECHO_PORT_8000_TCP",
        "ECHO_PORT_8000_TCP_ADDR",
    ],
)
def test_links_of_container_platforms_are_no_settings(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "tcp://10.0.0.1:8000")
    assert EchoSettings().port == 8000


def test_secrets_of_an_env_file_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {f"{process.prefix}{name}" for process in PROCESSES for name in setting_names.SECRETS} < set(SECRET_NAMES)
    assert len(setting_names.SECRETS) == len(KINDS)
    monkeypatch.setenv("ECHO_NATS_PASSWORD", "hush")
    EchoSettings()


@pytest.mark.parametrize("listed", ["ECHO_HOME, X", "ECHO_*"])
def test_what_belongs_to_somebody_else_can_be_listed(monkeypatch: pytest.MonkeyPatch, listed: str) -> None:
    monkeypatch.setenv("ECHO_HOME", "/opt/echo")
    with pytest.raises(SettingsRefused):
        EchoSettings()
    monkeypatch.setenv("RAPPORT_FOREIGN", listed)
    EchoSettings()
