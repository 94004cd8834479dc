"""What routing does when time is up, and when there may be somebody for those who wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from chassis.context import Context
from chassis.store.timers import Timer
from services.routing.domain.cause import fell_due
from services.routing.domain.referral import ASKED, State
from services.routing.domain.referring import expire, next_choice, place
from services.routing.handlers.desks import EVERYBODY, EXPIRED, WAITING, closed, opened_at_once
from services.routing.store.reading import waiting

_PAGE = 100  # a transaction; the rest comes with the next one
_AGAIN = timedelta(milliseconds=100)


async def on_offers_expired(timers: Sequence[Timer], context: Context) -> None:
    desk = await opened_at_once(context, [timer.key for timer in timers])
    if desk is None:
        _put_off(timers, context)
        return
    for timer in timers:
        referral = desk.referrals.get(timer.key)
        if referral is None or referral.state not in ASKED:
            continue
        rep = desk.reps.get(referral.rep_id or "")
        if referral.due_at is not None and referral.due_at <= timer.due_at:
            expire(desk, referral, fell_due(EXPIRED, timer.key, referral.due_at, context.now))
        elif rep is not None and not rep.is_active:  # they were asked at the moment in which they left
            expire(desk, referral, fell_due(EXPIRED, timer.key, timer.due_at, context.now), f"{rep.name} is inactive now")
    await closed(context, desk)


async def on_referrals_waiting(timers: Sequence[Timer], context: Context) -> None:
    timer = timers[-1]
    referral_ids = await waiting(context.session, timer.payload.get("after"), _PAGE)
    desk = await opened_at_once(context, referral_ids)
    if desk is None:
        _put_off(timers, context)
        return
    for referral_id in referral_ids:
        referral = desk.referrals[referral_id]
        choice = next_choice(desk, referral) if referral.state is State.UNASSIGNED else None
        if choice is not None and choice.rep is not None:
            place(desk, referral, fell_due(WAITING, referral_id, timer.due_at, context.now), choice)
    await closed(context, desk)
    if len(referral_ids) == _PAGE:
        context.set_timer(WAITING, EVERYBODY, context.now, {"after": referral_ids[-1]})


def _put_off(timers: Sequence[Timer], context: Context) -> None:
    """Somebody is at work on these. Waiting for them with timers in hand could be waiting for each other."""
    for timer in timers:
        context.set_timer(timer.kind, timer.key, context.now + _AGAIN, dict(timer.payload))
