from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.decay import DAY, EPOCH, POINT, Accumulators, add, combine, from_e4, half_life_of, microseconds, to_e4, weight, worth
from tests.unit.scoring.builders import START, at

HALF_LIVES = st.sampled_from([1, 7, 14, 30, 90, 365]).map(lambda days: days * DAY)
POINTS = st.integers(-100 * POINT, 100 * POINT).filter(bool)
MOMENTS = st.datetimes(EPOCH.replace(tzinfo=None), EPOCH.replace(tzinfo=None, year=2040)).map(lambda d: d.replace(tzinfo=EPOCH.tzinfo))
CONTRIBUTIONS = st.lists(st.tuples(POINTS, HALF_LIVES, MOMENTS), max_size=12)


def sums_of(contributions: list[tuple[int, int, datetime]]) -> Accumulators:
    return combine({half_life: weight(points, half_life, when)} for points, half_life, when in contributions)


def worth_by_the_formula(contributions: list[tuple[int, int, datetime]], moment: datetime) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        total = Decimal(0)
        for points, half_life, when in contributions:
            total += points * Decimal(2) ** (-Decimal(microseconds(moment) - microseconds(when)) / half_life)
        return total


def test_points_are_halved_after_one_half_life() -> None:
    sums = {14 * DAY: weight(12 * POINT, 14 * DAY, START)}
    assert worth(sums, START) == 12 * POINT
    assert worth(sums, at(14)) == 6 * POINT
    assert worth(sums, at(28)) == 3 * POINT


@given(CONTRIBUTIONS, st.timedeltas(timedelta(0), timedelta(days=2000)))
def test_the_sum_is_what_the_formula_gives_to_nine_digits(contributions: list[tuple[int, int, datetime]], later: timedelta) -> None:
    moment = max([when for _, _, when in contributions], default=START) + later
    expected = worth_by_the_formula(contributions, moment)
    total = sum(abs(worth_by_the_formula([part], moment)) for part in contributions)
    assert abs(worth(sums_of(contributions), moment) - expected) <= Decimal("0.5000001") + total * Decimal("1e-9")


@given(CONTRIBUTIONS, st.randoms(use_true_random=False))
def test_any_order_and_any_grouping_give_the_same_sum_to_the_byte(contributions: list[tuple[int, int, datetime]], random: object) -> None:
    shuffled = list(contributions)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    cut = len(shuffled) // 2
    assert combine([sums_of(shuffled[:cut]), sums_of(shuffled[cut:])]) == sums_of(contributions)


@given(CONTRIBUTIONS, POINTS, HALF_LIVES, MOMENTS)
def test_what_is_added_can_be_taken_away_without_a_trace(
    contributions: list[tuple[int, int, datetime]], points: int, half_life: int, when: datetime
) -> None:
    sums = sums_of(contributions)
    assert add(add(sums, half_life, weight(points, half_life, when)), half_life, -weight(points, half_life, when)) == sums


@given(POINTS.map(abs), HALF_LIVES, MOMENTS, st.lists(st.timedeltas(timedelta(0), timedelta(days=3000)), min_size=2, max_size=8))
def test_good_points_never_grow_with_time(points: int, half_life: int, when: datetime, delays: list[timedelta]) -> None:
    sums = {half_life: weight(points, half_life, when)}
    values = [worth(sums, when + delay) for delay in sorted(delays)]
    assert all(earlier >= later for earlier, later in pairwise(values))


@given(POINTS, HALF_LIVES, MOMENTS)
def test_bad_points_mirror_good_ones(points: int, half_life: int, when: datetime) -> None:
    assert weight(-points, half_life, when) == -weight(points, half_life, when)


@given(POINTS, HALF_LIVES, MOMENTS)
def test_a_contribution_is_worth_its_points_when_it_is_made(points: int, half_life: int, when: datetime) -> None:
    assert worth({half_life: weight(points, half_life, when)}, when) == points


def test_points_finer_than_four_decimals_are_refused() -> None:
    assert from_e4(to_e4(Decimal("2.5001"))) == Decimal("2.5001")
    with pytest.raises(ValueError, match="four decimals"):
        to_e4(Decimal("0.00001"))


def test_half_lives_are_told_in_days() -> None:
    assert half_life_of(Decimal("1.5")) == 36 * 3600 * 1_000_000
