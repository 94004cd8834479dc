"""Reads for the API."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import orjson
from sqlalchemy import or_, select

from chassis.store.membership import one_of, rows_by
from chassis.store.session import Session
from contracts.values import Receipt
from people_kernel.store.receipts import Place, earlier
from services.routing.domain.referral import Offer, Referral, State
from services.routing.store.encoding import offer_of, referral_of
from services.routing.store.tables import LOAD, OFFER, RECEIPT, REFERRAL


@dataclass(frozen=True, slots=True)
class Filters:
    """Which referrals. `seen_by`: only what this rep has, and what nobody has; "" is a rep who has nothing."""

    state: str | None = None
    rep_id: str | None = None
    person_id: str | None = None
    includes_tests: bool = False
    seen_by: str | None = None


async def referrals_page(session: Session, filters: Filters, before: Place | None, limit: int) -> list[Referral]:
    """Referrals, newest first."""
    statement = select(REFERRAL).order_by(REFERRAL.c.created_at.desc(), REFERRAL.c.referral_id.desc()).limit(limit)
    for column, wanted in ((REFERRAL.c.state, filters.state), (REFERRAL.c.rep_id, filters.rep_id), (REFERRAL.c.person_id, filters.person_id)):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if not filters.includes_tests:
        statement = statement.where(REFERRAL.c.is_test.is_(False))
    if filters.seen_by is not None:
        statement = statement.where(or_(REFERRAL.c.rep_id == filters.seen_by, REFERRAL.c.state == State.UNASSIGNED.value))
    if before is not None:
        statement = statement.where(earlier(REFERRAL.c.created_at, REFERRAL.c.referral_id, before))
    return [referral_of(row) for row in await session.execute(statement)]


async def find_referral(session: Session, referral_id: str) -> Referral | None:
    row = (await session.execute(select(REFERRAL).where(REFERRAL.c.referral_id == referral_id))).first()
    return None if row is None else referral_of(row)


async def offers_of(session: Session, referral_id: str) -> list[Offer]:
    """The reps who were asked, in order."""
    rows = await session.execute(select(OFFER).where(OFFER.c.referral_id == referral_id).order_by(OFFER.c.attempt))
    return [offer_of(row) for row in rows]


async def load_of(session: Session, rep_ids: Collection[str]) -> dict[str, int]:
    """Open referrals by rep."""
    return {row.rep_id: row.number for row in await session.execute(rows_by(LOAD.c.rep_id), {"keys": rep_ids})}


async def receipts_on(session: Session, fragment_ids: Collection[str], referral_id: str) -> list[Receipt]:
    """The receipts of one referral, oldest first; they hang on whoever the person was then."""
    statement = select(RECEIPT.c.body).where(one_of(RECEIPT.c.fragment_id, fragment_ids)).order_by(RECEIPT.c.at, RECEIPT.c.receipt_id)
    receipts = (Receipt.model_validate(orjson.loads(row.body)) for row in await session.execute(statement))
    return [receipt for receipt in receipts if receipt.inputs.get("referral_id") == referral_id]


async def referrals_of(session: Session, person_ids: Collection[str]) -> dict[str, list[Referral]]:
    """Person -> referrals, the newest first; people without any are left out."""
    statement = select(REFERRAL).where(one_of(REFERRAL.c.person_id, person_ids))
    owned: dict[str, list[Referral]] = {}
    for row in await session.execute(statement.order_by(REFERRAL.c.created_at.desc(), REFERRAL.c.referral_id.desc())):
        owned.setdefault(row.person_id, []).append(referral_of(row))
    return owned


async def waiting(session: Session, after: str | None, limit: int) -> list[str]:
    """Referrals that nobody is asked about, in the order of their ids, which is that of time."""
    statement = select(REFERRAL.c.referral_id).where(REFERRAL.c.state == State.UNASSIGNED.value).order_by(REFERRAL.c.referral_id).limit(limit)
    if after is not None:
        statement = statement.where(REFERRAL.c.referral_id > after)
    return [row.referral_id for row in await session.execute(statement)]


async def asked_of(session: Session, rep_id: str) -> list[str]:
    """Referrals that this rep is asked about now."""
    asked = REFERRAL.c.state.in_([State.OFFERED.value, State.SEEN.value])
    rows = await session.execute(select(REFERRAL.c.referral_id).where(REFERRAL.c.rep_id == rep_id, asked).order_by(REFERRAL.c.referral_id))
    return [row.referral_id for row in rows]
