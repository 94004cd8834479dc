"""Reads for the API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from chassis.store import search
from chassis.store.membership import one_of, rows_by
from chassis.store.session import Session
from chassis.store.statements import Row
from contracts.ids import with_prefix
from people_kernel.store.receipts import Place, earlier
from services.scoring.domain.book import Person
from services.scoring.domain.ledger import ENGAGEMENT, StoredReceipt
from services.scoring.store.encoding import person_of, receipt_of
from services.scoring.store.records import FACT, FRAGMENT, PAGE, PERSON, RECEIPT, load_people
from services.scoring.store.tables import PERSON_SEARCH


async def survivors(session: Session, person_ids: Collection[str]) -> dict[str, str]:
    """Asked id -> the person who answers to it: the same, or the one who absorbed it. Unknown ids are left out."""
    by_fragment = {with_prefix("frg", person_id): person_id for person_id in person_ids if person_id.startswith("per_")}
    columns = (FRAGMENT.c.fragment_id, FRAGMENT.c.person_id)
    rows = await session.execute(rows_by(FRAGMENT.c.fragment_id, *columns), {"keys": list(by_fragment)})
    found = {by_fragment[row.fragment_id]: row.person_id for row in rows}
    rest = [person_id for person_id in person_ids if person_id not in found]
    if rest:  # the oldest fragment may never have been heard of: only the person's other fragments did something
        known = await session.execute(rows_by(PERSON.c.person_id, PERSON.c.person_id), {"keys": rest})
        found.update({row.person_id: row.person_id for row in known})
    return found


async def people(session: Session, person_ids: Collection[str]) -> dict[str, Person]:
    """Asked id -> the person who answers to it."""
    owners = await survivors(session, person_ids)
    loaded = await load_people(session, set(owners.values()))
    return {asked: loaded[owner] for asked, owner in owners.items() if owner in loaded}


async def search_people(session: Session, q: str | None, after: str | None, limit: int) -> list[Person]:
    """People in the order of their ids; `q`: a part of the name, the company or the e-mail address."""
    statement = select(PERSON).order_by(PERSON.c.person_id).limit(limit)
    if q is not None:
        found = await search.find(session, PERSON_SEARCH, q, after or "", limit)
        statement = statement.where(one_of(PERSON.c.person_id, found))
    elif after:
        statement = statement.where(PERSON.c.person_id > after)
    return [person_of(row) for row in await session.execute(statement)]


async def fragment_ids_of(session: Session, person_ids: Collection[str]) -> dict[str, list[str]]:
    """Person -> fragments."""
    columns = (FRAGMENT.c.person_id, FRAGMENT.c.fragment_id)
    owned: dict[str, list[str]] = {person_id: [] for person_id in person_ids}
    for row in await session.execute(rows_by(FRAGMENT.c.person_id, *columns), {"keys": list(person_ids)}):
        owned[row.person_id].append(row.fragment_id)
    return owned


async def earned_until(session: Session, fragment_ids: Collection[str], until: datetime) -> AsyncIterator[Sequence[Any]]:
    """(fragment_id, points_e4, half_life, at) of the engagement on these fragments by `until`, a page at a time; others get their turn between."""
    columns = (RECEIPT.c.fragment_id, RECEIPT.c.points_e4, RECEIPT.c.half_life, RECEIPT.c.at)
    wanted = select(*columns).where(one_of(RECEIPT.c.fragment_id, fragment_ids), RECEIPT.c.at <= until)
    async for page in session.pages(wanted.where(RECEIPT.c.measure == ENGAGEMENT, RECEIPT.c.half_life.is_not(None)), PAGE):
        yield page
        await asyncio.sleep(0)


async def latest_facts(session: Session, fragment_ids: Collection[str], until: datetime) -> dict[str, datetime]:
    """Fragment -> when its latest fact by `until` happened."""
    latest = select(FACT.c.fragment_id, func.max(FACT.c.occurred_at).label("latest_at"))
    rows = await session.execute(latest.where(one_of(FACT.c.fragment_id, fragment_ids), FACT.c.occurred_at <= until).group_by(FACT.c.fragment_id))
    return {row.fragment_id: row.latest_at for row in rows}


async def receipts_page(
    session: Session, fragment_ids: Collection[str], until: datetime | None, before: Place | None, limit: int
) -> list[StoredReceipt]:
    """Receipts, newest first."""
    statement = select(RECEIPT).where(one_of(RECEIPT.c.fragment_id, fragment_ids))
    if until is not None:
        statement = statement.where(RECEIPT.c.at <= until)
    if before is not None:
        statement = statement.where(earlier(RECEIPT.c.at, RECEIPT.c.receipt_id, before))
    rows = await session.execute(statement.order_by(RECEIPT.c.at.desc(), RECEIPT.c.receipt_id.desc()).limit(limit))
    return [receipt_of(row) for row in rows]


async def timeline_page(session: Session, fragment_ids: Collection[str], until: datetime | None, before: Place | None, limit: int) -> Sequence[Row]:
    """Facts, newest first."""
    statement = select(FACT).where(one_of(FACT.c.fragment_id, fragment_ids))
    if until is not None:
        statement = statement.where(FACT.c.occurred_at <= until)
    if before is not None:
        statement = statement.where(earlier(FACT.c.occurred_at, FACT.c.interaction_id, before))
    return await session.execute(statement.order_by(FACT.c.occurred_at.desc(), FACT.c.interaction_id.desc()).limit(limit))
