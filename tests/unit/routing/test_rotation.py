"""Turns are fair to the turn, and coming and going moves nobody's share against anybody else's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from services.routing.domain.assignment import next_turn

WEIGHTS = st.lists(st.integers(1, 100), min_size=1, max_size=8)
CHANGES = st.lists(st.sets(st.integers(2, 7), max_size=6), min_size=1, max_size=60)


def turns(weights: Sequence[int], absences: Iterable[Iterable[int]]) -> list[str]:
    """Who had each turn; `absences`: who was not there for it."""
    credit: dict[str, Fraction] = {}
    taken = []
    for absent in absences:
        present = {f"rep_{number}": weight for number, weight in enumerate(weights) if number not in set(absent)}
        chosen, after = next_turn(present, credit)
        credit |= after
        taken.append(chosen)
    return taken


@example([100, 1, 1, 1, 1, 1, 1, 1], 100)  # without asking who is ahead, the first one would have nearly all
@example([4, 4, 30, 20, 4, 1, 4], 47)  # taking the highest credit would leave somebody more than a turn behind
@given(WEIGHTS, st.integers(1, 150))
def test_of_any_number_of_turns_each_gets_their_share_and_never_a_whole_turn_more_or_less(
    weights: list[int], number: int
) -> None:
    had = Counter(turns(weights, [()] * number))
    for rep, weight in enumerate(weights):
        assert abs(had[f"rep_{rep}"] - Fraction(number * weight, sum(weights))) < 1


@given(st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_after_as_many_turns_as_the_weights_sum_to_all_are_even_and_it_begins_anew(weights: list[int]) -> None:
    total = sum(weights)
    taken = turns(weights, [()] * (2 * total))
    assert Counter(taken[:total]) == {f"rep_{rep}": weight for rep, weight in enumerate(weights)}
    assert taken[:total] == taken[total:]


@given(st.lists(st.integers(1, 100), min_size=8, max_size=8), CHANGES)
def test_whoever_comes_and_goes_those_who_stay_share_by_their_weights(
    weights: list[int], absences: list[set[int]]
) -> None:
    had = Counter(turns(weights, absences))
    ahead = Fraction(had["rep_0"], weights[0]) - Fraction(had["rep_1"], weights[1])
    assert abs(ahead) <= 2 * (Fraction(1, weights[0]) + Fraction(1, weights[1]))


@given(st.lists(st.integers(1, 100), min_size=2, max_size=8), st.integers(1, 80))
def test_who_cannot_be_asked_twice_running_loses_nothing_else(weights: list[int], number: int) -> None:
    """Everybody gets what was theirs of the turns they could have had: so it is when a rep never answers and each lead
    goes on to the next one.
    """
    credit: dict[str, Fraction] = {}
    due = {f"rep_{rep}": Fraction(0) for rep in range(len(weights))}
    last = ""
    for _ in range(number):
        present = {f"rep_{rep}": weight for rep, weight in enumerate(weights) if f"rep_{rep}" != last}
        last, after = next_turn(present, credit)
        credit |= after
        for name, weight in present.items():
            due[name] += Fraction(weight, sum(present.values()))
        due[last] -= 1
    assert all(abs(one) < 2 for one in due.values())


def test_a_rep_of_great_weight_who_leaves_brings_nobody_a_run_of_turns() -> None:
    before = [()] * 60  # two of weight 1 are owed half a turn each by then, and one of them had one
    taken = turns([1, 1, 100], [*before, *([[2]] * 6)])
    assert Counter(taken[60:]) == {"rep_0": 3, "rep_1": 3}


def test_who_comes_back_has_no_arrears_to_collect() -> None:
    taken = turns([1, 1], [*([[1]] * 50), *([()] * 10)])
    assert abs(Counter(taken[50:])["rep_0"] - 5) <= 1


def test_of_equals_the_lesser_id_comes_first_and_then_they_take_turns() -> None:
    assert turns([1, 1, 1], [()] * 6) == ["rep_0", "rep_1", "rep_2"] * 2


@given(WEIGHTS, CHANGES)
def test_what_is_kept_of_a_rotation_does_not_grow(weights: list[int], absences: list[set[int]]) -> None:
    credit: dict[str, Fraction] = {}
    for absent in absences:
        present = {f"rep_{number}": weight for number, weight in enumerate(weights) if number not in absent}
        credit |= next_turn(present, credit)[1]
        assert all(abs(one) <= 2 and one.denominator <= 1000 * sum(weights) for one in credit.values())
