"""What the API asks: who goes by what, how they hang together, and since when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select, String, case, func, literal, or_, select

from chassis.store import search
from chassis.store.batch import among, one_of, rows_by
from chassis.store.session import Session
from contracts.limits import LISTED_ROWS
from contracts.values import IdentifierKind
from services.identity.domain.accounts import Account, AccountPages, WholeAccount
from services.identity.domain.consent import ConsentPages, FragmentConsent
from services.identity.domain.fragments import Fragment, Link
from services.identity.domain.workspace import WithheldInteraction
from services.identity.store.rows import (
    ACCOUNT_COLUMNS,
    FRAGMENT_COLUMNS,
    LATEST_CONSENT_COLUMNS,
    LINK_COLUMNS,
    to_account,
    to_consent,
    to_link,
    to_withheld,
)
from services.identity.store.tables import (
    ACCOUNT,
    ACCOUNT_SEARCH,
    CONSENT,
    CONSENT_STATEMENT,
    FRAGMENT,
    LATEST_CONSENT,
    LINK,
    PERSON_SEARCH,
    REFUSAL,
    REMARK,
    WITHHELD,
)

_WHOLE = select(*ACCOUNT_COLUMNS).where(
    or_(among(ACCOUNT.c.account_id, "ids"), among(ACCOUNT.c.survivor_id, "survivors"))
)
_CONSENTS = rows_by(LATEST_CONSENT.c.fragment_id, *LATEST_CONSENT_COLUMNS).order_by(*LATEST_CONSENT.primary_key)
_FORMER_CONSENTS = rows_by(CONSENT.c.fragment_id, *CONSENT.c).order_by(*CONSENT.primary_key)


async def people_of(session: Session, fragment_ids: Collection[str]) -> dict[str, str]:
    """Fragment id -> the person it belongs to now; unknown ones are left out."""
    rows = await session.execute(
        rows_by(FRAGMENT.c.fragment_id, FRAGMENT.c.fragment_id, FRAGMENT.c.person_id), {"keys": fragment_ids}
    )
    return {row.fragment_id: row.person_id for row in rows}


async def fragment_named(session: Session, kind: str, value: str) -> str | None:
    """The fragment of an identifier, by its exact spelling."""
    named = select(FRAGMENT.c.fragment_id).where(FRAGMENT.c.kind == kind, FRAGMENT.c.value == value)
    found: str | None = await session.scalar(named)
    return found


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


async def find_among(session: Session, person_ids: Collection[str], text: str, after: str, limit: int) -> list[str]:
    """Ids of those of these people one of whose names holds `text`, by id, after `after`; what it costs is theirs."""
    by_text = select(PERSON_SEARCH.c.id).where(
        PERSON_SEARCH.c.id == FRAGMENT.c.person_id, search.holds(session, PERSON_SEARCH, text)
    )
    by_device = FRAGMENT.c.person_id.in_(_holders(IdentifierKind.ANONYMOUS_ID, text.strip()))
    query = select(FRAGMENT.c.person_id).where(
        one_of(FRAGMENT.c.person_id, person_ids), FRAGMENT.c.person_id > after, or_(by_text.exists(), by_device)
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


async def consents_on(session: Session, fragment_ids: Collection[str]) -> ConsentPages:
    """The latest of each kind that was stated on these fragments, per channel; what older releases wrote too."""
    if not fragment_ids:
        return ConsentPages()
    given = {"keys": fragment_ids}
    latest = [to_consent(row) for row in await session.execute(_CONSENTS, given)]
    former = [to_consent(row) for row in await session.execute(_FORMER_CONSENTS, given)]
    return ConsentPages(latest, former)


async def is_stated(session: Session, fragment_ids: Collection[str], interaction_id: str) -> bool:
    """Whether a statement of this id is kept on one of these fragments."""
    table = CONSENT_STATEMENT
    on_these = one_of(table.c.fragment_id, sorted(fragment_ids))
    found = select(table.c.channel).where(on_these, table.c.interaction_id == interaction_id).limit(1)
    return (await session.scalar(found)) is not None


async def consent_history(
    session: Session, fragment_ids: Collection[str], limit: int
) -> tuple[list[FragmentConsent], int]:
    """The newest statements on these fragments, newest first, and how many are kept."""
    on_these = one_of(CONSENT_STATEMENT.c.fragment_id, sorted(fragment_ids))
    newest = (column.desc() for column in (CONSENT_STATEMENT.c.occurred_at, *CONSENT_STATEMENT.primary_key))
    rows = await session.execute(select(*CONSENT_STATEMENT.c).where(on_these).order_by(*newest).limit(limit))
    kept = await session.scalar(select(func.count()).select_from(CONSENT_STATEMENT).where(on_these))
    return [to_consent(row) for row in rows], int(kept or 0)


async def whole_accounts(session: Session, account_ids: Collection[str]) -> list[Account]:
    """All that these survivors are known as."""
    if not account_ids:
        return []
    ids = sorted(account_ids)
    return [to_account(row) for row in await session.execute(_WHOLE, {"ids": ids, "survivors": ids})]


async def load_accounts(session: Session, account_ids: Collection[str]) -> dict[str, WholeAccount]:
    """Account id -> the company it stands for; an absorbed id leads to the survivor."""
    rows = await session.execute(rows_by(ACCOUNT.c.account_id, *ACCOUNT_COLUMNS), {"keys": sorted(account_ids)})
    survivors = {row.account_id: row.survivor_id or row.account_id for row in rows}
    pages = AccountPages(await whole_accounts(session, set(survivors.values())))
    return {account_id: pages.whole(survivor) for account_id, survivor in survivors.items()}


async def find_accounts(
    session: Session, named: Mapping[str, str], text: str | None, after: str, limit: int
) -> list[WholeAccount]:
    """Companies by exact names and by a part of name, domain or group id, by id, after `after`."""
    query = select(ACCOUNT.c.account_id).where(ACCOUNT.c.account_id > after, ACCOUNT.c.survivor_id.is_(None))
    for column, value in named.items():
        part = ACCOUNT.alias(f"named_{column}")
        of_name = select(func.coalesce(part.c.survivor_id, part.c.account_id)).where(part.c[column] == value)
        query = query.where(ACCOUNT.c.account_id.in_(of_name))
    if text is not None and not named:
        query = query.where(
            one_of(ACCOUNT.c.account_id, await search.find(session, ACCOUNT_SEARCH, text, after, limit))
        )
    elif text is not None:
        by_text = select(ACCOUNT_SEARCH.c.id).where(
            ACCOUNT_SEARCH.c.id == ACCOUNT.c.account_id, search.holds(session, ACCOUNT_SEARCH, text)
        )
        query = query.where(by_text.exists())
    found = list(await session.scalars(query.order_by(ACCOUNT.c.account_id).limit(limit)))
    pages = AccountPages(await whole_accounts(session, found))
    return [pages.whole(account_id) for account_id in found]


async def withheld(
    session: Session, filters: Mapping[str, str], before: str | None, limit: int
) -> list[WithheldInteraction]:
    """What robots did, the newest first, by exact column values, before the interaction `before`."""
    query = select(WITHHELD).order_by(WITHHELD.c.interaction_id.desc()).limit(limit)
    for column, value in filters.items():
        query = query.where(WITHHELD.c[column] == value)
    if before is not None:
        query = query.where(WITHHELD.c.interaction_id < before)
    return [to_withheld(row) for row in await session.execute(query)]


def _holders(kind: str, value: str) -> Select[Any]:
    holder = FRAGMENT.alias("holder")  # under a name of its own, or the subquery would be tied to the query around it
    if kind == "account_id":
        survivor = select(ACCOUNT.c.survivor_id).where(ACCOUNT.c.account_id == value).scalar_subquery()
        return select(holder.c.person_id).where(holder.c.account_id == func.coalesce(survivor, value))
    return select(holder.c.person_id).where(holder.c.kind == kind, holder.c.value == value)


async def _documents(session: Session, query: Select[Any]) -> list[dict[str, Any]]:
    return [row._asdict() for row in await session.execute(query)]
