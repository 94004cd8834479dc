"""`rapport lanes set` under load: from 1 to 4 lanes and back to 2, and not one capture is refused; every person,
referral and alert is there exactly once, and what is about one browser stays in order.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

from tests.faults.test_kill_each_process import everybody_was_referred_once, profiles_hold_exactly
from tests.support.actors import hire
from tests.support.eventually import eventually
from tests.support.load import Load, order_is_kept
from tests.support.suite import ROOT, Suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(540)]


def rapport(suite: Suite, *words: str) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-m", "cli", "lanes", "--var", str(suite.var), "--json", *words],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr + suite.log("identity")[-2000:]
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


async def test_lanes_change_under_load_and_nothing_is_lost_repeated_overtaken_or_refused(own_suite: Suite) -> None:
    rep = await hire(own_suite, "Ana Ruiz")
    load = Load([own_suite.url], own_suite.write_key)
    async with load.running():
        for lanes in (4, 2):
            before = len(load.acknowledged)
            await eventually(lambda before=before: len(load.acknowledged) > before + 50, within=20)  # type: ignore[misc]
            answer = await asyncio.to_thread(rapport, own_suite, "set", str(lanes))
            assert answer["lanes"] == lanes
            shown = await asyncio.to_thread(rapport, own_suite)
            assert (shown["said"], shown["heard"]) == (lanes, lanes)
            assert {lag["durable"] for lag in shown["lags"] if lag["stream"] == "CAPTURE"} == {
                f"identity-{lane}" for lane in range(lanes)
            }
        before = len(load.acknowledged)
        await eventually(lambda: len(load.acknowledged) > before + 50, within=20)
    assert load.refusals == []

    async def all_is_well() -> None:
        await profiles_hold_exactly(own_suite, load.acknowledged)
        await everybody_was_referred_once(own_suite, rep)

    await eventually(all_is_well, within=60)
    await order_is_kept(own_suite)
    assert (own_suite.var / "lanes.json").read_text() == '{"said": 2, "heard": 2, "known": 2}\n'
