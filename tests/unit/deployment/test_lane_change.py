"""The steps from one number of lanes to another: in each of them what is about one fragment is read in one lane."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.lanes import LanePlan
from contracts.ids import lane_of
from contracts.limits import LANES
from deployment.lane_change import LaneStep, steps

NUMBERS = st.integers(1, LANES)


@given(NUMBERS, NUMBERS, st.text(min_size=1, max_size=8))
def test_messages_of_two_numberings_about_one_fragment_are_read_in_one_lane_until_the_old_ones_are_applied(
    before: int, after: int, fragment: str
) -> None:
    unapplied = {before}  # the numberings that messages may still have
    heard = before
    for step in steps(LanePlan.of(before), after):
        unapplied.add(step.plan.said)
        heard = step.plan.heard
        assert len({lane_of(fragment, said) % heard for said in unapplied}) == 1
        assert max(unapplied) <= step.plan.known
        if step.settles:
            unapplied = {step.plan.said}
    assert (unapplied, heard) == ({after}, after)


@given(NUMBERS, NUMBERS, NUMBERS, st.integers(0, 2))
def test_a_change_that_was_interrupted_is_gone_on_with_in_the_same_way(
    before: int, after: int, other: int, done: int
) -> None:
    way = steps(LanePlan.of(before), after)[: done + 1]
    if not way:
        return
    left, unapplied = way[-1].plan, {before}
    for begun, step in zip([*way[1:], None], way, strict=True):
        unapplied.add(step.plan.said)
        if step.settles and begun is not None:  # the last one was interrupted before it had settled
            unapplied = {step.plan.said}
    for step in steps(left, other):
        unapplied.add(step.plan.said)
        for fragment in ("a", "b", "c", "d"):
            assert len({lane_of(fragment, said) % step.plan.heard for said in unapplied}) == 1
        if step.settles:
            unapplied = {step.plan.said}
    assert unapplied == {other} or (left == LanePlan.of(other) and not steps(left, other))


def test_there_is_nothing_to_do_where_nothing_changes() -> None:
    assert steps(LanePlan.of(4), 4) == []


def test_from_one_lane_all_begin_to_listen_then_to_speak_and_only_then_are_lanes_taken_apart() -> None:
    assert steps(LanePlan.of(1), 4) == [
        LaneStep(LanePlan(said=1, heard=1, known=4)),
        LaneStep(LanePlan(said=4, heard=1, known=4), settles=True),
        LaneStep(LanePlan(said=4, heard=4, known=4)),
    ]


@pytest.mark.parametrize(("before", "after", "gathered"), [(4, 2, 2), (4, 6, 2), (2, 3, 1), (3, 1, 1)])
def test_as_few_lanes_are_gathered_as_divide_both(before: int, after: int, gathered: int) -> None:
    assert steps(LanePlan.of(before), after)[0].plan.heard == gathered
