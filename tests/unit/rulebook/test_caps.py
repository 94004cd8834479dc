"""How often a rule counts: within any stretch of time at most so often, whichever came first."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rulebook.caps import Cap, is_capped

MOMENTS = st.lists(st.integers(0, 300), max_size=40)


def counted(moments: list[int], times: int, within: int) -> list[int]:
    """What counts of these, in the order of their arrival."""
    kept: list[int] = []
    for moment in moments:
        if not is_capped(moment, sorted(kept), times, within):
            kept.append(moment)
    return sorted(kept)


@given(MOMENTS, st.integers(1, 4), st.integers(1, 60))
def test_no_stretch_of_time_holds_more_than_count(moments: list[int], times: int, within: int) -> None:
    kept = counted(moments, times, within)
    assert all(later - earlier >= within for earlier, later in zip(kept, kept[times:], strict=False))


@given(MOMENTS, st.integers(1, 4), st.integers(1, 60))
def test_nothing_is_capped_but_for_what_counts_near_it(moments: list[int], times: int, within: int) -> None:
    kept = counted(moments, times, within)
    for moment in moments:
        assert moment in kept or sum(abs(one - moment) < within for one in kept) >= times


@given(st.lists(st.integers(0, 29), min_size=1, max_size=20), st.integers(1, 4), st.randoms(use_true_random=False))
def test_of_one_sitting_as_many_count_in_whatever_order_they_arrive(
    moments: list[int], times: int, chance: Random
) -> None:
    shuffled = chance.sample(moments, len(moments))
    assert len(counted(moments, times, 30)) == len(counted(shuffled, times, 30)) == min(times, len(moments))


@given(MOMENTS)
def test_in_order_of_time_the_first_of_each_sitting_counts(moments: list[int]) -> None:
    kept = counted(sorted(moments), 1, 30)
    assert all(later - earlier >= 30 for earlier, later in pairwise(kept))
    assert not moments or kept[0] == min(moments)


def test_the_order_of_arrival_may_decide_how_many_sittings_there_are() -> None:
    assert counted([0, 20, 40], 1, 30) == [0, 40]
    assert counted([20, 0, 40], 1, 30) == [20]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"within": "30m"}, "once within 30 minutes"),
        ({"times": 3, "within": "1d"}, "3 times within 1 day"),
        ({"times": 2, "within": "1d12h"}, "2 times within 1 day 12 hours"),
        ({"within": "1s", "per": "page.path"}, "once within 1 second"),
    ],
)
def test_caps_in_words(written: dict[str, Any], words: str) -> None:
    assert Cap.model_validate(written).in_words() == words


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"within": "30 minutes"},
        {"within": 30},
        {"within": ""},
        {"within": "0s"},
        {"within": "91d"},
        {"within": "9" * 30 + "d"},
        {"within": "1d", "times": 0},
        {"within": "1d", "times": True},
        {"within": "1d", "every": 2},
    ],
)
def test_what_is_no_cap(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Cap.model_validate(wrong)


def test_a_length_may_be_given_as_one() -> None:
    assert Cap(within=timedelta(minutes=5)).within == timedelta(seconds=300)
