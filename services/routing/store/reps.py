"""Reps, who owns which account, and keys to NATS."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select

from chassis.store.batch import insert_all, upsert
from chassis.store.membership import rows_by
from chassis.store.session import Session
from chassis.store.statements import Row
from people_kernel.store.receipts import Place
from services.routing.domain.reps import Rep
from services.routing.store.encoding import rep_of, rep_row
from services.routing.store.tables import ACCOUNT_OWNER, CREDENTIAL, LOAD, REP


async def load_reps(session: Session) -> dict[str, Rep]:
    """All of them."""
    return {row.rep_id: rep_of(row) for row in await session.execute(select(REP).order_by(REP.c.rep_id))}


async def find_rep(session: Session, rep_id: str) -> Rep | None:
    row = (await session.execute(select(REP).where(REP.c.rep_id == rep_id))).first()
    return None if row is None else rep_of(row)


async def find_by_external_id(session: Session, external_id: str) -> Rep | None:
    row = (await session.execute(select(REP).where(REP.c.external_id == external_id))).first()
    return None if row is None else rep_of(row)


async def reps_page(session: Session, filters: tuple[str | None, bool | None], after: Place | None, limit: int) -> Sequence[Row]:
    """Reps in the order they came. `filters`: external id, whether they are active."""
    external_id, is_active = filters
    statement = select(REP).order_by(REP.c.created_at, REP.c.rep_id).limit(limit)
    if external_id is not None:
        statement = statement.where(REP.c.external_id == external_id)
    if is_active is not None:
        statement = statement.where(REP.c.is_active == is_active)
    if after is not None:
        statement = statement.where((REP.c.created_at > after[0]) | ((REP.c.created_at == after[0]) & (REP.c.rep_id > after[1])))
    return await session.execute(statement)


async def add_rep(session: Session, rep: Rep, now: datetime) -> None:
    await insert_all(session, REP, [{**rep_row(rep), "created_at": now, "changed_at": now}])
    await insert_all(session, LOAD, [{"rep_id": rep.rep_id, "number": 0}])


async def change_rep(session: Session, rep: Rep, now: datetime) -> None:
    await session.execute(REP.update().where(REP.c.rep_id == rep.rep_id).values(**rep_row(rep), changed_at=now))


async def rep_names(session: Session, rep_ids: Collection[str]) -> dict[str, str]:
    rows = await session.execute(rows_by(REP.c.rep_id, REP.c.rep_id, REP.c.name), {"keys": rep_ids})
    return {row.rep_id: row.name for row in rows}


async def find_owner(session: Session, account_id: str) -> Row | None:
    """Whose the account is, and who said so."""
    return (await session.execute(select(ACCOUNT_OWNER).where(ACCOUNT_OWNER.c.account_id == account_id))).first()


async def save_owner(session: Session, account_id: str, rep_id: str | None, by: tuple[str, datetime]) -> None:
    row = {"account_id": account_id, "rep_id": rep_id, "changed_by": by[0], "changed_at": by[1]}
    await upsert(session, ACCOUNT_OWNER, [row])


async def save_credential(session: Session, rep_id: str, password_hash: str, by: tuple[str, datetime]) -> None:
    """The one that counts from now on."""
    row = {"rep_id": rep_id, "password_hash": password_hash, "issued_by": by[0], "issued_at": by[1]}
    await upsert(session, CREDENTIAL, [row])


async def find_credential(session: Session, rep_id: str) -> str | None:
    """The password hash of a rep who is active."""
    statement = select(CREDENTIAL.c.password_hash).join(REP, REP.c.rep_id == CREDENTIAL.c.rep_id)
    found: str | None = await session.scalar(statement.where(CREDENTIAL.c.rep_id == rep_id, REP.c.is_active))
    return found


async def keyholders(session: Session) -> list[str]:
    """All reps who have a key."""
    return [row.rep_id for row in await session.execute(select(CREDENTIAL.c.rep_id).order_by(CREDENTIAL.c.rep_id))]
