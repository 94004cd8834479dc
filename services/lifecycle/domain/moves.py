"""Moves are facts and are never rewritten; where a person is now is folded from the moves of all their fragments.

A move hangs on the oldest fragment of the person it was decided for (their home then), is numbered there, and covers what was in view: for each home
the number of its last move. So a move supersedes exactly what was known when it was decided, in whatever grouping it is looked at later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.ids import derive_id
from services.lifecycle.domain.process import Process

Homes = Mapping[str, int]
"""Home fragment -> the number of its last move."""


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody entered a stage: `occurred_at` is when it happened, `at` when it was decided, `by` who decided (None: a rule alone)."""

    move_id: str
    fragment_id: str
    seq: int
    covers: Homes
    stage: str
    previous: str | None
    at: datetime
    occurred_at: datetime
    rule: str
    rulebook: str
    receipt_id: str
    by: str | None = None
    reason: str | None = None


def move_id_of(at: datetime, cause_id: str, person_id: str, stage: str) -> str:
    """One cause leads a person into a stage at most once."""
    return derive_id("mov", at, cause_id, person_id, stage)


def live(moves: Iterable[Move]) -> list[Move]:
    """Those that no other one of these supersedes."""
    listed = list(moves)
    covered: dict[str, int] = {}
    for move in listed:
        for home, seq in move.covers.items():
            covered[home] = max(seq, covered.get(home, 0))
    return [move for move in listed if covered.get(move.fragment_id, 0) < move.seq]


def present(moves: Iterable[Move], process: Process) -> Move | None:
    """Where these moves have led: of the live ones the furthest stage, then the latest."""
    return max(live(moves), key=lambda move: (process.order(move.stage), move.occurred_at, move.at, move.move_id), default=None)


def homes_of(moves: Iterable[Move]) -> dict[str, int]:
    """All that is in view."""
    homes: dict[str, int] = {}
    for move in moves:
        homes[move.fragment_id] = max(move.seq, homes.get(move.fragment_id, 0))
    return homes


def in_order(moves: Iterable[Move]) -> list[Move]:
    """As they happened; the steps of one cause in the order in which they were made."""
    return sorted(moves, key=lambda move: (move.occurred_at, move.at, move.seq, move.move_id))
