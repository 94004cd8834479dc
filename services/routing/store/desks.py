"""Opening and closing a desk: a constant number of statements, however many events there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import or_, select
from sqlalchemy.dialects import postgresql, sqlite

from chassis.store.batch import upsert
from chassis.store.membership import among, one_of, rows_by
from chassis.store.session import Session
from people_kernel.store.placements import load_placements, save_placements
from people_kernel.store.receipts import save_receipts
from services.routing.domain.desk import Desk
from services.routing.domain.rules import RoutingRules
from services.routing.store.encoding import offer_of, offer_row, referral_of, referral_row
from services.routing.store.reps import load_reps
from services.routing.store.tables import ACCOUNT_OWNER, CREDIT, FRAGMENT, LOAD, OFFER, RECEIPT, REFERRAL


@dataclass(frozen=True)
class Wanted:
    """What a transaction is about. `stages` and `account_ids` are of people who entered a stage, and may be referred anew."""

    fragment_ids: Collection[str] = ()
    person_ids: Collection[str] = ()
    account_ids: Collection[str] = ()
    stages: Collection[str] = ()


@dataclass(frozen=True)
class Claim:
    """Who may be asked: everybody of these teams, and these reps."""

    teams: Collection[str] = ()
    rep_ids: Collection[str] = ()


_CONCERNED = select(REFERRAL).where(or_(among(REFERRAL.c.fragment_id, "fragment_ids"), among(REFERRAL.c.person_id, "person_ids")))


async def open_desk(session: Session, rules: RoutingRules, wanted: Wanted) -> Desk:
    """All that is about these people. Lock them first; before anybody is asked, `claim_reps`."""
    placements = await load_placements(session, FRAGMENT, wanted.fragment_ids)
    people = {*wanted.person_ids, *(placement.person_id for placement in placements.values())}
    rows = await session.execute(_CONCERNED, {"fragment_ids": wanted.fragment_ids, "person_ids": people})
    referrals = {row.referral_id: referral_of(row) for row in rows}
    desk = Desk(rules, {}, placements=placements, referrals=referrals)
    if not referrals and not any(stage in rules.stages.refer for stage in wanted.stages):
        return desk.opened()  # most of what is heard is about people whom nobody was asked about
    desk.reps = await load_reps(session)
    accounts = {*wanted.account_ids, *(referral.account_id for referral in referrals.values() if referral.account_id)}
    owned = await session.execute(rows_by(ACCOUNT_OWNER.c.account_id), {"keys": accounts})
    desk.owners = {row.account_id: row.rep_id for row in owned if row.rep_id is not None}
    offers = await session.execute(rows_by(OFFER.c.referral_id), {"keys": list(referrals)})
    desk.offers = {(row.referral_id, row.attempt): offer_of(row) for row in offers}
    return desk.opened()


async def claim_reps(session: Session, desk: Desk, wanted: Claim, *, is_patient: bool = True) -> bool:
    """Locks, in one order, what says how much each rep has to do, of all who have one of these referrals or may be asked about one, and reads it with
    the turns of their teams. Once a transaction. False if somebody else had one of them and `is_patient` is not set: then nothing is locked on.
    """
    concerned = _concerned(desk, wanted)
    if not concerned:
        return True
    locking = select(LOAD).where(one_of(LOAD.c.rep_id, concerned)).order_by(LOAD.c.rep_id).with_for_update(skip_locked=not is_patient)
    desk.load = {row.rep_id: row.number for row in await session.execute(locking)}
    fresh = await load_reps(session)  # they may have changed before the lock was had
    if not is_patient and concerned & fresh.keys() - desk.load.keys():
        return False
    # who has joined a team meanwhile has their turn the next time
    desk.reps = {key: rep for key, rep in fresh.items() if key in concerned or not any(rep.belongs_to(team) for team in wanted.teams)}
    turns = await session.execute(select(CREDIT).where(CREDIT.c.team.in_(wanted.teams))) if wanted.teams else ()
    desk.credits = {(row.team, row.rep_id): Fraction(row.credit) for row in turns}
    desk.opened()
    return True


def _concerned(desk: Desk, wanted: Claim) -> set[str]:
    """Those who have a referral of these people, or had: a split may give it back; and those who may be asked."""
    referrals = desk.referrals.values()
    had = {rep_id for one in referrals for rep_id in (one.rep_id, one.accepted_rep_id) if rep_id is not None}
    members = {rep.rep_id for rep in desk.reps.values() if any(rep.belongs_to(team) for team in wanted.teams)}
    owners = set(desk.owners.values()) if wanted.teams else set()
    return had | members | owners | set(wanted.rep_ids)


async def close_desk(session: Session, desk: Desk) -> None:
    """Writes what changed."""
    await save_placements(session, FRAGMENT, desk.changed_placements)
    await upsert(session, REFERRAL, [referral_row(referral) for referral in desk.changed_referrals])
    await upsert(session, OFFER, [offer_row(offer) for offer in desk.changed_offers])
    credits_now = [{"team": team, "rep_id": rep_id, "credit": str(credit)} for (team, rep_id), credit in desk.changed_credits.items()]
    await upsert(session, CREDIT, credits_now)
    await _move_loads(session, desk.load_moves)
    await save_receipts(session, RECEIPT, desk.receipts)


async def people_of(session: Session, referral_ids: Collection[str]) -> set[str]:
    """Whom these referrals are about."""
    rows = await session.execute(rows_by(REFERRAL.c.referral_id, REFERRAL.c.person_id), {"keys": referral_ids})
    return {row.person_id for row in rows}


async def _move_loads(session: Session, moves: Mapping[str, int]) -> None:
    rows = [{"rep_id": rep_id, "number": by} for rep_id, by in sorted(moves.items()) if by]
    if rows:
        dialect = postgresql if session.dialect == "postgresql" else sqlite
        statement = dialect.insert(LOAD)
        changed = {"number": LOAD.c.number + statement.excluded.number}
        await session.execute(statement.on_conflict_do_update(index_elements=[LOAD.c.rep_id], set_=changed), rows)
