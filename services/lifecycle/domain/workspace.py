"""The unit of work: moves, the stages people are in, and the clocks that run, as they were loaded and as a batch or a
request leaves them.

Moves are facts and are never rewritten; where a person is now is folded from the moves of all their fragments. A move
hangs on the oldest fragment of the person it was decided for (their home then), is numbered there, and covers what was
in view: for each home the number of its last move. So a move supersedes exactly what was known when it was decided, in
whatever grouping it is looked at later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from contracts.events.lifecycle import SlaBreached, SlaKept, SlaReminded, SlaStarted, StageCorrected, StageEntered
from contracts.ids import derive_id, with_prefix
from contracts.values import Receipt
from people_kernel.people import Card, Placement, blank
from people_kernel.workspace import Cause, Pages, PlacedWorkspace
from services.lifecycle.domain.process import LifecycleProcess

Homes = Mapping[str, int]
"""Home fragment -> the number of its last move."""


@dataclass(frozen=True, slots=True)
class Move:
    """Somebody entered a stage: `occurred_at` is when it happened, `at` when it was decided, `by` who decided (None: a
    rule alone).
    """

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


def present(moves: Iterable[Move], process: LifecycleProcess) -> Move | None:
    """Where these moves have led: of the live ones the furthest stage, then the latest."""
    return max(
        live(moves), key=lambda move: (process.order(move.stage), move.occurred_at, move.at, move.move_id), default=None
    )


def homes_of(moves: Iterable[Move]) -> dict[str, int]:
    """All that is in view."""
    homes: dict[str, int] = {}
    for move in moves:
        homes[move.fragment_id] = max(move.seq, homes.get(move.fragment_id, 0))
    return homes


def in_order(moves: Iterable[Move]) -> list[Move]:
    """As they happened; the steps of one cause in the order in which they were made."""
    return sorted(moves, key=lambda move: (move.occurred_at, move.at, move.seq, move.move_id))


@dataclass(frozen=True, slots=True)
class CurrentStage:
    """Where a person id is, as it was last said.

    An id that was absorbed keeps what was said of it, for the day it is split off again.

    Without a `stage` they are where everybody begins; `seen_at` is since when, if that was told.
    """

    person_id: str
    is_present: bool = True
    stage: str | None = None
    move_id: str | None = None  # the move that led here, and the fragment it hangs on
    move_home: str | None = None
    since: datetime | None = None  # when the stage was entered, by when things happened
    entered_at: datetime | None = None  # when that was decided
    latest_at: datetime | None = None  # occurred_at of the latest move in view; the next one is not earlier
    homes: Homes = field(default_factory=dict)
    points_e4: int = 0  # engagement earned since the stage was entered
    points_of: str | None = None  # the move since which they were counted
    is_test: bool = False
    seen_at: datetime | None = None

    def points_since(self) -> int:
        return self.points_e4 if self.points_of == self.move_id else 0


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that runs, or ran, for whoever owns the fragment."""

    clock_id: str
    fragment_id: str
    name: str
    stage: str
    stops: tuple[str, ...]
    started_at: datetime
    due_at: datetime
    remind_at: datetime | None = None
    is_reminded: bool = False
    breached_at: datetime | None = None
    ended_at: datetime | None = None
    is_test: bool = False


@dataclass(slots=True, kw_only=True)
class LifecycleWorkspace(PlacedWorkspace):
    """`moves` are those of everybody who may be regrouped, by the fragment they hang on; `clocks` those that run."""

    process: LifecycleProcess
    cards: Pages[str, Card] = field(default_factory=Pages)
    stages: Pages[str, CurrentStage] = field(default_factory=Pages)
    clocks: Pages[str, Clock] = field(default_factory=Pages)
    moves: dict[str, list[Move]] = field(default_factory=dict)
    new_moves: list[Move] = field(default_factory=list)

    def card(self, person_id: str) -> Card:
        """What is known of somebody; of a stranger nothing is."""
        return self.cards.get(person_id) or blank(person_id)

    def current_stage(self, person_id: str) -> CurrentStage:
        """Where a person id is, as it was last said."""
        return self.stages.get(person_id) or CurrentStage(person_id)

    def stage_of(self, person_id: str) -> str:
        """The name of the stage somebody is in: whoever has not moved is where everybody begins."""
        return self.current_stage(person_id).stage or self.process.first

    def keeps(self, person_id: str) -> bool:
        """Whether anything is kept of this person id.

        Of a stranger nothing is: what scoring may say of them stands in its next statement.
        """
        card = self.cards.get(person_id)
        return (
            person_id in self.stages or person_id in self.cards.loaded or (card is not None and bool(card.attributes))
        )

    def clocks_of(self, person_id: str) -> list[Clock]:
        """Those that run for a person, the most urgent first."""
        homes = self.current_stage(person_id).homes
        running = [clock for clock in self.clocks.values() if clock.ended_at is None and clock.fragment_id in homes]
        return sorted(running, key=lambda clock: (clock.due_at, clock.clock_id))

    def changed_placements(self) -> dict[str, Placement]:
        """Those that must be written: of people of whom something is kept, and what a merge or split said."""
        changed = self.placements.changed
        return self.placements_to_write({one.person_id for one in changed.values() if self.keeps(one.person_id)})


def days_between(earlier: datetime, later: datetime) -> float:
    """Never less than none."""
    return max(0.0, (later - earlier) / timedelta(days=1))


def about(workspace: LifecycleWorkspace, person_id: str) -> dict[str, Any]:
    """What every event of lifecycle says of its person."""
    card = workspace.card(person_id)
    return {
        "person_id": person_id,
        "fragment_id": with_prefix("frg", person_id),
        "graph_version": workspace.version_of(person_id),
        "account_id": card.account_id,
        "is_test": card.is_test,
    }


def say_entered(workspace: LifecycleWorkspace, person_id: str, cause: Cause, move: Move, receipt: Receipt) -> int:
    """Tells a move with everything it was decided on; answers its place, because the clock that starts with it is not
    known yet.
    """
    card = workspace.card(person_id)
    workspace.said.append(
        StageEntered(
            meta=cause.meta(StageEntered.wire_name, person_id, move.stage, rulebook=move.rulebook),
            **about(workspace, person_id),
            occurred_at=move.occurred_at,
            by=move.by,
            stage=move.stage,
            previous=move.previous,
            reason=move.reason,
            attributes=dict(card.attributes),
            scores=card.scores,
            highlights=card.highlights,
            receipt=receipt,
        )
    )
    return len(workspace.said) - 1


def say_due(workspace: LifecycleWorkspace, place: int, due_at: datetime) -> None:
    """The move that was told at `place` has started a clock."""
    workspace.said[place] = workspace.said[place].model_copy(update={"due_at": due_at})


def say_corrected(
    workspace: LifecycleWorkspace, person_id: str, cause: Cause, found: tuple[str, datetime], receipt: Receipt
) -> None:
    """Tells a stage that was folded anew, and since when."""
    stage, since = found
    workspace.said.append(
        StageCorrected(
            meta=cause.meta(StageCorrected.wire_name, person_id, rulebook=workspace.process.label),
            **about(workspace, person_id),
            occurred_at=since,
            stage=stage,
            previous=workspace.stage_of(person_id),
            receipt=receipt,
        )
    )


def say_clock(
    workspace: LifecycleWorkspace,
    kind: type[SlaStarted | SlaReminded | SlaBreached | SlaKept],
    person_id: str,
    cause: Cause,
    clock: Clock,
) -> None:
    """Tells what became of a clock."""
    kept = {"was_breached": clock.breached_at is not None} if kind is SlaKept else {}
    workspace.said.append(
        kind(
            meta=cause.meta(kind.wire_name, clock.clock_id, rulebook=workspace.process.label),
            **about(workspace, person_id),
            occurred_at=cause.occurred_at,
            by=cause.by,
            clock=clock.name,
            stage=clock.stage,
            started_at=clock.started_at,
            due_at=clock.due_at,
            **kept,
        )
    )
