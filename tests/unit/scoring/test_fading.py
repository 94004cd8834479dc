from __future__ import annotations

from bisect import bisect_right
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.decay import DAY, POINT, Accumulators, combine, weight, worth
from services.scoring.domain.fading import next_change
from tests.unit.scoring.builders import START, at

THRESHOLDS = (10 * POINT, 30 * POINT, 60 * POINT)
PARTS = st.lists(
    st.tuples(st.integers(-90 * POINT, 90 * POINT).filter(bool), st.sampled_from([1, 7, 14, 90]).map(lambda d: d * DAY), st.integers(0, 60)),
    min_size=1,
    max_size=5,
)


def sums_of(parts: list[tuple[int, int, int]]) -> Accumulators:
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
    sums = sums_of(parts)
    found = next_change(sums, THRESHOLDS, START)
    if found is None:
        assert {level(sums, at(days)) for days in (1, 10, 100, 1000, 10000)} == {level(sums, START)}
        return
    assert level(sums, found) != level(sums, START)
    if found - START > timedelta(seconds=1):
        assert level(sums, found - timedelta(seconds=1)) == level(sums, START)


@given(PARTS, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_a_moment_between_two_seconds_begins_in_the_second_it_lies_in(parts: list[tuple[int, int, int]], later: timedelta) -> None:
    sums, start = sums_of(parts), START + later
    found = next_change(sums, THRESHOLDS, start)
    if found is not None:
        assert level(sums, found) != level(sums, start)
        assert found.microsecond == 0
        assert found > start
        if (before := found - timedelta(seconds=1)) > start:
            assert level(sums, before) == level(sums, start)


@given(PARTS, st.lists(st.floats(0, 1), max_size=20))
def test_no_earlier_moment_lies_in_another_row_even_when_good_and_bad_points_mix(parts: list[tuple[int, int, int]], fractions: list[float]) -> None:
    sums = sums_of(parts)
    found = next_change(sums, THRESHOLDS, START)
    until = (at(4000) if found is None else found) - START
    for fraction in fractions:
        seconds = int(until.total_seconds() * fraction) - 1
        if seconds >= 0:
            assert level(sums, START + timedelta(seconds=seconds)) == level(sums, START)


@given(PARTS)
def test_thresholds_around_zero_are_met_when_the_score_rounds_to_nothing(parts: list[tuple[int, int, int]]) -> None:
    thresholds = (-5 * POINT, 0, 1)
    sums = sums_of(parts)
    found = next_change(sums, thresholds, START)
    if found is not None:
        assert level(sums, found, thresholds) != level(sums, START, thresholds)


@given(PARTS, st.integers(1, 2000), st.sampled_from([-1, 0, 1]))
def test_a_threshold_that_is_only_just_met_or_missed_is_settled_exactly(parts: list[tuple[int, int, int]], hours: int, off_by: int) -> None:
    sums = sums_of(parts)
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
    assert all(value == before for second, value in around.items() if START + timedelta(hours=hours, seconds=second) < found)
