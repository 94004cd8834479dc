"""What the arithmetic of a load says is what comes of it when the load is played."""

from __future__ import annotations

import random

import pytest

from bench.scale.capacity import BUSY, ExpectedLoad, need, processes, replicated
from bench.scale.costs import BATCH, SERVICES, ServiceCost
from bench.scale.simulation import simulate

ONE_EACH = dict.fromkeys(SERVICES, 1)


def test_a_batch_costs_its_own_share_and_that_of_each_message() -> None:
    cost = ServiceCost(batch_ms=1.0, capture_ms=0.2, heard=0.5)
    assert cost.batch_of(10) == pytest.approx(1.0 + 10 * 0.4)
    assert cost.ceiling == pytest.approx(2 * BATCH / (1.0 + BATCH * 0.4) * 1000), "of two captures it hears one"


@pytest.mark.parametrize("peak", [200.0, 1_000.0, 2_000.0])
def test_what_the_arithmetic_asks_for_keeps_up(peak: float) -> None:
    wanted = need(ExpectedLoad(peak, people=1_000))
    shards = {name: wanted.processes[name] for name in SERVICES}
    outcomes = simulate(peak, 10.0, shards, lanes=wanted.lanes, dice=random.Random(3))
    for name, outcome in outcomes.items():
        assert outcome.waiting < peak / 5, f"{name} falls behind: {outcome}"


@pytest.mark.parametrize("name", ["identity", "scoring"])
def test_beyond_its_ceiling_a_process_falls_behind_by_the_difference(name: str) -> None:
    seconds, ceiling = 6.0, SERVICES[name].ceiling
    peak, quick = 1.3 * ceiling, dict.fromkeys(SERVICES, 8) | {name: 1}
    outcome = simulate(peak, seconds, quick, lanes=8, dice=random.Random(5))[name]
    assert outcome.waiting == pytest.approx((peak - ceiling) * seconds, rel=0.25)
    assert outcome.busy > 0.98
    assert outcome.batch > 0.5 * BATCH, "the busiest lanes are behind with full batches, the others not"


def test_twice_the_processes_take_twice_the_load() -> None:
    twice = simulate(5_000, 6.0, dict.fromkeys(SERVICES, 4) | {"scoring": 2}, lanes=8, dice=random.Random(7))
    alone = simulate(5_000, 6.0, dict.fromkeys(SERVICES, 4) | {"scoring": 1}, lanes=8, dice=random.Random(7))
    assert SERVICES["scoring"].ceiling < 5_000 < 2 * SERVICES["scoring"].ceiling
    assert alone["scoring"].waiting > 1_000 > 5 * twice["scoring"].waiting


def test_a_need_grows_with_the_load_and_never_falls_below_one_process_each() -> None:
    small, large = need(ExpectedLoad(10, people=1_000)), need(ExpectedLoad(10_000, people=100_000_000))
    assert set(small.processes.values()) == {1}
    assert small.lanes == 1
    assert large.processes["scoring"] == processes(SERVICES["scoring"], 10_000) > 1
    assert 10_000 / SERVICES["scoring"].ceiling / large.processes["scoring"] <= BUSY
    assert large.lanes >= 2 * large.processes["scoring"]
    assert large.store_bytes > 1_000 * small.store_bytes
    assert replicated(1.0) == 3.0
