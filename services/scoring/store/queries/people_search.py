"""People by a part of what they are called: of all, or among some that are named."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from chassis.store import search
from chassis.store.batch import one_of
from chassis.store.session import Session
from services.scoring.domain.workspace import Person
from services.scoring.store.rows import person_of
from services.scoring.store.tables import PERSON, PERSON_SEARCH


async def search_people(session: Session, q: str | None, after: str | None, limit: int) -> list[Person]:
    """People in the order of their ids; `q`: a part of the name, the company or the e-mail address."""
    statement = select(PERSON).order_by(PERSON.c.person_id).limit(limit)
    if q is not None:
        found = await search.find(session, PERSON_SEARCH, q, after or "", limit)
        statement = statement.where(one_of(PERSON.c.person_id, found))
    elif after:
        statement = statement.where(PERSON.c.person_id > after)
    return [person_of(row) for row in await session.execute(statement)]


async def search_among(
    session: Session, person_ids: Collection[str], q: str | None, after: str | None, limit: int
) -> list[Person]:
    """Those of these people, in the order of their ids, whose name, company or address holds `q`.

    What it costs is theirs, and not the base's.
    """
    statement = select(PERSON).where(one_of(PERSON.c.person_id, person_ids), PERSON.c.person_id > (after or ""))
    if q is not None:
        named = select(PERSON_SEARCH.c.id).where(
            PERSON_SEARCH.c.id == PERSON.c.person_id, search.holds(session, PERSON_SEARCH, q)
        )
        statement = statement.where(named.exists())
    return [person_of(row) for row in await session.execute(statement.order_by(PERSON.c.person_id).limit(limit))]
