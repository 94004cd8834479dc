"""What a unit of work needs, in a constant number of statements, however many events there are; with the people and the
reps locked whom it is about.

People first, then reps, each in one order: so nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import or_, select

from chassis.context import Context
from chassis.store.batch import among, one_of, rows_by
from chassis.store.session import Session, lock, try_lock
from contracts.events.lifecycle import StageEntered
from people_kernel.store.people import load_placements
from people_kernel.workspace import Pages
from services.routing.domain.assignment import Rep, RoutingRules
from services.routing.domain.referrals import team_of
from services.routing.domain.workspace import LIVE, WAITING, RoutingWorkspace, State
from services.routing.store.queries import owners_of
from services.routing.store.rows import offer_of, referral_of, rep_of
from services.routing.store.tables import CREDIT, FRAGMENT, LOAD, OFFER, REFERRAL, REP


@dataclass(frozen=True)
class ReferralScope:
    """What a transaction is about.

    `stages` and `account_ids` are of people who entered a stage, and may be referred anew.
    """

    fragment_ids: Collection[str] = ()
    person_ids: Collection[str] = ()
    account_ids: Collection[str] = ()
    stages: Collection[str] = ()


@dataclass(frozen=True)
class RepClaim:
    """Who may be asked: everybody of these teams, and these reps."""

    teams: Collection[str] = ()
    rep_ids: Collection[str] = ()


_CONCERNED = select(REFERRAL).where(
    or_(among(REFERRAL.c.fragment_id, "fragment_ids"), among(REFERRAL.c.person_id, "person_ids"))
)


async def for_people(
    context: Context, rules: RoutingRules, scope: ReferralScope, entered: Sequence[StageEntered] = ()
) -> RoutingWorkspace:
    """All that is about these people; `entered` may bring new referrals about.

    Waits for who else decides about them.
    """
    session = context.session
    named = {*scope.fragment_ids, *scope.person_ids}
    await lock(session, named)
    workspace = await _all_about(context, rules, scope)
    owners = {placement.person_id for placement in workspace.placements.values()} - named
    if owners and await lock(session, owners):  # a fragment may have gone over to others before the lock was had
        workspace = await _all_about(context, rules, scope)
    await _claim_reps(session, workspace, RepClaim(_teams_of(workspace, entered)))
    return workspace


async def for_referrals(
    context: Context, rules: RoutingRules, referral_ids: Collection[str], rep_ids: Collection[str] = ()
) -> RoutingWorkspace:
    """These referrals, and all others of the same people; `rep_ids` may be asked whatever their team."""
    session, locked = context.session, set[str]()
    while wanted := await people_of(session, referral_ids) - locked:  # again: a merge may have come between
        await lock(session, wanted)
        locked |= wanted
    workspace = await _all_about(context, rules, ReferralScope(person_ids=locked))
    await _claim_reps(session, workspace, RepClaim(_teams_in(workspace), rep_ids))
    return workspace


async def at_once(context: Context, rules: RoutingRules, referral_ids: Collection[str]) -> RoutingWorkspace | None:
    """The same without waiting, for whoever holds timers: who is at work on these may want to set them, and would wait
    for us. None: not now.
    """
    people = await people_of(context.session, referral_ids)
    if not await try_lock(context.session, people) or await people_of(context.session, referral_ids) != people:
        return None
    workspace = await _all_about(context, rules, ReferralScope(person_ids=people))
    return (
        workspace
        if await _claim_reps(context.session, workspace, RepClaim(_teams_in(workspace)), is_patient=False)
        else None
    )


async def _all_about(context: Context, rules: RoutingRules, scope: ReferralScope) -> RoutingWorkspace:
    """Lock the people first; before anybody is asked, `_claim_reps`."""
    session = context.session
    placements = await load_placements(session, FRAGMENT, scope.fragment_ids)
    people = {*scope.person_ids, *(placement.person_id for placement in placements.values())}
    rows = await session.execute(_CONCERNED, {"fragment_ids": scope.fragment_ids, "person_ids": people})
    referrals = {row.referral_id: referral_of(row) for row in rows}
    workspace = RoutingWorkspace(rules=rules, now=context.now, placements=Pages(placements), referrals=Pages(referrals))
    if not referrals and not any(stage in rules.stages.refer for stage in scope.stages):
        return workspace  # most of what is heard is about people whom nobody was asked about
    workspace.reps = await load_reps(session)
    accounts = {*scope.account_ids, *(referral.account_id for referral in referrals.values() if referral.account_id)}
    workspace.owners = await owners_of(session, accounts)
    offers = await session.execute(rows_by(OFFER.c.referral_id), {"keys": list(referrals)})
    workspace.offers.load({(row.referral_id, row.attempt): offer_of(row) for row in offers})
    return workspace


def _teams_of(workspace: RoutingWorkspace, entered: Sequence[StageEntered]) -> set[str]:
    """The teams of reps who may be asked: about new referrals, and about those that nobody has answered."""
    refer = workspace.rules.stages.refer
    return {team_of(workspace, event) for event in entered if event.stage in refer} | _teams_in(workspace, WAITING)


def _teams_in(workspace: RoutingWorkspace, states: frozenset[State] = LIVE) -> set[str]:
    return {referral.ground.asking.team for referral in workspace.referrals.values() if referral.state in states}


async def _claim_reps(
    session: Session, workspace: RoutingWorkspace, claim: RepClaim, *, is_patient: bool = True
) -> bool:
    """Locks, in one order, what says how much each rep has to do, of all who have one of these referrals or may be
    asked about one, and reads it with the turns of their teams. Once a transaction. False if somebody else had one
    of them and `is_patient` is not set: then nothing is locked on.
    """
    concerned = _concerned(workspace, claim)
    if not concerned:
        return True
    locking = (
        select(LOAD)
        .where(one_of(LOAD.c.rep_id, concerned))
        .order_by(LOAD.c.rep_id)
        .with_for_update(skip_locked=not is_patient)
    )
    workspace.load = {row.rep_id: row.number for row in await session.execute(locking)}
    fresh = await load_reps(session)  # they may have changed before the lock was had
    if not is_patient and concerned & fresh.keys() - workspace.load.keys():
        return False
    # who has joined a team meanwhile has their turn the next time
    workspace.reps = {
        key: rep
        for key, rep in fresh.items()
        if key in concerned or not any(rep.belongs_to(team) for team in claim.teams)
    }
    turns = await session.execute(select(CREDIT).where(CREDIT.c.team.in_(claim.teams))) if claim.teams else ()
    workspace.credits.load({(row.team, row.rep_id): Fraction(row.credit) for row in turns})
    return True


def _concerned(workspace: RoutingWorkspace, claim: RepClaim) -> set[str]:
    """Those who have a referral of these people, or had: a split may give it back; and those who may be asked."""
    referrals = workspace.referrals.values()
    had = {rep_id for one in referrals for rep_id in (one.rep_id, one.accepted_rep_id) if rep_id is not None}
    members = {rep.rep_id for rep in workspace.reps.values() if any(rep.belongs_to(team) for team in claim.teams)}
    owners = set(workspace.owners.values()) if claim.teams else set()
    return had | members | owners | set(claim.rep_ids)


async def people_of(session: Session, referral_ids: Collection[str]) -> set[str]:
    """Whom these referrals are about."""
    rows = await session.execute(rows_by(REFERRAL.c.referral_id, REFERRAL.c.person_id), {"keys": referral_ids})
    return {row.person_id for row in rows}


async def load_reps(session: Session) -> dict[str, Rep]:
    """All of them."""
    return {row.rep_id: rep_of(row) for row in await session.execute(select(REP).order_by(REP.c.rep_id))}


async def find_rep(session: Session, rep_id: str) -> Rep | None:
    row = (await session.execute(select(REP).where(REP.c.rep_id == rep_id))).first()
    return None if row is None else rep_of(row)


async def find_by_external_id(session: Session, external_id: str) -> Rep | None:
    row = (await session.execute(select(REP).where(REP.c.external_id == external_id))).first()
    return None if row is None else rep_of(row)


async def waiting(session: Session, after: str | None, limit: int) -> list[str]:
    """Referrals that nobody is asked about, in the order of their ids, which is that of time."""
    statement = (
        select(REFERRAL.c.referral_id)
        .where(REFERRAL.c.state == State.UNASSIGNED.value)
        .order_by(REFERRAL.c.referral_id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(REFERRAL.c.referral_id > after)
    return [row.referral_id for row in await session.execute(statement)]


async def asked_of(session: Session, rep_id: str) -> list[str]:
    """Referrals that this rep is asked about now."""
    asked = REFERRAL.c.state.in_([State.OFFERED.value, State.SEEN.value])
    rows = await session.execute(
        select(REFERRAL.c.referral_id).where(REFERRAL.c.rep_id == rep_id, asked).order_by(REFERRAL.c.referral_id)
    )
    return [row.referral_id for row in rows]
