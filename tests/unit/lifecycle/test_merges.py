"""Merge and split: stages are folded anew from moves, and nothing is fired again."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import permutations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events.lifecycle import SlaStarted, StageCorrected, StageEntered
from services.lifecycle.domain.workspace import CurrentStage, Move, homes_of, live, present
from tests.support.people import at, merged, per, split
from tests.unit.lifecycle.builders import created, points, process, profile, ready, returned, scored
from tests.unit.lifecycle.lives import CELLS, Population, a_life
from tests.unit.lifecycle.world import World

ADA, BEA, CLEO = per(1), per(2), per(3)
BOTH = [1, 2]

_acts = st.one_of(
    st.tuples(st.just("score"), st.sampled_from(CELLS)),
    st.tuples(st.just("return"), st.sampled_from(["bad_timing", "not_a_fit"])),
    st.sampled_from([("profile", ""), ("accept", ""), ("correct", "A1")]),
)
_lives = st.lists(st.tuples(st.integers(1, 4), _acts), max_size=14)


def test_the_furthest_stage_of_all_counts_and_is_said_as_a_correction() -> None:
    world = World().hear(*ready(BEA), created(ADA, at(1)))
    offers, clocks = len(world.told(StageEntered)), len(world.told(SlaStarted))
    world.hear(merged(BOTH, 2, at(2)))
    (correction,) = world.told(StageCorrected)
    assert (correction.person_id, correction.stage, correction.previous, correction.graph_version) == (
        ADA,
        "mql",
        "anonymous",
        2,
    )
    assert (correction.receipt.kind, correction.receipt.outcome) == ("stage.correction", "mql")
    assert (
        correction.receipt.sentence == "They are one. Taken together, the furthest stage is Marketing qualified lead."
    )
    assert (len(world.told(StageEntered)), len(world.told(SlaStarted))) == (offers, clocks)


def test_where_the_stage_stays_the_same_nothing_is_said() -> None:
    world = World().hear(*ready(ADA), created(BEA), merged(BOTH, 2, at(1)))
    assert world.told(StageCorrected) == []


def test_a_split_gives_each_part_its_own_stage_back() -> None:
    world = World().hear(*ready(BEA), created(ADA), merged(BOTH, 2, at(1)), split([[1], [2]], 3, at(2)))
    assert world.way(ADA) == ["(mql)", "(anonymous)"]
    assert (world.stage(BEA), world.told(StageCorrected, BEA)) == ("mql", [])  # it was never said otherwise of this id


def test_a_move_made_while_they_were_one_stays_with_the_older_and_takes_nothing_from_the_other() -> None:
    world = World().hear(*ready(BEA), created(ADA), merged(BOTH, 2, at(1)), returned(ADA, "bad_timing", at(2), 2))
    assert world.stage(ADA) == "recycled"  # it came after both, knowing of both
    world.hear(split([[1], [2]], 3, at(3)))
    assert (world.stage(ADA), world.stage(BEA)) == ("recycled", "mql")
    world.hear(merged(BOTH, 4, at(4)))
    assert world.stage(ADA) == "recycled"
    world.hear(split([[1], [2]], 5, at(5)), returned(BEA, "not_a_fit", at(6), 5), merged(BOTH, 6, at(7)))
    assert world.stage(ADA) == "disqualified"  # BEA moved on after the split, and no move of ADA's knew of it


def test_a_statement_that_is_newer_than_identity_told_moves_the_fragment_at_once() -> None:
    told = [*ready(BEA), created(ADA), merged(BOTH, 2, at(1))]
    cut = split([[1], [2]], 3, at(3))
    late = scored(BEA, "A1", at(4), version=3)
    early = World().hear(*told, late, cut)
    assert early.stages() == World().hear(*told, cut, late).stages()
    assert early.way(ADA) == ["(mql)", "(anonymous)"]


@given(
    before=_lives, after=_lives, pairs=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=3)
)
@settings(max_examples=150)
def test_a_merge_that_is_split_again_leaves_nothing_behind(
    before: Sequence[tuple[int, tuple[str, str]]],
    after: Sequence[tuple[int, tuple[str, str]]],
    pairs: Sequence[tuple[int, int]],
) -> None:
    population = Population()
    for number in range(1, 5):
        population.see(number)
    for number, (what, detail) in before:
        population.act(number, what, detail)
    control = copy.deepcopy(population)
    for one, other in pairs:
        population.merge(one, other)
    for number in range(1, 5):
        population.split(number)
    control.clock, control.version = population.clock, population.version
    for number, (what, detail) in after:
        population.act(number, what, detail)
        control.act(number, what, detail)
    world, untouched = World().hear(*population.told), World().hear(*control.told)
    assert _moved(world) == _moved(untouched)
    assert [event.body() for event in world.told(StageEntered)] == [
        event.body() for event in untouched.told(StageEntered)
    ]
    assert world.workspace.new_moves == untouched.workspace.new_moves


def _moved(world: World) -> dict[str, CurrentStage]:
    """Where people are of whom that says more than that they are where everybody begins."""
    return {key: one for key, one in world.stages().items() if one != CurrentStage(key)}


@given(seed=st.integers(0, 10_000), length=st.integers(1, 40))
@settings(max_examples=60)
def test_what_stands_is_what_a_fold_of_all_moves_gives(seed: int, length: int) -> None:
    """The current kept on the hot path never differs from folding everything anew."""
    world = World().hear(*a_life(Random(seed), length))
    for person_id, current in world.stages().items():
        moves = [move for move in world.workspace.new_moves if world.workspace.owner_of(move.fragment_id) == person_id]
        move = present(moves, process())
        assert (current.stage, current.move_id) == ((None, None) if move is None else (move.stage, move.move_id))
        assert dict(current.homes) == homes_of(moves)
        said = world.way(person_id)
        assert (said[-1].strip("()") if said else "anonymous") == (current.stage or "anonymous")


def test_the_fold_does_not_depend_on_the_order_of_its_moves() -> None:
    world = World().hear(
        *ready(ADA),
        *ready(BEA, at(1)),
        returned(BEA, "bad_timing", at(2)),
        profile(CLEO, at(3), email="c@acme.example"),
    )
    moves: list[Move] = [world.workspace.new_moves[index] for index in (0, 3, 4, -3, -1)]
    assert {tuple(sorted(move.stage for move in live(order))) for order in permutations(moves)} == {
        ("known", "mql", "recycled")
    }
    assert {move.stage for order in permutations(moves) if (move := present(order, process())) is not None} == {"mql"}


def test_points_earned_under_another_name_do_not_count_for_the_stage() -> None:
    world = World().hear(*ready(ADA), returned(ADA, "bad_timing", at(1)), created(BEA, at(2)))
    world.hear(scored(BEA, "A1", at(3), earned=[points(40, at(3))]), merged(BOTH, 2, at(4)))
    assert world.hear(scored(ADA, "A1", at(5), version=2, earned=[points(4, at(5))])).stage(ADA) == "recycled"
