"""Reads for the API."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import func, or_, select

from chassis.store.batch import among, one_of, rows_by
from chassis.store.session import Session
from chassis.store.statements import Row
from contracts.values import Receipt
from people_kernel.store.people import Place, earlier
from services.routing.domain.workspace import Offer, Referral, State
from services.routing.store.rows import offer_of, referral_of
from services.routing.store.tables import ACCOUNT_ALIAS, ACCOUNT_OWNER, CREDENTIAL, LOAD, OFFER, RECEIPT, REFERRAL, REP

_MOST_COUNTED = 10_000
_ASKED = ACCOUNT_ALIAS.alias("asked")
_OWNED_AS_ANOTHER = (
    select(_ASKED.c.account_id.label("asked"), ACCOUNT_OWNER.c.rep_id)
    .join(ACCOUNT_ALIAS, ACCOUNT_ALIAS.c.current_id == _ASKED.c.current_id)
    .join(ACCOUNT_OWNER, ACCOUNT_OWNER.c.account_id == ACCOUNT_ALIAS.c.account_id)
    .where(among(_ASKED.c.account_id, "keys"), ACCOUNT_OWNER.c.rep_id.is_not(None))
    .order_by(ACCOUNT_ALIAS.c.age.desc())  # the last one stays: the oldest
)


@dataclass(frozen=True, slots=True)
class ReferralFilter:
    """Which referrals. `seen_by`: only what these reps have, and what nobody has."""

    state: str | None = None
    rep_id: str | None = None
    person_id: str | None = None
    includes_tests: bool = False
    seen_by: Collection[str] | None = None


async def referrals_page(session: Session, filters: ReferralFilter, before: Place | None, limit: int) -> list[Referral]:
    """Referrals, newest first."""
    statement = select(REFERRAL).order_by(REFERRAL.c.created_at.desc(), REFERRAL.c.referral_id.desc()).limit(limit)
    for column, wanted in (
        (REFERRAL.c.state, filters.state),
        (REFERRAL.c.rep_id, filters.rep_id),
        (REFERRAL.c.person_id, filters.person_id),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if not filters.includes_tests:
        statement = statement.where(REFERRAL.c.is_test.is_(False))
    if filters.seen_by is not None:
        statement = statement.where(
            or_(one_of(REFERRAL.c.rep_id, filters.seen_by), REFERRAL.c.state == State.UNASSIGNED.value)
        )
    if before is not None:
        statement = statement.where(earlier(REFERRAL.c.created_at, REFERRAL.c.referral_id, before))
    return [referral_of(row) for row in await session.execute(statement)]


async def unassigned(session: Session) -> int:
    """How many leads wait that no rep could be asked about, tests left out, counted up to 10,000."""
    waiting = (REFERRAL.c.state == State.UNASSIGNED.value) & REFERRAL.c.is_test.is_(False)
    rows = select(REFERRAL.c.referral_id).where(waiting).limit(_MOST_COUNTED).subquery()
    return int(await session.scalar(select(func.count()).select_from(rows)) or 0)


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
    statement = (
        select(RECEIPT.c.body)
        .where(one_of(RECEIPT.c.fragment_id, fragment_ids))
        .order_by(RECEIPT.c.at, RECEIPT.c.receipt_id)
    )
    receipts = (Receipt.model_validate(orjson.loads(row.body)) for row in await session.execute(statement))
    return [receipt for receipt in receipts if receipt.inputs.get("referral_id") == referral_id]


async def referrals_of(session: Session, person_ids: Collection[str]) -> dict[str, list[Referral]]:
    """Person -> referrals, the newest first; people without any are left out."""
    statement = select(REFERRAL).where(one_of(REFERRAL.c.person_id, person_ids))
    owned: dict[str, list[Referral]] = {}
    for row in await session.execute(statement.order_by(REFERRAL.c.created_at.desc(), REFERRAL.c.referral_id.desc())):
        owned.setdefault(row.person_id, []).append(referral_of(row))
    return owned


async def reps_page(
    session: Session, filters: tuple[str | None, bool | None], after: Place | None, limit: int
) -> Sequence[Row]:
    """Reps in the order they came. `filters`: external id, whether they are active."""
    external_id, is_active = filters
    statement = select(REP).order_by(REP.c.created_at, REP.c.rep_id).limit(limit)
    if external_id is not None:
        statement = statement.where(REP.c.external_id == external_id)
    if is_active is not None:
        statement = statement.where(REP.c.is_active == is_active)
    if after is not None:
        statement = statement.where(
            (REP.c.created_at > after[0]) | ((REP.c.created_at == after[0]) & (REP.c.rep_id > after[1]))
        )
    return await session.execute(statement)


async def rep_names(session: Session, rep_ids: Collection[str]) -> dict[str, str]:
    rows = await session.execute(rows_by(REP.c.rep_id, REP.c.rep_id, REP.c.name), {"keys": rep_ids})
    return {row.rep_id: row.name for row in rows}


async def ids_of_account(session: Session, account_id: str) -> list[str]:
    """All ids that the account was known as, the oldest first."""
    asked = select(ACCOUNT_ALIAS.c.current_id).where(ACCOUNT_ALIAS.c.account_id == account_id)
    known = select(ACCOUNT_ALIAS.c.account_id).where(ACCOUNT_ALIAS.c.current_id == asked.scalar_subquery())
    return list(await session.scalars(known.order_by(ACCOUNT_ALIAS.c.age))) or [account_id]


async def owners_said(session: Session, account_id: str) -> list[Row]:
    """What was said of whose the account is, by each of its ids; that which counts first."""
    ids = await ids_of_account(session, account_id)
    rows = {row.account_id: row for row in await session.execute(rows_by(ACCOUNT_OWNER.c.account_id), {"keys": ids})}
    said = [rows[one] for one in ids if one in rows]
    return sorted(said, key=lambda row: row.rep_id is None)  # stable: the oldest that has one goes before all others


async def owners_of(session: Session, account_ids: Collection[str]) -> dict[str, str]:
    """Account -> the rep whose it is. Of an account that was known as several, the oldest one's owner counts."""
    if not account_ids:
        return {}
    owned = await session.execute(rows_by(ACCOUNT_OWNER.c.account_id), {"keys": account_ids})
    owners = {row.account_id: row.rep_id for row in owned if row.rep_id is not None}
    owners.update({row.asked: row.rep_id for row in await session.execute(_OWNED_AS_ANOTHER, {"keys": account_ids})})
    return owners


async def find_credential(session: Session, rep_id: str) -> str | None:
    """The password hash of a rep who is active."""
    statement = select(CREDENTIAL.c.password_hash).join(REP, REP.c.rep_id == CREDENTIAL.c.rep_id)
    found: str | None = await session.scalar(statement.where(CREDENTIAL.c.rep_id == rep_id, REP.c.is_active))
    return found


async def find_credentials(session: Session, rep_ids: Collection[str]) -> dict[str, str]:
    """Rep -> password hash, of those who have one and are active."""
    statement = select(CREDENTIAL.c.rep_id, CREDENTIAL.c.password_hash).join(REP, REP.c.rep_id == CREDENTIAL.c.rep_id)
    found = await session.execute(statement.where(CREDENTIAL.c.rep_id.in_(rep_ids), REP.c.is_active))
    return {row.rep_id: row.password_hash for row in found}


async def keyholders(session: Session) -> list[str]:
    """All reps who have a key."""
    return [row.rep_id for row in await session.execute(select(CREDENTIAL.c.rep_id).order_by(CREDENTIAL.c.rep_id))]
