"""Medians, spreads and ratios."""

from __future__ import annotations

import pytest

from bench.pairs.spread import Spread, ratios


def test_a_spread_tells_the_middle_and_both_ends() -> None:
    spread = Spread.of([3.0, 9.0, 2.0])
    assert (spread.median, spread.low, spread.high) == (3.0, 2.0, 9.0)
    assert spread.width == pytest.approx(7 / 3)


def test_the_median_of_an_even_number_of_rounds_lies_between_both() -> None:
    assert Spread.of([1.0, 2.0, 4.0, 9.0]).median == 3.0


def test_nothing_measured_has_no_spread() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        Spread.of([])


def test_a_median_of_nothing_has_no_width() -> None:
    assert Spread.of([0.0, 0.0]).width == 0.0


def test_rounds_are_compared_with_their_like_not_medians_with_medians() -> None:
    """A machine that gets slower from round to round says nothing about either of both."""
    spread = ratios({0: 1.0, 1: 2.0, 2: 8.0}, {0: 2.0, 1: 4.0, 2: 16.0})
    assert spread is not None
    assert spread.samples == (0.5, 0.5, 0.5)


def test_a_round_that_one_of_both_lacks_is_left_out() -> None:
    spread = ratios({0: 1.0, 2: 3.0}, {1: 5.0, 2: 6.0})
    assert spread is not None
    assert spread.samples == (0.5,)


def test_nothing_in_common_gives_no_ratio() -> None:
    assert ratios({0: 1.0}, {1: 1.0}) is None
    assert ratios({0: 1.0}, {0: 0.0}) is None


def test_an_interval_is_that_of_student() -> None:
    """ln 0.5, ln 0.6, ln 0.7: mean -0.5202, deviation 0.1687; 4.303 of it / sqrt 3 to both sides."""
    low, high = Spread.of([0.5, 0.6, 0.7]).interval() or (0.0, 0.0)
    assert low == pytest.approx(0.3910, abs=1e-3)
    assert high == pytest.approx(0.9037, abs=1e-3)


def test_many_rounds_have_an_interval_and_one_has_none() -> None:
    low, high = Spread.of([0.9, 1.1] * 20).interval() or (0.0, 0.0)
    assert 0.94 < low < 1 < high < 1.04
    assert Spread.of([0.5]).interval() is None
    assert Spread.of([0.5, 0.0]).interval() is None
