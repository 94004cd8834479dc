"""The events that tell what was decided. Ids derive from what brought them about."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.events.lifecycle import SlaBreached, SlaKept, SlaReminded, SlaStarted, StageCorrected, StageEntered
from contracts.ids import with_prefix
from contracts.values import Receipt
from people_kernel.cause import Cause
from services.lifecycle.domain.workspace import Clock, LifecycleWorkspace, Move


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
    """Tells a move with everything it was decided on; answers its place, because the
    clock that starts with it is not known yet.
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
