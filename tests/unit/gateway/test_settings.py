"""What the gateway is told, and what it refuses to be told."""

from __future__ import annotations

import pytest

from chassis.settings import SettingsRefused
from gateway.settings import GatewaySettings


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("DATABASE_URL", "TOKEN_PUBLIC_KEY", "TOKEN_PRIVATE_KEY"):
        monkeypatch.setenv(f"GATEWAY_{name}", "x")
    return monkeypatch


@pytest.mark.parametrize("text", ["https://x.test", '["https://x.test"]', "https://X.test/"])
def test_an_origin_is_told_as_people_write_it(told: pytest.MonkeyPatch, text: str) -> None:
    told.setenv("GATEWAY_API_ORIGINS", text)
    assert GatewaySettings().api_origins == ("https://x.test",)


@pytest.mark.parametrize("text", ["app.acme.test", "https://acme.test/app", "*", "https://a.test; https://b.test"])
def test_what_is_no_origin_is_refused_with_one_that_is(told: pytest.MonkeyPatch, text: str) -> None:
    told.setenv("GATEWAY_API_ORIGINS", text)
    with pytest.raises(SettingsRefused, match=r"GATEWAY_API_ORIGINS: .*https://app\.example\.com"):
        GatewaySettings()


def test_an_administrators_key_that_can_be_guessed_is_refused(told: pytest.MonkeyPatch) -> None:
    told.setenv("GATEWAY_BOOTSTRAP_API_KEY", "letmein")
    with pytest.raises(SettingsRefused, match=r"GATEWAY_BOOTSTRAP_API_KEY: .*it has 7 characters") as refusal:
        GatewaySettings()
    assert "letmein" not in str(refusal.value)
