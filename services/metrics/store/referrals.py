"""What became of referrals and of clocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from chassis.store.session import Session
from services.metrics.domain.asking import Ask
from services.metrics.store.present import in_period, owned, scope_of, when
from services.metrics.store.tables import CLOCK, REFERRAL


async def count_answers(session: Session, ask: Ask) -> Sequence[Any]:
    """(rep_id, kind, reason, n) of what was told of referrals in the period."""
    told = owned(REFERRAL, REFERRAL.c.rep_id, REFERRAL.c.kind, REFERRAL.c.reason).where(in_period(when(REFERRAL, ask), ask))
    mine = scope_of(ask).of(told).subquery("mine")
    columns = (mine.c.rep_id, mine.c.kind, mine.c.reason)
    return await session.execute(select(*columns, func.count().label("n")).group_by(*columns))


async def load_waits(session: Session, ask: Ask) -> Sequence[Any]:
    """(rep_id, waited_us) of each acceptance in the period: since the last offer of that referral before it; None without an offer."""
    offer = REFERRAL.alias("offer")
    offered_us = (
        select(func.max(offer.c.occurred_us))
        .where(offer.c.referral_id == REFERRAL.c.referral_id, offer.c.kind == "offered", offer.c.occurred_us <= REFERRAL.c.occurred_us)
        .scalar_subquery()
    )
    accepted = owned(REFERRAL, REFERRAL.c.rep_id, (REFERRAL.c.occurred_us - offered_us).label("waited_us")).where(
        REFERRAL.c.kind == "accepted", in_period(when(REFERRAL, ask), ask)
    )
    mine = scope_of(ask).of(accepted).subquery("mine")
    return await session.execute(select(mine.c.rep_id, mine.c.waited_us))


async def count_clocks(session: Session, ask: Ask) -> Sequence[Any]:
    """(clock, kind, was_breached, n) of what was told of clocks in the period."""
    told = owned(CLOCK, CLOCK.c.clock, CLOCK.c.kind, CLOCK.c.was_breached).where(in_period(when(CLOCK, ask), ask))
    mine = scope_of(ask).of(told).subquery("mine")
    columns = (mine.c.clock, mine.c.kind, mine.c.was_breached)
    return await session.execute(select(*columns, func.count().label("n")).group_by(*columns))
