"""Clients of the field, as their makers publish them, through an outage: whatever one believes delivered is on disk,
once, and nothing that it went on trying is lost.

The Python SDKs run always; those of npm, and Chromium, with the mark `platform` (docs/sdks.md).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients.running import BEFORE_OUTAGE, Outcome, chromium, node_client, open_gateway, python_client

COUNT, PAUSE = 40, 200  # events, and milliseconds between them: some are sent before, in and after the outage
NEVER_RETRIES = frozenset({"jitsu"})


def hold(outcome: Outcome, count: int = COUNT, *, gives_up: bool = False) -> None:
    """Nothing believed is missing, nothing is there twice, and what is missing was told to have failed."""
    kept = set(outcome.kept)
    assert not outcome.delivered - kept, f"believed and lost: {sorted(outcome.delivered - kept)}; {outcome.told}"
    assert not outcome.doubled
    lost = set(range(count)) - kept - outcome.failed
    assert gives_up or not lost, f"lost though it was sent again: {sorted(lost)}; {outcome.told}"
    assert len(kept) >= BEFORE_OUTAGE, f"hardly anything arrived: {sorted(kept)}; {outcome.told}"


@pytest.mark.slow
@pytest.mark.parametrize("sdk", ["segment", "rudder"])
async def test_a_python_sdk_loses_nothing_in_an_outage(sdk: str, tmp_path: Path) -> None:
    pytest.importorskip("rudderstack.analytics" if sdk == "rudder" else "segment.analytics")
    async with open_gateway(tmp_path) as gateway:
        outcome = await gateway.run(python_client(gateway, sdk, COUNT))
    hold(outcome)
    assert len(outcome.delivered) == COUNT


@pytest.mark.platform
@pytest.mark.timeout(300)
@pytest.mark.parametrize("sdk", ["segment", "rudder", "jitsu", "snowplow"])
async def test_a_node_sdk_loses_nothing_that_it_believes_delivered(sdk: str, tmp_path: Path) -> None:
    async with open_gateway(tmp_path) as gateway:
        outcome = await gateway.run(node_client("server.mjs", gateway, sdk, COUNT, PAUSE))
    hold(outcome)
    assert outcome.delivered


@pytest.mark.platform
@pytest.mark.timeout(300)
@pytest.mark.parametrize("sdk", ["segment", "rudder", "jitsu", "snowplow"])
async def test_a_page_of_another_origin_loses_nothing_that_its_sdk_sends_again(
    sdk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM", chromium())
    async with open_gateway(tmp_path) as gateway:
        patience = 5 if sdk in NEVER_RETRIES else 90
        outcome = await gateway.run(node_client("browser.mjs", gateway, sdk, COUNT, PAUSE, patience))
    hold(outcome, gives_up=sdk in NEVER_RETRIES)
    assert outcome.delivered


@pytest.mark.platform
@pytest.mark.timeout(300)
async def test_beacons_with_json_come_from_a_page_of_another_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHROMIUM", chromium())
    async with open_gateway(tmp_path) as gateway:
        outcome = await gateway.run(node_client("browser.mjs", gateway, "beacon", 10, 50, 20), outage=False)
    assert set(outcome.kept) == set(range(10)), outcome.told
