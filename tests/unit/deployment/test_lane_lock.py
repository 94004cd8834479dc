"""One change of lanes at a time, and the plan it writes is its owner's alone."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chassis.lanes import LanePlan, read_plan
from deployment.lane_change import write_plan
from deployment.lane_lock import ChangeUnderWay, changing

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def test_the_second_is_told_where_to_and_since_when_the_first_is_on_its_way(tmp_path: Path) -> None:
    plan = tmp_path / "lanes.json"
    with changing(plan, 4, NOW), pytest.raises(ChangeUnderWay) as refused, changing(plan, 2, NOW):
        pass
    assert "to 4 lanes, since 2026-03-01T08:00:00+00:00" in str(refused.value)


def test_after_the_first_has_ended_however_it_did_the_second_may(tmp_path: Path) -> None:
    plan = tmp_path / "lanes.json"
    with pytest.raises(ZeroDivisionError), changing(plan, 4, NOW):
        raise ZeroDivisionError
    with changing(plan, 2, NOW):
        pass


def test_a_new_plan_is_its_owners_alone_and_one_that_is_shared_stays_so(tmp_path: Path) -> None:
    plan = tmp_path / "lanes.json"
    write_plan(plan, LanePlan.of(2))
    assert stat.S_IMODE(plan.stat().st_mode) == 0o600
    plan.chmod(0o644)
    write_plan(plan, LanePlan.of(3))
    assert stat.S_IMODE(plan.stat().st_mode) == 0o644
    assert read_plan(plan) == LanePlan.of(3)
    assert [path.name for path in tmp_path.iterdir()] == ["lanes.json"], "nothing is left beside it"
