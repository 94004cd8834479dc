"""What a unit of work writes, and what people set: each a constant number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite

from chassis.store.batch import insert_all, one_of, rows_by, upsert
from chassis.store.session import Session
from contracts.events.identity import AccountPart
from people_kernel.store.people import save_placements, save_receipts
from services.routing.domain.assignment import Rep
from services.routing.domain.workspace import RoutingWorkspace
from services.routing.store.rows import offer_row, referral_row, rep_row
from services.routing.store.tables import (
    ACCOUNT_ALIAS,
    ACCOUNT_OWNER,
    CREDENTIAL,
    CREDIT,
    FRAGMENT,
    LOAD,
    OFFER,
    RECEIPT,
    REFERRAL,
    REP,
)


async def workspace(session: Session, done: RoutingWorkspace) -> None:
    """What changed, and what was decided."""
    await save_placements(session, FRAGMENT, done.changed_placements())
    await upsert(session, REFERRAL, [referral_row(referral) for referral in done.referrals.changed.values()])
    await upsert(session, OFFER, [offer_row(offer) for offer in done.offers.changed.values()])
    credits_now = [
        {"team": team, "rep_id": rep_id, "credit": str(credit)}
        for (team, rep_id), credit in done.credits.changed.items()
    ]
    await upsert(session, CREDIT, credits_now)
    await _move_loads(session, done.load_moves)
    await save_receipts(session, RECEIPT, done.receipts)


async def _move_loads(session: Session, moves: Mapping[str, int]) -> None:
    rows = [{"rep_id": rep_id, "number": by} for rep_id, by in sorted(moves.items()) if by]
    if rows:
        dialect = postgresql if session.dialect == "postgresql" else sqlite
        statement = dialect.insert(LOAD)
        changed = {"number": LOAD.c.number + statement.excluded.number}
        await session.execute(statement.on_conflict_do_update(index_elements=[LOAD.c.rep_id], set_=changed), rows)


async def new_rep(session: Session, rep: Rep, now: datetime) -> None:
    """Somebody who can be asked, with nothing to do yet."""
    await insert_all(session, REP, [{**rep_row(rep), "created_at": now, "changed_at": now}])
    await insert_all(session, LOAD, [{"rep_id": rep.rep_id, "number": 0}])


async def changed_rep(session: Session, rep: Rep, now: datetime) -> None:
    """Overwrites what may change."""
    await session.execute(REP.update().where(REP.c.rep_id == rep.rep_id).values(**rep_row(rep), changed_at=now))


async def account_owner(
    session: Session, account_ids: Sequence[str], rep_id: str | None, by: tuple[str, datetime]
) -> None:
    """Whose the account is from now on, the oldest of its ids first; `by` is who said so, and when."""
    oldest, *others = account_ids
    row = {"account_id": oldest, "rep_id": rep_id, "changed_by": by[0], "changed_at": by[1]}
    await upsert(session, ACCOUNT_OWNER, [row])
    if rep_id is None and others:  # nobody's by whichever id
        theirs = ACCOUNT_OWNER.update().where(one_of(ACCOUNT_OWNER.c.account_id, others))
        await session.execute(theirs.values(rep_id=None, changed_by=by[0], changed_at=by[1]))


async def aliases(session: Session, parts: Sequence[AccountPart]) -> None:
    """By which ids these accounts were known; an older word than the one known says nothing."""
    ids = [account_id for part in parts for account_id in part.account_ids]
    known = await session.execute(rows_by(ACCOUNT_ALIAS.c.account_id), {"keys": ids})
    versions = {row.account_id: row.version for row in known}
    rows = {
        account_id: {"account_id": account_id, "current_id": part.account_id, "version": part.version, "age": age}
        for part in parts
        for age, account_id in enumerate(part.account_ids)
        if versions.get(account_id, -1) < part.version
    }
    await upsert(session, ACCOUNT_ALIAS, list(rows.values()))


async def credential(session: Session, rep_id: str, password_hash: str, by: tuple[str, datetime]) -> None:
    """The one that counts from now on."""
    row = {"rep_id": rep_id, "password_hash": password_hash, "issued_by": by[0], "issued_at": by[1]}
    await upsert(session, CREDENTIAL, [row])
