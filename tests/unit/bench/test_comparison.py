"""Turns become comparisons."""

from __future__ import annotations

from dataclasses import replace

from bench.pairs.comparison import Goal, Limit, Ratio, ReportCard, compare
from bench.pairs.figures import Verdict
from bench.pairs.turns import Measured, Turn
from tests.unit.bench.turns import turns_of

CARD = ReportCard("web", "ours", frozenset({"before"}), (Goal("rate", "bare", 0.30),), (Limit("p99", 100.0),))


def found(turns: list[Turn]) -> dict[tuple[str, str], Ratio]:
    return {(ratio.figure, ratio.theirs): ratio for ratio in compare(CARD, turns).ratios}


def test_ours_is_set_beside_everybody_of_the_same_rounds() -> None:
    turns = turns_of("ours", cpu=[1.0, 2.0], rate=[300.0, 200.0]) + turns_of(
        "before", cpu=[2.0, 4.0], rate=[150.0, 100.0]
    )
    ratios = found(turns + turns_of("bare", rate=[3000.0, 1000.0]))
    assert ratios["cpu", "before"].spread.samples == (0.5, 0.5)
    assert ratios["rate", "bare"].spread.samples == (0.1, 0.2)
    assert ("before", "bare") not in ratios
    assert set(ratios) == {("cpu", "before"), ("rate", "before"), ("rate", "bare")}


def test_a_verdict_is_passed_on_peers_and_a_goal_is_asked_of_ceilings() -> None:
    turns = (
        turns_of("ours", cpu=[3.0, 3.0], rate=[290.0, 290.0])
        + turns_of("before", cpu=[2.0, 2.0])
        + turns_of("bare", rate=[1000.0, 1000.0])
    )
    ratios = found(turns)
    assert ratios["cpu", "before"].verdict is Verdict.WORSE
    assert ratios["rate", "bare"].verdict is None
    assert ratios["rate", "bare"].is_goal_met is False
    assert ratios["cpu", "before"].is_goal_met is None
    assert [ratio.figure for ratio in compare(CARD, turns).regressions()] == ["cpu"]


def test_a_goal_of_a_rate_is_a_floor_and_one_of_a_cost_is_a_roof() -> None:
    floor = compare(CARD, turns_of("ours", rate=[310.0]) + turns_of("bare", rate=[1000.0])).ratios[0]
    assert floor.is_goal_met is True
    card = replace(CARD, goals=(Goal("cpu", "few", 1.3),))
    roof = compare(card, turns_of("ours", cpu=[1.4]) + turns_of("few", cpu=[1.0])).ratios[0]
    assert roof.is_goal_met is False


def test_the_cpu_of_a_process_is_compared_and_not_judged() -> None:
    ratios = found(turns_of("ours", **{"cpu of scoring": [3.0]}) + turns_of("before", **{"cpu of scoring": [1.0]}))
    assert ratios["cpu of scoring", "before"].spread.median == 3.0
    assert ratios["cpu of scoring", "before"].verdict is None


def test_a_turn_with_a_complaint_counts_for_nothing_and_is_told() -> None:
    spoilt = Turn("ours", 1, Measured({"cpu": 0.01}, "12 messages were not heard"))
    comparison = compare(CARD, [*turns_of("ours", cpu=[1.0]), spoilt, *turns_of("before", cpu=[1.0, 1.0])])
    assert comparison.complaints == ("ours, round 2: 12 messages were not heard",)
    assert comparison.ratios[0].spread.samples == (1.0,)
    assert comparison.figures["ours"]["cpu"].samples == (1.0,)
    assert comparison.rounds == 2


def test_a_limit_is_set_beside_our_own_figure() -> None:
    (limit, spread), *more = compare(
        CARD, turns_of("ours", p99=[90.0, 130.0, 110.0]) + turns_of("before", p99=[1.0, 1.0, 1.0])
    ).limits
    assert (limit.value, spread.median, more) == (100.0, 110.0, [])


def test_what_was_never_measured_is_no_error() -> None:
    comparison = compare(CARD, [Turn("ours", 0, Measured({}, "refused"))])
    assert (dict(comparison.figures), comparison.ratios, comparison.limits) == ({}, (), ())


def test_the_tolerance_reaches_the_verdict() -> None:
    turns = turns_of("ours", cpu=[1.2, 1.2]) + turns_of("before", cpu=[1.0, 1.0])
    assert compare(CARD, turns, 0.1).regressions()
    assert not compare(CARD, turns, 0.3).regressions()
