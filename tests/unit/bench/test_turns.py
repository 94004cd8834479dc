"""Contenders take turns."""

from __future__ import annotations

from bench.pairs.turns import Contender, Measured, take_turns


def contender(name: str, seen: list[tuple[str, int]]) -> Contender:
    def measure(turn: int) -> Measured:
        seen.append((name, turn))
        return Measured({"cpu": float(turn)})

    return Contender(name, measure)


def test_turns_are_interleaved() -> None:
    seen: list[tuple[str, int]] = []
    turns = list(take_turns([contender("a", seen), contender("b", seen)], 3))
    assert seen == [("a", 0), ("b", 0), ("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert [(turn.contender, turn.round, turn.measured.values["cpu"]) for turn in turns][-1] == ("b", 2, 2.0)


def test_no_round_begins_after_the_deadline_and_the_one_that_has_begun_is_ended() -> None:
    seen: list[tuple[str, int]] = []
    turns = list(
        take_turns([contender("a", seen), contender("b", seen)], 5, deadline=2.5, clock=lambda: float(len(seen)))
    )
    assert [turn.contender for turn in turns] == ["a", "b", "a", "b"]
