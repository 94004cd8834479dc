"""What routing hears, and the timers it set itself: load, decide, write, hand over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from chassis.context import Context
from chassis.store.timers import Timer
from chassis.subscriptions import on_any, on_timer
from contracts.events.identity import AccountMerged, AccountSplit, PersonMerged, PersonSplit
from contracts.events.lifecycle import SlaBreached, SlaReminded, StageCorrected, StageEntered
from people_kernel.people import placements_of
from people_kernel.profile import text_of
from people_kernel.workspace import Cause, fell_due, heard
from services.routing.domain.referrals import LifecycleEvent, apply_event, ask_next, expire, next_choice, regroup
from services.routing.domain.workspace import (
    ASKED,
    EVERYBODY,
    OFFER_EXPIRED,
    REFERRALS_WAITING,
    RoutingWorkspace,
    State,
)
from services.routing.rulebooks import rules_of
from services.routing.store import load, queries, write
from services.routing.store.load import ReferralScope

_PAGE = 100  # a transaction; the rest comes with the next one
_AGAIN = timedelta(milliseconds=100)


async def on_lifecycle_told(events: Sequence[LifecycleEvent], context: Context) -> None:
    """Somebody entered a stage, or a clock of theirs reminds or ran out."""
    fragments, people = {event.fragment_id for event in events}, {event.person_id for event in events}
    entered = [event for event in events if isinstance(event, StageEntered)]
    scope = ReferralScope(fragments, people, _accounts(entered), {event.stage for event in entered})
    workspace = await load.for_people(context, await rules_of(context), scope, entered)
    for event in events:
        apply_event(workspace, event, heard(event, event.occurred_at, at=context.now))
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


async def on_people_regrouped(events: Sequence[PersonMerged | PersonSplit], context: Context) -> None:
    """People turned out to be one, or several."""
    told = [placements_of(event) for event in events]
    fragments = {fragment_id for placements in told for fragment_id in placements}
    people = {placement.person_id for placements in told for placement in placements.values()}
    workspace = await load.for_people(context, await rules_of(context), ReferralScope(fragments, people))
    for event in events:
        regroup(workspace, event, heard(event, at=context.now))
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


async def on_accounts_regrouped(events: Sequence[AccountMerged | AccountSplit], context: Context) -> None:
    """Accounts turned out to be one company, or several: their people may wait for another owner."""
    parts = [part for event in events for part in ((event.whole,) if isinstance(event, AccountMerged) else event.parts)]
    await write.aliases(context.session, parts)
    if await queries.owners_of(context.session, {part.account_id for part in parts}):
        context.set_timer(REFERRALS_WAITING, EVERYBODY, context.now)


async def on_offers_expired(timers: Sequence[Timer], context: Context) -> None:
    """Time is up for reps who were asked."""
    workspace = await load.at_once(context, await rules_of(context), [timer.key for timer in timers])
    if workspace is None:
        _put_off(timers, context)
        return
    for timer in timers:
        _expire(workspace, timer, context)
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)


async def on_referrals_waiting(timers: Sequence[Timer], context: Context) -> None:
    """There may be somebody for those whom nobody is asked about."""
    timer = timers[-1]
    referral_ids = await load.waiting(context.session, timer.payload.get("after"), _PAGE)
    workspace = await load.at_once(context, await rules_of(context), referral_ids)
    if workspace is None:
        _put_off(timers, context)
        return
    for referral_id in referral_ids:
        _ask_again(workspace, referral_id, timer, context)
    await write.workspace(context.session, workspace)
    workspace.hand_over(context)
    if len(referral_ids) == _PAGE:
        context.set_timer(REFERRALS_WAITING, EVERYBODY, context.now, {"after": referral_ids[-1]})


def _accounts(events: Iterable[StageEntered]) -> set[str]:
    named = {event.account_id or text_of(event.attributes, "account_id") for event in events}
    return {account_id for account_id in named if account_id is not None}


def _expire(workspace: RoutingWorkspace, timer: Timer, context: Context) -> None:
    """The offer is over, if it is still the one that the timer was set for."""
    referral = workspace.referrals.get(timer.key)
    if referral is None or referral.state not in ASKED:
        return
    rep = workspace.reps.get(referral.rep_id or "")
    if referral.due_at is not None and referral.due_at <= timer.due_at:
        expire(workspace, referral, _due(OFFER_EXPIRED, timer.key, referral.due_at, context))
    elif rep is not None and not rep.is_active:  # they were asked at the moment in which they left
        expire(
            workspace, referral, _due(OFFER_EXPIRED, timer.key, timer.due_at, context), f"{rep.name} is inactive now"
        )


def _ask_again(workspace: RoutingWorkspace, referral_id: str, timer: Timer, context: Context) -> None:
    """Asks a rep about a referral that nobody is asked about, if there is one now."""
    referral = workspace.referrals[referral_id]
    choice = next_choice(workspace, referral) if referral.state is State.UNASSIGNED else None
    if choice is not None and choice.rep is not None:
        ask_next(workspace, referral, _due(REFERRALS_WAITING, referral_id, timer.due_at, context), choice)


def _due(kind: str, key: str, due_at: datetime, context: Context) -> Cause:
    """A timer as a cause; what follows from it names it."""
    cause = fell_due(kind, key, due_at, context.now)
    return cause._replace(causation_id=cause.cause_id)


def _put_off(timers: Sequence[Timer], context: Context) -> None:
    """Somebody is at work on these. Waiting for them with timers in hand could be waiting for each other."""
    for timer in timers:
        context.set_timer(timer.kind, timer.key, context.now + _AGAIN, dict(timer.payload))


SUBSCRIPTIONS = [
    on_any((StageEntered, StageCorrected, SlaReminded, SlaBreached), on_lifecycle_told),
    on_any((PersonMerged, PersonSplit), on_people_regrouped),
    on_any((AccountMerged, AccountSplit), on_accounts_regrouped),
]
TIMERS = [on_timer(OFFER_EXPIRED, on_offers_expired), on_timer(REFERRALS_WAITING, on_referrals_waiting)]
