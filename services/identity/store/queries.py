"""What the API asks: who goes by what, how they hang together, and since when."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, String, case, literal, or_, select

from chassis.store import search
from chassis.store.batch import one_of, rows_by
from chassis.store.session import Session
from contracts.limits import LISTED_ROWS
from contracts.values import IdentifierKind
from services.identity.domain.accounts import Account
from services.identity.domain.consent import FragmentConsent
from services.identity.domain.fragments import Fragment, Link
from services.identity.store.rows import (
    ACCOUNT_COLUMNS,
    CONSENT_COLUMNS,
    FRAGMENT_COLUMNS,
    LINK_COLUMNS,
    to_consent,
    to_link,
)
from services.identity.store.tables import (
    ACCOUNT,
    ACCOUNT_SEARCH,
    CONSENT,
    FRAGMENT,
    LINK,
    PERSON_SEARCH,
    REFUSAL,
    REMARK,
)

_CONSENTS = rows_by(CONSENT.c.fragment_id, *CONSENT_COLUMNS).order_by(CONSENT.c.fragment_id, CONSENT.c.channel)


async def people_of(session: Session, fragment_ids: Collection[str]) -> dict[str, str]:
    """Fragment id -> the person it belongs to now; unknown ones are left out."""
    rows = await session.execute(
        rows_by(FRAGMENT.c.fragment_id, FRAGMENT.c.fragment_id, FRAGMENT.c.person_id), {"keys": fragment_ids}
    )
    return {row.fragment_id: row.person_id for row in rows}


async def find_people(
    session: Session, named: Mapping[str, str], text: str | None, after: str, limit: int
) -> list[str]:
    """Ids of people who go by all of `named` (kind -> value, or account_id -> id) and one of whose names holds `text`,
    by id, after `after`.
    """
    if text is not None and not named:
        return await _find_by_text(session, text, after, limit)
    query = select(FRAGMENT.c.person_id).where(FRAGMENT.c.person_id > after)
    for kind, value in named.items():
        query = query.where(FRAGMENT.c.person_id.in_(_holders(kind, value)))
    if text is not None:
        by_text = select(PERSON_SEARCH.c.id).where(
            PERSON_SEARCH.c.id == FRAGMENT.c.person_id, search.holds(session, PERSON_SEARCH, text)
        )
        query = query.where(
            or_(by_text.exists(), FRAGMENT.c.person_id.in_(_holders(IdentifierKind.ANONYMOUS_ID, text)))
        )
    return list(await session.scalars(query.distinct().order_by(FRAGMENT.c.person_id).limit(limit)))


async def _find_by_text(session: Session, text: str, after: str, limit: int) -> list[str]:
    found = set(await search.find(session, PERSON_SEARCH, text, after, limit))
    device = await session.scalar(_holders(IdentifierKind.ANONYMOUS_ID, text.strip()))
    if device is not None and device > after:
        found.add(device)
    return sorted(found)[:limit]


async def fragments_of(session: Session, person_ids: Collection[str]) -> dict[str, list[Fragment]]:
    """Person id -> all of their fragments, oldest first."""
    condition = one_of(FRAGMENT.c.person_id, sorted(person_ids))
    found: dict[str, list[Fragment]] = {}
    for row in await session.execute(select(*FRAGMENT_COLUMNS).where(condition).order_by(FRAGMENT.c.fragment_id)):
        found.setdefault(row.person_id, []).append(Fragment._make(row))
    return found


async def links_of(session: Session, fragment_ids: Collection[str], *, live_only: bool = False) -> list[Link]:
    """The links at these fragments, oldest first; with `live_only` without those that were cut."""
    ids = sorted(fragment_ids)
    left = select(*LINK_COLUMNS).where(one_of(LINK.c.left_id, ids))
    if live_only:  # both ends of a live link belong to one person
        left = left.where(LINK.c.cut_at.is_(None))
    rows = list(await session.execute(left))
    if not live_only:
        rows += await session.execute(rows_by(LINK.c.right_id, *LINK_COLUMNS), {"keys": ids})
    found = {row.link_id: to_link(row) for row in rows}
    return [found[link_id] for link_id in sorted(found)]


async def history_of(session: Session, fragment_id: str) -> tuple[list[Fragment], list[Link]]:
    """Every fragment that was ever tied to this one, over whatever links, cut ones too."""
    reach = select(literal(fragment_id, String).label("fragment_id")).cte("reach", recursive=True)
    further = case((LINK.c.left_id == reach.c.fragment_id, LINK.c.right_id), else_=LINK.c.left_id)
    reach = reach.union(
        select(further).where(or_(LINK.c.left_id == reach.c.fragment_id, LINK.c.right_id == reach.c.fragment_id))
    )
    tied = select(reach.c.fragment_id)
    fragments = await session.execute(
        select(*FRAGMENT_COLUMNS).where(FRAGMENT.c.fragment_id.in_(tied)).order_by(FRAGMENT.c.fragment_id)
    )
    links = await session.execute(select(*LINK_COLUMNS).where(LINK.c.left_id.in_(tied)).order_by(LINK.c.link_id))
    return [Fragment._make(row) for row in fragments], [to_link(row) for row in links]


async def refusals_of(session: Session, fragment_ids: Collection[str]) -> list[dict[str, Any]]:
    """The newest links at these fragments that were not made, oldest first."""
    ids = sorted(fragment_ids)
    condition = or_(one_of(REFUSAL.c.left_id, ids), one_of(REFUSAL.c.right_id, ids))
    newest = (
        select(REFUSAL)
        .where(condition)
        .order_by(REFUSAL.c.first_at.desc(), REFUSAL.c.refusal_id.desc())
        .limit(LISTED_ROWS)
    )
    return (await _documents(session, newest))[::-1]


async def remarks_of(session: Session, fragment_ids: Collection[str]) -> list[dict[str, Any]]:
    """What was given at these fragments as an identifier and is none."""
    condition = one_of(REMARK.c.fragment_id, sorted(fragment_ids))
    newest = (
        select(REMARK)
        .where(condition)
        .order_by(REMARK.c.first_at.desc(), REMARK.c.kind.desc(), REMARK.c.reason.desc())
        .limit(LISTED_ROWS)
    )
    return (await _documents(session, newest))[::-1]


async def consents_on(session: Session, fragment_ids: Collection[str]) -> list[FragmentConsent]:
    """What was stated last on these fragments, per channel."""
    if not fragment_ids:
        return []
    rows = await session.execute(_CONSENTS, {"keys": fragment_ids})
    return [to_consent(row) for row in rows]


async def load_accounts(session: Session, account_ids: Collection[str]) -> dict[str, Account]:
    """Account id -> account; an absorbed id leads to the survivor."""
    rows = await session.execute(rows_by(ACCOUNT.c.account_id, *ACCOUNT_COLUMNS), {"keys": sorted(account_ids)})
    found = {account.account_id: account for account in (Account(*row) for row in rows)}
    survivors = {account.survivor_id for account in found.values() if account.survivor_id}
    if survivors:
        known = await load_accounts(session, survivors)
        found = {account_id: known.get(account.survivor_id or "", account) for account_id, account in found.items()}
    return found


async def find_accounts(
    session: Session, named: Mapping[str, str], text: str | None, after: str, limit: int
) -> Sequence[Account]:
    """Accounts by exact column values and by a part of name, domain or group id, by id, after `after`; without absorbed
    ones.
    """
    query = select(*ACCOUNT_COLUMNS).where(ACCOUNT.c.account_id > after, ACCOUNT.c.survivor_id.is_(None))
    for column, value in named.items():
        query = query.where(ACCOUNT.c[column] == value)
    if text is not None and not named:
        query = query.where(
            one_of(ACCOUNT.c.account_id, await search.find(session, ACCOUNT_SEARCH, text, after, limit))
        )
    elif text is not None:
        by_text = select(ACCOUNT_SEARCH.c.id).where(
            ACCOUNT_SEARCH.c.id == ACCOUNT.c.account_id, search.holds(session, ACCOUNT_SEARCH, text)
        )
        query = query.where(by_text.exists())
    return [Account(*row) for row in await session.execute(query.order_by(ACCOUNT.c.account_id).limit(limit))]


def _holders(kind: str, value: str) -> Select[Any]:
    holder = FRAGMENT.alias("holder")  # under a name of its own, or the subquery would be tied to the query around it
    if kind == "account_id":
        return select(holder.c.person_id).where(holder.c.account_id == value)
    return select(holder.c.person_id).where(holder.c.kind == kind, holder.c.value == value)


async def _documents(session: Session, query: Select[Any]) -> list[dict[str, Any]]:
    return [row._asdict() for row in await session.execute(query)]
