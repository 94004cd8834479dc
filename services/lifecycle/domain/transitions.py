"""Transitions from stage to stage: the rules are asked, and each step is a move of its own with its receipt, until they
have nothing more to say.

Entering a stage starts clocks and stops others. Clocks run from the moment of decision, never from when things
happened: what was imported late breaches nothing at once. After a merge two clocks of one name may run for one
person; only the more urgent one is spoken of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from contracts.events.lifecycle import SlaBreached, SlaKept, SlaReminded, SlaStarted
from contracts.ids import derive_id, with_prefix
from contracts.values import Receipt
from people_kernel.people import card_facts
from people_kernel.workspace import Cause
from rulebook.receipts import Decision, receipt
from services.lifecycle.domain.process import CREATED, NAME, SCORED, StageChoice, Trigger
from services.lifecycle.domain.workspace import (
    Clock,
    CurrentStage,
    LifecycleWorkspace,
    Move,
    days_between,
    move_id_of,
    say_clock,
    say_due,
    say_entered,
)

E4 = 10_000
MOVE = "stage.move"
FIRST_SEEN = "first_seen"
"""What stands for a rule where somebody begins."""
REMIND = "sla-remind"
BREACH = "sla-breach"
"""Kinds of timers; the key is that of the clock."""


def decide(workspace: LifecycleWorkspace, person_id: str, cause: Cause, trigger: Trigger) -> StageChoice | None:
    """Asks the rules why this person should move now, and goes on until they have nothing more to say.

    Answers what the trigger itself led to.

    Where a human chose the stage, no rule goes on from there: the choice would be worth nothing.
    """
    if workspace.process.started_by(workspace.process.first):
        arrive(workspace, person_id, cause)  # a clock runs for everybody
    visited = {workspace.stage_of(person_id)}
    chosen = step = _step(workspace, person_id, cause, trigger, visited)
    while step is not None and trigger.to is None:
        visited.add(step.to)
        step = _step(workspace, person_id, cause, Trigger(SCORED), visited)
    return chosen


def arrive(workspace: LifecycleWorkspace, person_id: str, cause: Cause) -> None:
    """Everybody begins in the first stage.

    It is written as a move when they move on, so that of a stranger nothing is written; it is not said.
    """
    current = workspace.current_stage(person_id)
    if current.stage is not None:
        return
    stage = workspace.process.first
    cause = cause._replace(occurred_at=min(current.seen_at or cause.occurred_at, cause.occurred_at), by=None)
    title = workspace.process.stages[stage].title
    first = Receipt(
        receipt_id=cause.receipt_id(MOVE, workspace.process.label, FIRST_SEEN),
        at=cause.at,
        owner=NAME,
        kind=MOVE,
        person_id=person_id,
        fragment_id=with_prefix("frg", person_id),
        cause_id=cause.cause_id,
        rule=FIRST_SEEN,
        rulebook=workspace.process.label,
        outcome=stage,
        sentence=f"Seen for the first time: {title}.",
    )
    _enter(workspace, person_id, cause, (stage, first), Trigger(CREATED))


def facts_of(workspace: LifecycleWorkspace, person_id: str, moment: datetime, trigger: Trigger) -> dict[str, Any]:
    """What the rules can know."""
    current = workspace.current_stage(person_id)
    since = current.seen_at if current.stage is None else current.since
    return {
        **card_facts(workspace.card(person_id)),
        "stage.name": workspace.stage_of(person_id),
        "stage.days": None if since is None else days_between(since, moment),
        "since.points": _points_since(workspace, person_id),
        **trigger.facts,
    }


def _points_since(workspace: LifecycleWorkspace, person_id: str) -> float:
    """Engagement earned since the stage was entered; where everybody begins that is all there is."""
    current, scores = workspace.current_stage(person_id), workspace.card(person_id).scores
    return float(scores.engagement) if current.stage is None and scores is not None else current.points_since() / E4


def _step(
    workspace: LifecycleWorkspace, person_id: str, cause: Cause, trigger: Trigger, visited: set[str]
) -> StageChoice | None:
    """One move, if a rule wants it and it does not lead back to where this cause has led already."""
    facts = facts_of(workspace, person_id, cause.occurred_at, trigger)
    choice = workspace.process.choose(workspace.stage_of(person_id), trigger.name, facts, trigger.to)
    if choice is None or choice.to in visited:
        return None
    arrive(workspace, person_id, cause)
    decision = Decision(NAME, MOVE, person_id, with_prefix("frg", person_id), cause.cause_id, cause.at)
    written = receipt(workspace.process.rulebook, choice.match, decision, rejected=choice.rejected)
    noted = written.model_copy(update={"inputs": {**written.inputs, **_told(trigger)}, "outcome": choice.to})
    _enter(workspace, person_id, cause, (choice.to, noted), trigger)
    return choice


def _told(trigger: Trigger) -> Mapping[str, Any]:
    return {**{name: value for name, value in trigger.facts.items() if value is not None}, **trigger.noted}


def _enter(
    workspace: LifecycleWorkspace, person_id: str, cause: Cause, entered: tuple[str, Receipt], trigger: Trigger
) -> None:
    """Writes a move, and what follows from it: the current stage, the clocks, the event."""
    stage, written = entered
    current = workspace.current_stage(person_id)
    occurred_at = max(cause.occurred_at, current.latest_at or cause.occurred_at)
    if occurred_at != cause.occurred_at:  # a history is told in one order; what really was claimed stays readable
        written = written.model_copy(update={"inputs": {**written.inputs, "claimed_at": cause.occurred_at.isoformat()}})
    move = _move(current, cause, (stage, written, occurred_at), trigger)
    workspace.stages[person_id] = _after(move, current, is_test=workspace.card(person_id).is_test)
    workspace.moves.setdefault(move.fragment_id, []).append(move)
    workspace.new_moves.append(move)
    workspace.receipts.append(written)
    place = None if move.previous is None else say_entered(workspace, person_id, cause, move, written)
    stop_clocks(workspace, person_id, cause, move)
    start_clocks(workspace, person_id, cause, move, place)


def _move(current: CurrentStage, cause: Cause, entered: tuple[str, Receipt, datetime], trigger: Trigger) -> Move:
    stage, written, occurred_at = entered
    home = with_prefix("frg", current.person_id)
    return Move(
        move_id=move_id_of(cause.at, cause.cause_id, current.person_id, stage),
        fragment_id=home,
        seq=current.homes.get(home, 0) + 1,
        covers=dict(current.homes),
        stage=stage,
        previous=current.stage,
        at=cause.at,
        occurred_at=occurred_at,
        rule=written.rule,
        rulebook=written.rulebook,
        receipt_id=written.receipt_id,
        by=cause.by,
        reason=trigger.reason,
    )


def _after(move: Move, before: CurrentStage, *, is_test: bool) -> CurrentStage:
    """Where the person stands once the move is made; what is earned is counted from here."""
    return replace(
        before,
        stage=move.stage,
        move_id=move.move_id,
        move_home=move.fragment_id,
        since=move.occurred_at,
        entered_at=move.at,
        latest_at=move.occurred_at,
        homes={**before.homes, move.fragment_id: move.seq},
        points_e4=0,
        points_of=move.move_id,
        is_test=is_test,
    )


def start_clocks(workspace: LifecycleWorkspace, person_id: str, cause: Cause, move: Move, place: int | None) -> None:
    """The clocks that begin with a stage.

    One that runs already goes on: entering the stage again gives nobody more time.

    `place` is that of the event that told the move, None if none did.
    """
    running = {clock.name for clock in workspace.clocks_of(person_id)}
    for rule in workspace.process.started_by(move.stage):
        if rule.name in running:
            continue
        due_at = cause.at + rule.runs
        clock = Clock(
            clock_id=derive_id("clk", cause.at, move.move_id, rule.name),
            fragment_id=move.fragment_id,
            name=rule.name,
            stage=move.stage,
            stops=rule.stops,
            started_at=cause.at,
            due_at=due_at,
            remind_at=None if rule.reminds_before is None else due_at - rule.reminds_before,
            is_test=workspace.card(person_id).is_test,
        )
        workspace.clocks[clock.clock_id] = clock
        workspace.set_timer(BREACH, clock.clock_id, due_at)
        if clock.remind_at is not None:
            workspace.set_timer(REMIND, clock.clock_id, clock.remind_at)
        say_clock(workspace, SlaStarted, person_id, cause, clock)
    due = [clock.due_at for clock in workspace.clocks_of(person_id) if clock.stage == move.stage]
    if due and place is not None:
        say_due(workspace, place, min(due))


def stop_clocks(workspace: LifecycleWorkspace, person_id: str, cause: Cause, move: Move) -> None:
    """The clocks for which entering this stage is what was waited for.

    Done in time is what happened in time, whenever it is heard of.
    """
    told: set[str] = set()
    for clock in workspace.clocks_of(person_id):
        if move.stage not in clock.stops:
            continue
        if clock.name not in told:
            told.add(clock.name)
            if clock.breached_at is None and move.occurred_at > clock.due_at:
                clock = _breached(workspace, person_id, cause._replace(occurred_at=clock.due_at, by=None), clock)
            say_clock(workspace, SlaKept, person_id, cause._replace(occurred_at=move.occurred_at), clock)
        workspace.clocks[clock.clock_id] = replace(clock, ended_at=cause.at)
        workspace.cancel_timer(BREACH, clock.clock_id)
        workspace.cancel_timer(REMIND, clock.clock_id)


def remind(workspace: LifecycleWorkspace, clock_id: str, cause: Cause) -> None:
    """Time is nearly up; said once, and not when it is up already."""
    clock = workspace.clocks.get(clock_id)
    person_id = None if clock is None else _waiting(workspace, clock)
    if clock is None or person_id is None or clock.is_reminded or cause.at >= clock.due_at:
        return
    workspace.clocks[clock_id] = replace(clock, is_reminded=True)
    if _is_most_urgent(workspace, person_id, clock):
        say_clock(workspace, SlaReminded, person_id, cause, clock)


def breach(workspace: LifecycleWorkspace, clock_id: str, cause: Cause) -> None:
    """Time is up and nothing happened. A clock whose person came further by a merge just ends."""
    clock = workspace.clocks.get(clock_id)
    if clock is None or clock.breached_at is not None or clock.ended_at is not None:
        return
    person_id = _waiting(workspace, clock)
    if person_id is None:
        workspace.clocks[clock_id] = replace(clock, ended_at=cause.at)
    elif _is_most_urgent(workspace, person_id, clock):
        _breached(workspace, person_id, cause, clock)
    else:
        workspace.clocks[clock_id] = replace(clock, breached_at=cause.at)


def _breached(workspace: LifecycleWorkspace, person_id: str, cause: Cause, clock: Clock) -> Clock:
    late = replace(clock, breached_at=cause.at)
    workspace.clocks[clock.clock_id] = late
    say_clock(workspace, SlaBreached, person_id, cause, late)
    return late


def _waiting(workspace: LifecycleWorkspace, clock: Clock) -> str | None:
    """Who the clock runs for, if it still does."""
    person_id = workspace.owner_of(clock.fragment_id)
    if clock.ended_at is not None:
        return None
    return None if workspace.stage_of(person_id) in clock.stops else person_id


def _is_most_urgent(workspace: LifecycleWorkspace, person_id: str, clock: Clock) -> bool:
    return (
        next((one.clock_id for one in workspace.clocks_of(person_id) if one.name == clock.name), None) == clock.clock_id
    )
