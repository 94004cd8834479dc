"""Turns as a run would have brought them."""

from __future__ import annotations

from bench.pairs.turns import Measured, Turn


def turns_of(contender: str, **figures: list[float]) -> list[Turn]:
    """One turn a round; `cpu=[3.0, 3.3]` are two rounds."""
    rounds = zip(*figures.values(), strict=True)
    return [
        Turn(contender, number, Measured(dict(zip(figures, values, strict=True))))
        for number, values in enumerate(rounds)
    ]
