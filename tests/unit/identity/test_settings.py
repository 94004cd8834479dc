"""What an installation tells identity."""

from __future__ import annotations

import pytest

from chassis.settings import SettingsRefused
from services.identity.settings import IdentitySettings


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("DATABASE_URL", "TOKEN_PUBLIC_KEY"):
        monkeypatch.setenv(f"IDENTITY_{name}", "x")
    return monkeypatch


@pytest.mark.parametrize("region", ["XX", "UK", "ZZ", "EU"])
def test_a_country_that_there_is_not_is_refused(told: pytest.MonkeyPatch, region: str) -> None:
    told.setenv("IDENTITY_DEFAULT_REGION", region)
    with pytest.raises(SettingsRefused, match=r"IDENTITY_DEFAULT_REGION: .*GB \(not UK\)"):
        IdentitySettings()


@pytest.mark.parametrize("region", ["GB", "DE", "AX"])
def test_one_that_there_is_is_taken(told: pytest.MonkeyPatch, region: str) -> None:
    told.setenv("IDENTITY_DEFAULT_REGION", region)
    assert IdentitySettings().rules().region == region
