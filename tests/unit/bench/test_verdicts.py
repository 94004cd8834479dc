"""When a ratio is called a regression."""

from __future__ import annotations

import pytest

from bench.pairs.figures import CPU, RATE, Verdict, figure, verdict
from bench.pairs.spread import Spread


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([1.2, 1.3, 1.25], Verdict.WORSE),
        ([1.2, 1.3, 0.9], Verdict.UNCLEAR),
        ([1.09, 1.05, 1.3], Verdict.SAME),
        ([0.95, 1.0, 1.05], Verdict.SAME),
        ([0.5, 0.6, 0.55], Verdict.BETTER),
        ([0.5, 0.6, 1.1], Verdict.UNCLEAR),
    ],
)
def test_a_cost_is_judged_by_its_median_where_the_rounds_agree(samples: list[float], said: Verdict) -> None:
    assert verdict(CPU, Spread.of(samples)) is said


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([0.8, 0.78, 0.79], Verdict.WORSE),
        ([0.8, 0.7, 1.05], Verdict.UNCLEAR),
        ([2.0, 1.9, 2.1], Verdict.BETTER),
        ([0.0, 0.0, 0.0], Verdict.UNCLEAR),
        ([1.05, 0.95, 1.0], Verdict.SAME),
    ],
)
def test_of_a_rate_more_is_better(samples: list[float], said: Verdict) -> None:
    assert verdict(RATE, Spread.of(samples)) is said


def test_three_rounds_on_one_side_that_are_far_apart_say_nothing() -> None:
    """Seen: one pair was 0.89 in three rounds and, a minute later, 1.29 in five."""
    assert verdict(RATE, Spread.of([0.886, 0.915, 0.734])) is Verdict.UNCLEAR


def test_more_rounds_that_are_as_far_apart_say_something() -> None:
    assert verdict(CPU, Spread.of([1.2, 1.5, 1.05])) is Verdict.UNCLEAR
    assert verdict(CPU, Spread.of([1.2, 1.5, 1.05] * 3)) is Verdict.WORSE


def test_one_round_says_nothing() -> None:
    assert verdict(CPU, Spread.of([5.0])) is Verdict.UNCLEAR


def test_twice_as_dear_and_half_the_rate_are_equally_far_from_the_tolerance() -> None:
    dearer, slower = Spread.of([1.1, 1.1]), Spread.of([1 / 1.1, 1 / 1.1])
    assert verdict(CPU, dearer, 0.11) is verdict(RATE, slower, 0.11) is Verdict.SAME
    assert verdict(CPU, Spread.of([0.905, 0.905])) is Verdict.BETTER  # 1 / 1.1 is 0.909
    assert verdict(CPU, dearer, 0.09) is verdict(RATE, slower, 0.09) is Verdict.WORSE


def test_the_tolerance_can_be_chosen() -> None:
    assert verdict(CPU, Spread.of([1.2]), 0.3) is Verdict.SAME


def test_a_process_is_a_part_and_not_judged_alone() -> None:
    assert not figure("cpu of scoring").is_judged
    assert figure("cpu").is_judged
    with pytest.raises(KeyError):
        figure("beauty")
