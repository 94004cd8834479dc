"""What scoring hears, and what it does then: load, decide, write, hand over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

from chassis.context import Context
from chassis.store.timers import Timer
from chassis.subscriptions import on, on_any, on_timer
from contracts.events.identity import (
    AccountChanged,
    AccountMerged,
    AccountSplit,
    InteractionRecognized,
    PersonMarked,
    PersonMerged,
    PersonSplit,
)
from services.scoring.domain.accounts import AccountTold, cause_of, cause_told, ids_in
from services.scoring.domain.claims import TraitFact, trait_facts
from services.scoring.domain.company_news import judge_anew
from services.scoring.domain.incoming_events import mark, record, regroup
from services.scoring.domain.receipts import Judges
from services.scoring.domain.workspace import ACCOUNT_CHANGED, FADED
from services.scoring.rulebooks import judges_of
from services.scoring.store import load, queries, write

_TURN_SECONDS = 0.01
"""So long events are decided before others get their turn; one at its dearest (full of traits, all rules asked) takes
some 5 ms."""

Item = TypeVar("Item")


async def on_interactions_recognized(events: Sequence[InteractionRecognized], context: Context) -> None:
    judges = await judges_of(context)
    claimed = await _claimed(events, judges)
    fresh = await write.claim_facts(context.session, events, judges.active.version, claimed)
    workspace = await load.for_facts(context.session, judges, fresh, claimed)
    async for event in _in_turns(fresh):
        record(workspace, event, claimed.get(event.interaction.interaction_id))
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


async def on_people_regrouped(events: Sequence[PersonMerged | PersonSplit], context: Context) -> None:
    workspace = await load.for_regrouping(context.session, await judges_of(context), events)
    async for event in _in_turns(events):
        regroup(workspace, event)
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


async def on_people_marked(events: Sequence[PersonMarked], context: Context) -> None:
    workspace = await load.for_regrouping(context.session, await judges_of(context), events)
    for event in events:
        mark(workspace, event)
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


async def on_accounts_told(events: Sequence[AccountTold], context: Context) -> None:
    known = await queries.accounts(context.session, ids_in(events))
    news = {account_id: event for event in events for account_id in known.hear(event)}
    await write.accounts(context.session, known)
    peopled = await queries.peopled(context.session, known.keys()) if news else set()
    for account_id in dict.fromkeys(known[one].current_id for one in sorted(peopled)):
        if account_id in news:
            context.set_timer(ACCOUNT_CHANGED, account_id, context.now, cause_told(news[account_id]))


async def on_accounts_changed(timers: Sequence[Timer], context: Context) -> None:
    judges = await judges_of(context)
    for timer in timers:
        account_id, after = timer.key.partition(" ")[0], timer.payload.get("after", "")
        workspace = await load.for_account(context.session, judges, account_id, after)
        people = sorted(workspace.people)
        async for person_id in _in_turns(people):
            judge_anew(workspace, person_id, *cause_of(timer.payload))
        await write.workspace(context.session, workspace)
        workspace.hand_over(context)
        if len(people) == load.PEOPLE_AT_ONCE:  # a key of its own: the account may change again meanwhile
            rest = {**timer.payload, "after": people[-1]}
            context.set_timer(ACCOUNT_CHANGED, f"{account_id} {people[-1]}", context.now, rest)


async def on_scores_faded(timers: Sequence[Timer], context: Context) -> None:
    person_ids = sorted({timer.key for timer in timers})
    workspace = await load.for_fades(context.session, await judges_of(context), person_ids)
    async for timer in _in_turns(timers):
        workspace.fade(timer.key, timer.due_at)
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


async def _claimed(events: Sequence[InteractionRecognized], judges: Judges) -> dict[str, TraitFact]:
    claimed: dict[str, TraitFact] = {}
    async for event in _in_turns(events):
        claimed |= trait_facts([event], judges.active.version)
    return claimed


async def _in_turns(items: Sequence[Item]) -> AsyncIterator[Item]:
    """The items, with a turn for others now and then: health, requests and the keeping alive of deliveries do not wait
    for a batch.
    """
    began = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - began > _TURN_SECONDS:
            await asyncio.sleep(0)
            began = time.perf_counter()


SUBSCRIPTIONS = [
    on(InteractionRecognized, on_interactions_recognized),
    on_any((PersonMerged, PersonSplit), on_people_regrouped),
    on(PersonMarked, on_people_marked),
    on_any((AccountChanged, AccountMerged, AccountSplit), on_accounts_told),
]
TIMERS = [on_timer(FADED, on_scores_faded), on_timer(ACCOUNT_CHANGED, on_accounts_changed)]
