"""A desk for one transaction: opened with the lock in hand, closed with everything that was decided at it."""

from __future__ import annotations

from chassis.context import Context
from services.routing.domain.desk import Desk
from services.routing.handlers.rulebooks import rules_of
from services.routing.store.desks import Wanted, close_desk, lock_desk, open_desk, people_of

EXPIRED = "offer-expired"
"""One clock per referral: its offer runs out."""
WAITING = "referrals-waiting"
"""One clock for all: those whom nobody is asked about may have somebody to be asked now."""
EVERYBODY = "all"


async def opened(context: Context, wanted: Wanted) -> Desk:
    await lock_desk(context.session)
    return await open_desk(context.session, await rules_of(context), wanted)


async def opened_for(context: Context, *referral_ids: str) -> Desk:
    """The desk with these referrals, and all others of the same people. Take the lock first."""
    people = await people_of(context.session, referral_ids)
    return await open_desk(context.session, await rules_of(context), Wanted(person_ids=people))


async def closed(context: Context, desk: Desk) -> None:
    await close_desk(context.session, desk)
    for referral_id, due_at in desk.alarms.items():
        if due_at is None:
            context.cancel_timer(EXPIRED, referral_id)
        else:
            context.set_timer(EXPIRED, referral_id, due_at)
    if desk.has_room_again:
        context.set_timer(WAITING, EVERYBODY, context.now)
    context.say(*desk.said)
