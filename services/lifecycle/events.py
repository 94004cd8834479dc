"""What lifecycle hears, and the timers it set itself: load, decide, write, hand over."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.context import Context
from chassis.store.timers import Timer
from chassis.subscriptions import on_any, on_timer
from people_kernel.workspace import Cause, fell_due
from services.lifecycle.domain.incoming_events import (
    INCOMING_EVENTS,
    IncomingEvent,
    apply_event,
    people_at_risk,
    people_of,
    placements_told_by,
)
from services.lifecycle.domain.sales import WAKE, wake
from services.lifecycle.domain.transitions import BREACH, REMIND, breach, remind
from services.lifecycle.domain.workspace import LifecycleWorkspace
from services.lifecycle.rulebooks import process_of
from services.lifecycle.store import load, write


async def on_people_told(events: Sequence[IncomingEvent], context: Context) -> None:
    """Something became known of people, or of who they are."""
    fragment_ids = {fragment_id for event in events for fragment_id in placements_told_by(event)}
    person_ids = {person_id for event in events for person_id in people_of(event)}
    person_ids |= {placement.person_id for event in events for placement in placements_told_by(event).values()}
    process = await process_of(context)
    workspace = await load.workspace(
        context.session, process, fragment_ids, person_ids, lambda known: people_at_risk(events, known)
    )
    for event in events:
        apply_event(workspace, event)
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


async def on_reminders_due(timers: Sequence[Timer], context: Context) -> None:
    """Time is nearly up."""
    workspace = await _workspace_of_clocks(timers, context)
    for timer in timers:
        remind(workspace, timer.key, _cause(timer, context))
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


async def on_breaches_due(timers: Sequence[Timer], context: Context) -> None:
    """Time is up."""
    workspace = await _workspace_of_clocks(timers, context)
    for timer in timers:
        breach(workspace, timer.key, _cause(timer, context))
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


async def on_wakes_due(timers: Sequence[Timer], context: Context) -> None:
    """The moment came that somebody set when they sent a person back."""
    fragment_ids = {timer.payload["fragment_id"] for timer in timers}
    workspace = await load.workspace(context.session, await process_of(context), fragment_ids)
    for timer in timers:
        wake(workspace, timer.key, timer.payload["fragment_id"], _cause(timer, context))
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


async def _workspace_of_clocks(timers: Sequence[Timer], context: Context) -> LifecycleWorkspace:
    homes = await load.homes_of_clocks(context.session, {timer.key for timer in timers})
    return await load.workspace(context.session, await process_of(context), homes)


def _cause(timer: Timer, context: Context) -> Cause:
    return fell_due(timer.kind, timer.key, timer.due_at, context.now)


SUBSCRIPTIONS = [on_any(INCOMING_EVENTS, on_people_told)]
TIMERS = [on_timer(REMIND, on_reminders_due), on_timer(BREACH, on_breaches_due), on_timer(WAKE, on_wakes_due)]
