"""What routing does when it hears something: load, decide, save, say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chassis.context import Context
from contracts.events.identity import PersonMerged, PersonSplit
from contracts.events.lifecycle import StageEntered
from people_kernel.placements import placements_of
from people_kernel.profile import text_of
from services.routing.domain.cause import heard
from services.routing.domain.hearing import LifecycleSaid, hear
from services.routing.domain.regrouping import regroup
from services.routing.handlers.desks import closed, opened
from services.routing.store.desks import Wanted


async def on_lifecycle_told(events: Sequence[LifecycleSaid], context: Context) -> None:
    fragments, people = {event.fragment_id for event in events}, {event.person_id for event in events}
    entered = [event for event in events if isinstance(event, StageEntered)]
    desk = await opened(context, Wanted(fragments, people, _accounts(entered), {event.stage for event in entered}), entered)
    for event in events:
        hear(desk, event, heard(event, context.now, event.occurred_at))
    await closed(context, desk)


async def on_people_regrouped(events: Sequence[PersonMerged | PersonSplit], context: Context) -> None:
    told = [placements_of(event) for event in events]
    fragments = {fragment_id for placements in told for fragment_id in placements}
    people = {placement.person_id for placements in told for placement in placements.values()}
    desk = await opened(context, Wanted(fragments, people))
    for event in events:
        regroup(desk, event, heard(event, context.now))
    await closed(context, desk)


def _accounts(events: Iterable[StageEntered]) -> set[str]:
    named = {event.account_id or text_of(event.attributes, "account_id") for event in events}
    return {account_id for account_id in named if account_id is not None}
