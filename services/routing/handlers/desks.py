"""A desk for one transaction: opened with the people and the reps locked whom it is about, closed with everything that was decided at it.

People first, then reps, each in one order: so nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chassis.context import Context
from contracts.events.lifecycle import StageEntered
from people_kernel.store.locks import lock, try_lock
from services.routing.domain.desk import Desk
from services.routing.domain.referral import LIVE, State
from services.routing.domain.referral import WAITING as UNANSWERED
from services.routing.domain.referring import team_of
from services.routing.handlers.rulebooks import rules_of
from services.routing.store.desks import Claim, Wanted, claim_reps, close_desk, open_desk, people_of

EXPIRED = "offer-expired"
"""One clock per referral: its offer runs out."""
WAITING = "referrals-waiting"
"""One clock for all: those whom nobody is asked about may have somebody to be asked now."""
EVERYBODY = "all"


async def opened(context: Context, wanted: Wanted, entered: Sequence[StageEntered] = ()) -> Desk:
    """The desk for what was heard about these people; `entered` may bring new referrals about."""
    session, rules = context.session, await rules_of(context)
    named = {*wanted.fragment_ids, *wanted.person_ids}
    await lock(session, named)
    desk = await open_desk(session, rules, wanted)
    owners = {placement.person_id for placement in desk.placements.values()} - named
    if owners and await lock(session, owners):  # a fragment may have gone over to others before the lock was had
        desk = await open_desk(session, rules, wanted)
    await claim_reps(session, desk, Claim(_teams_of(desk, entered)))
    return desk


async def opened_for(context: Context, referral_ids: Collection[str], rep_ids: Collection[str] = ()) -> Desk:
    """The desk with these referrals, and all others of the same people; `rep_ids` may be asked whatever their team."""
    session, locked = context.session, set[str]()
    while wanted := await people_of(session, referral_ids) - locked:  # again: a merge may have come between
        await lock(session, wanted)
        locked |= wanted
    desk = await open_desk(session, await rules_of(context), Wanted(person_ids=locked))
    await claim_reps(session, desk, Claim(_teams_in(desk), rep_ids))
    return desk


async def opened_at_once(context: Context, referral_ids: Collection[str]) -> Desk | None:
    """The same without waiting, for whoever holds timers: who is at work on these may want to set them, and would wait for us. None: not now."""
    people = await people_of(context.session, referral_ids)
    if not await try_lock(context.session, people) or await people_of(context.session, referral_ids) != people:
        return None
    desk = await open_desk(context.session, await rules_of(context), Wanted(person_ids=people))
    return desk if await claim_reps(context.session, desk, Claim(_teams_in(desk)), is_patient=False) else None


def _teams_of(desk: Desk, entered: Sequence[StageEntered]) -> set[str]:
    """The teams of reps who may be asked: about new referrals, and about those that nobody has answered."""
    refer = desk.rules.stages.refer
    return {team_of(desk, event) for event in entered if event.stage in refer} | _teams_in(desk, UNANSWERED)


def _teams_in(desk: Desk, states: frozenset[State] = LIVE) -> set[str]:
    return {referral.ground.asking.team for referral in desk.referrals.values() if referral.state in states}


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
