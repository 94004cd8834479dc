"""Whose turn is it? Smooth weighted round robin, exact: over n turns each gets their share of n by weight, never a whole turn more or less.

Each member of a rotation has a credit: the turns they were due by weight while they could be asked, less the turns they had. A turn goes to whoever,
of those who are not ahead (credit not below zero), will be owed a whole turn first. Taking the highest credit instead, as is often done, can leave
somebody behind by more than a turn when weights differ much. (The rule is earliest eligible virtual deadline first, Stoica and Abdel-Wahab 1995.)

Credits are counted in turns, not in weights: so whoever leaves, comes back, or cannot be asked for once, however great their weight, neither brings
nor leaves a run of turns, and those who stay go on sharing by their weights. A newcomer is owed nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

_NOTHING = Fraction(0)
_TURN = Fraction(1)
_PARTS = 1000
"""Credits are whole parts of (turn / sum of weights) by this. While the same people are there that rounds nothing; when others come it keeps the
fractions short."""


def next_turn(weights: Mapping[str, int], owed: Mapping[str, Fraction]) -> tuple[str, dict[str, Fraction]]:
    """Who of `weights` (above zero, at least one) takes the turn, and the credits of those present afterwards; `owed`: before. Equals go by id."""
    total = sum(weights.values())
    level = {name: Fraction(round(owed.get(name, _NOTHING) * total * _PARTS), total * _PARTS) for name in weights}
    due = [name for name in weights if level[name] >= 0]
    chosen = min(due or weights, key=lambda name: ((_TURN - level[name]) / weights[name], name))
    after = {name: level[name] + Fraction(weight, total) for name, weight in weights.items()}
    after[chosen] -= _TURN
    return chosen, after
