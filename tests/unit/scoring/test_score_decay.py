from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.receipts import DAY, POINT, from_e4, half_life_of, to_e4
from services.scoring.domain.score_decay import (
    EPOCH,
    Accumulators,
    add,
    combine,
    microseconds,
    next_change,
    weight,
    worth,
)
from tests.support.people import START, at

HALF_LIVES = st.sampled_from([1, 7, 14, 30, 90, 365]).map(lambda days: days * DAY)
POINTS = st.integers(-100 * POINT, 100 * POINT).filter(bool)
MOMENTS = st.datetimes(EPOCH.replace(tzinfo=None), EPOCH.replace(tzinfo=None, year=2040)).map(
    lambda d: d.replace(tzinfo=EPOCH.tzinfo)
)
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
def test_the_sum_is_what_the_formula_gives_to_nine_digits(
    contributions: list[tuple[int, int, datetime]], later: timedelta
) -> None:
    moment = max([when for _, _, when in contributions], default=START) + later
    expected = worth_by_the_formula(contributions, moment)
    total = sum(abs(worth_by_the_formula([part], moment)) for part in contributions)
    assert abs(worth(sums_of(contributions), moment) - expected) <= Decimal("0.5000001") + total * Decimal("1e-9")


@given(CONTRIBUTIONS, st.randoms(use_true_random=False))
def test_any_order_and_any_grouping_give_the_same_sum_to_the_byte(
    contributions: list[tuple[int, int, datetime]], random: object
) -> None:
    shuffled = list(contributions)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    cut = len(shuffled) // 2
    assert combine([sums_of(shuffled[:cut]), sums_of(shuffled[cut:])]) == sums_of(contributions)


@given(CONTRIBUTIONS, POINTS, HALF_LIVES, MOMENTS)
def test_what_is_added_can_be_taken_away_without_a_trace(
    contributions: list[tuple[int, int, datetime]], points: int, half_life: int, when: datetime
) -> None:
    sums = sums_of(contributions)
    assert (
        add(add(sums, half_life, weight(points, half_life, when)), half_life, -weight(points, half_life, when)) == sums
    )


@given(
    POINTS.map(abs),
    HALF_LIVES,
    MOMENTS,
    st.lists(st.timedeltas(timedelta(0), timedelta(days=3000)), min_size=2, max_size=8),
)
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


THRESHOLDS = (10 * POINT, 30 * POINT, 60 * POINT)
PARTS = st.lists(
    st.tuples(
        st.integers(-90 * POINT, 90 * POINT).filter(bool),
        st.sampled_from([1, 7, 14, 90]).map(lambda d: d * DAY),
        st.integers(0, 60),
    ),
    min_size=1,
    max_size=5,
)


def sums_days_ago(parts: list[tuple[int, int, int]]) -> Accumulators:
    return combine({half_life: weight(points, half_life, at(-days))} for points, half_life, days in parts)


def level(sums: Accumulators, moment: datetime, thresholds: tuple[int, int, int] = THRESHOLDS) -> int:
    return bisect_right(thresholds, worth(sums, moment))


def test_forty_points_of_a_fortnight_fall_below_thirty_when_the_formula_says() -> None:
    found = next_change({14 * DAY: weight(40 * POINT, 14 * DAY, START)}, THRESHOLDS, START)
    assert found is not None
    exactly = START + timedelta(days=14 * 0.41503749927884376)
    assert timedelta(0) <= found - exactly < timedelta(seconds=5)  # 29.99995 still rounds to 30.0000


def test_points_that_stay_in_their_row_never_change_it() -> None:
    assert next_change({14 * DAY: weight(9 * POINT, 14 * DAY, START)}, THRESHOLDS, START) is None
    assert next_change({}, THRESHOLDS, START) is None


@given(PARTS)
def test_the_row_changes_at_the_second_found_and_not_a_second_before(parts: list[tuple[int, int, int]]) -> None:
    sums = sums_days_ago(parts)
    found = next_change(sums, THRESHOLDS, START)
    if found is None:
        assert {level(sums, at(days)) for days in (1, 10, 100, 1000, 10000)} == {level(sums, START)}
        return
    assert level(sums, found) != level(sums, START)
    if found - START > timedelta(seconds=1):
        assert level(sums, found - timedelta(seconds=1)) == level(sums, START)


@given(PARTS, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_a_moment_between_two_seconds_begins_in_the_second_it_lies_in(
    parts: list[tuple[int, int, int]], later: timedelta
) -> None:
    sums, start = sums_days_ago(parts), START + later
    found = next_change(sums, THRESHOLDS, start)
    if found is not None:
        assert level(sums, found) != level(sums, start)
        assert found.microsecond == 0
        assert found > start
        if (before := found - timedelta(seconds=1)) > start:
            assert level(sums, before) == level(sums, start)


@given(PARTS, st.lists(st.floats(0, 1), max_size=20))
def test_no_earlier_moment_lies_in_another_row_even_when_good_and_bad_points_mix(
    parts: list[tuple[int, int, int]], fractions: list[float]
) -> None:
    sums = sums_days_ago(parts)
    found = next_change(sums, THRESHOLDS, START)
    until = (at(4000) if found is None else found) - START
    for fraction in fractions:
        seconds = int(until.total_seconds() * fraction) - 1
        if seconds >= 0:
            assert level(sums, START + timedelta(seconds=seconds)) == level(sums, START)


@given(PARTS)
def test_thresholds_around_zero_are_met_when_the_score_rounds_to_nothing(parts: list[tuple[int, int, int]]) -> None:
    thresholds = (-5 * POINT, 0, 1)
    sums = sums_days_ago(parts)
    found = next_change(sums, thresholds, START)
    if found is not None:
        assert level(sums, found, thresholds) != level(sums, START, thresholds)


@given(PARTS, st.integers(1, 2000), st.sampled_from([-1, 0, 1]))
def test_a_threshold_that_is_only_just_met_or_missed_is_settled_exactly(
    parts: list[tuple[int, int, int]], hours: int, off_by: int
) -> None:
    sums = sums_days_ago(parts)
    met = worth(sums, START + timedelta(hours=hours)) + off_by  # in 1/10,000 point
    thresholds = (met - 50 * POINT, met, met + 50 * POINT)
    found = next_change(sums, thresholds, START)
    before, seconds = level(sums, START, thresholds), range(-2, 3)
    around = {second: level(sums, START + timedelta(hours=hours, seconds=second), thresholds) for second in seconds}
    if found is None:
        assert set(around.values()) == {before}
        return
    assert level(sums, found, thresholds) != before
    if found - START > timedelta(seconds=1):
        assert level(sums, found - timedelta(seconds=1), thresholds) == before
    assert all(
        value == before for second, value in around.items() if START + timedelta(hours=hours, seconds=second) < found
    )
