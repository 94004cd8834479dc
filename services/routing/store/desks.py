"""Opening and closing a desk: a constant number of statements, however many events there are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.store.batch import one_of, upsert
from deciding.store.people import load_placements, save_placements
from deciding.store.receipts import save_receipts
from services.routing.domain.desk import Desk
from services.routing.domain.rules import RoutingRules
from services.routing.store.encoding import offer_of, offer_row, referral_of, referral_row
from services.routing.store.reps import load_reps
from services.routing.store.tables import ACCOUNT_OWNER, CREDIT, FRAGMENT, OFFER, RECEIPT, REFERRAL

_LOCK = text("SELECT pg_advisory_xact_lock(7620011)")
_TRY = text("SELECT pg_try_advisory_xact_lock(7620011)")


@dataclass(frozen=True)
class Wanted:
    """What a transaction is about. `stages` and `account_ids` are of people who entered a stage, and may be referred anew."""

    fragment_ids: Collection[str] = ()
    person_ids: Collection[str] = ()
    account_ids: Collection[str] = ()
    stages: Collection[str] = ()


async def lock_desk(session: AsyncSession) -> None:
    """One transaction at a time decides about referrals and turns, until it ends: whose turn it is depends on all that went before. Needless on
    SQLite, which has one writer."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(_LOCK)


async def is_desk_free(session: AsyncSession) -> bool:
    """The lock without waiting, for whoever holds timers: who has the lock may want to set these, and would wait for us."""
    if session.get_bind().dialect.name == "postgresql":
        return bool(await session.scalar(_TRY))
    return True


async def open_desk(session: AsyncSession, rules: RoutingRules, wanted: Wanted) -> Desk:
    """Everything that deciding about these people may need. Take the lock first."""
    placements = await load_placements(session, FRAGMENT, wanted.fragment_ids)
    people = {*wanted.person_ids, *(placement.person_id for placement in placements.values())}
    concerned = or_(one_of(session, REFERRAL.c.fragment_id, wanted.fragment_ids), one_of(session, REFERRAL.c.person_id, people))
    referrals = {row.referral_id: referral_of(row) for row in await session.execute(select(REFERRAL).where(concerned))}
    desk = Desk(rules, {}, placements=placements, referrals=referrals)
    if not referrals and not any(stage in rules.stages.refer for stage in wanted.stages):
        return desk.opened()  # most of what is heard is about people whom nobody was asked about
    desk.reps = await load_reps(session)
    desk.load = {row.rep_id: row.number for row in await session.execute(_LOAD)}
    desk.credits = {(row.team, row.rep_id): Fraction(row.credit) for row in await session.execute(select(CREDIT))}
    accounts = {*wanted.account_ids, *(referral.account_id for referral in referrals.values() if referral.account_id)}
    owned = select(ACCOUNT_OWNER.c.account_id, ACCOUNT_OWNER.c.rep_id).where(one_of(session, ACCOUNT_OWNER.c.account_id, accounts))
    desk.owners = {row.account_id: row.rep_id for row in await session.execute(owned) if row.rep_id is not None}
    offers = await session.execute(select(OFFER).where(one_of(session, OFFER.c.referral_id, list(referrals))))
    desk.offers = {(row.referral_id, row.attempt): offer_of(row) for row in offers}
    return desk.opened()


async def close_desk(session: AsyncSession, desk: Desk) -> None:
    """Writes what changed."""
    await save_placements(session, FRAGMENT, desk.changed_placements)
    await upsert(session, REFERRAL, [referral_row(referral) for referral in desk.changed_referrals])
    await upsert(session, OFFER, [offer_row(offer) for offer in desk.changed_offers])
    credits_now = [{"team": team, "rep_id": rep_id, "credit": str(credit)} for (team, rep_id), credit in desk.changed_credits.items()]
    await upsert(session, CREDIT, credits_now)
    await save_receipts(session, RECEIPT, desk.receipts)


async def people_of(session: AsyncSession, referral_ids: Collection[str]) -> set[str]:
    """Whom these referrals are about."""
    rows = await session.execute(select(REFERRAL.c.person_id).where(one_of(session, REFERRAL.c.referral_id, referral_ids)))
    return {row.person_id for row in rows}


_LOAD = select(REFERRAL.c.rep_id, func.count().label("number")).where(REFERRAL.c.takes_room).group_by(REFERRAL.c.rep_id)
