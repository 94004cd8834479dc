"""Settings come from the environment, and what is wrong is named."""

from __future__ import annotations

import pytest

from chassis.settings import ServiceSettings, SettingsRefused, StrongSecret, Texts
from tests.chassis.app.echo import EchoSettings, create_service


def test_what_is_missing_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "TOKEN_PUBLIC_KEY"):
        monkeypatch.delenv(f"ECHO_{name}", raising=False)
    with pytest.raises(SettingsRefused, match=r"ECHO_DATABASE_URL: Field required; ECHO_TOKEN_PUBLIC_KEY"):
        EchoSettings()


def test_what_is_wrong_is_named_and_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHO_DATABASE_URL", "sqlite:///x.db")
    monkeypatch.setenv("ECHO_TOKEN_PUBLIC_KEY", "k")
    monkeypatch.setenv("ECHO_PORT", "hush")
    with pytest.raises(SettingsRefused) as refusal:
        EchoSettings()
    assert "ECHO_PORT" in str(refusal.value)
    assert "hush" not in str(refusal.value)


def test_each_service_reads_its_own_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHO_DATABASE_URL", "sqlite:///echo.db")
    monkeypatch.setenv("OTHER_DATABASE_URL", "sqlite:///other.db")
    monkeypatch.setenv("ECHO_TOKEN_PUBLIC_KEY", "k")
    assert EchoSettings().database_url == "sqlite:///echo.db"


def test_a_key_that_is_none_stops_the_service_before_it_starts() -> None:
    settings = EchoSettings(database_url="sqlite:///x.db", token_public_key="hush")
    with pytest.raises(SettingsRefused, match="ECHO_TOKEN_PUBLIC_KEY") as refusal:
        create_service(settings).app()
    assert "hush" not in str(refusal.value)


def test_no_secret_has_a_default() -> None:
    required = {name for name, field in ServiceSettings.model_fields.items() if field.is_required()}
    assert required == {"database_url", "token_public_key"}


class ListedSettings(ServiceSettings, env_prefix="LISTED_"):
    """Settings that are more than a text."""

    names: Texts = ()
    limits: dict[str, int] = {}
    key: StrongSecret | None = None


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("LISTED_DATABASE_URL", "sqlite:///x.db")
    monkeypatch.setenv("LISTED_TOKEN_PUBLIC_KEY", "k")
    return monkeypatch


@pytest.mark.parametrize("text", ["one, two", '["one", "two"]', "one,two,", ' ["one","two"]'])
def test_a_list_is_written_with_commas_or_as_json(listed: pytest.MonkeyPatch, text: str) -> None:
    listed.setenv("LISTED_NAMES", text)
    assert ListedSettings().names == ("one", "two")


@pytest.mark.parametrize(("name", "text"), [("LIMITS", "three"), ("NAMES", '["one"'), ("NAMES", "[1]")])
def test_what_cannot_be_read_is_named_by_its_variable_and_not_quoted(
    listed: pytest.MonkeyPatch, name: str, text: str
) -> None:
    listed.setenv(f"LISTED_{name}", text)
    with pytest.raises(SettingsRefused, match=f"LISTED_{name}") as refusal:
        ListedSettings()
    assert "three" not in str(refusal.value)


@pytest.mark.parametrize("text", ["", "short", "x" * 23, "a key of words and spaces in it"])
def test_a_secret_that_can_be_guessed_or_sent_by_nobody_is_refused(listed: pytest.MonkeyPatch, text: str) -> None:
    listed.setenv("LISTED_KEY", text)
    with pytest.raises(SettingsRefused, match="LISTED_KEY"):
        ListedSettings()
    listed.setenv("LISTED_KEY", "x" * 24)
    assert ListedSettings().key == "x" * 24
