"""Chance that can be repeated: the same words give the same throws on every machine."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Throws that depend on `words` alone."""

    def __init__(self, *words: object) -> None:
        self._random = random.Random(":".join(str(word) for word in words))  # noqa: S311 - an invented market, no secret

    def pick(self, choices: Sequence[T]) -> T:
        """One of `choices`."""
        return self._random.choice(choices)

    def weighted(self, weights: Mapping[T, float]) -> T:
        """One of the keys, as often as its weight says."""
        return self._random.choices(list(weights), weights=list(weights.values()))[0]

    def happens(self, probability: float) -> bool:
        """True in `probability` of all cases."""
        return self._random.random() < probability

    def between(self, least: int, most: int) -> int:
        """A whole number, both ends included."""
        return self._random.randint(least, most)

    def span(self, least: timedelta, most: timedelta) -> timedelta:
        """A span of whole seconds."""
        return timedelta(seconds=self._random.randint(int(least.total_seconds()), int(most.total_seconds())))

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in another order."""
        return self._random.sample(items, len(items))
