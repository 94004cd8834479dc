"""Contenders take turns: A B A B ..., each turn timed by the contender itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """What one turn brought: figures by name.

    `complaint` says why they may not count (something was left behind, refused, lost).
    """

    values: Mapping[str, float]
    complaint: str = ""


@dataclass(frozen=True)
class Contender:
    """Something that can be measured again and again, given the number of the round."""

    name: str
    measure: Callable[[int], Measured]


@dataclass(frozen=True)
class Turn:
    """One contender in one round."""

    contender: str
    round: int
    measured: Measured


def take_turns(
    contenders: Sequence[Contender],
    rounds: int,
    *,
    deadline: float = float("inf"),
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Turn]:
    """Every contender once a round, always in the same order.

    No round begins after the deadline, so that all have the same number of turns.
    """
    for number in range(rounds):
        if clock() >= deadline:
            return
        for contender in contenders:
            yield Turn(contender.name, number, contender.measure(number))
