"""Reads on who may see whom. Each begins at what the reps have, so that none grows with the base."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import orjson
from sqlalchemy import Select, select, union

from chassis.store.batch import one_of
from chassis.store.session import Session
from services.routing.domain.rights import RepSeat, Standing, colleagues, may_see
from services.routing.domain.workspace import State
from services.routing.store.queries import owners_of
from services.routing.store.tables import ACCOUNT_ALIAS, ACCOUNT_OWNER, REFERRAL, REP

_STANDING = (
    REFERRAL.c.person_id,
    REFERRAL.c.state,
    REFERRAL.c.rep_id,
    REFERRAL.c.accepted_rep_id,
    REFERRAL.c.account_id,
    REFERRAL.c.closed_because,
    REFERRAL.c.created_at,
)


@dataclass(frozen=True, slots=True)
class RepSight:
    """What is seen from a seat: the leads of these reps, and of the accounts they own."""

    reps: frozenset[str]
    accounts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the people in the order of their ids: after one, up to another at most, so many at most."""

    after: str
    until: str | None
    limit: int


async def view_from(session: Session, seat: RepSeat) -> RepSight:
    """What `seat` sees."""
    rows = await session.execute(select(REP.c.rep_id, REP.c.teams))
    reps = colleagues(seat, ((row.rep_id, orjson.loads(row.teams)) for row in rows))
    said = select(ACCOUNT_OWNER.c.account_id).where(one_of(ACCOUNT_OWNER.c.rep_id, reps))
    known_as = select(ACCOUNT_ALIAS.c.current_id).where(ACCOUNT_ALIAS.c.account_id.in_(said))
    aliases = select(ACCOUNT_ALIAS.c.account_id).where(ACCOUNT_ALIAS.c.current_id.in_(known_as))
    accounts = frozenset(await session.scalars(union(said, aliases)))
    owners = await owners_of(session, accounts)  # of an account that was several, the oldest one's owner counts
    return RepSight(reps, frozenset(one for one in accounts if owners.get(one) in reps))


async def visible(session: Session, view: RepSight, person_ids: Collection[str]) -> set[str]:
    """Those of these people, by their current ids, who are seen."""
    by_person: dict[str, list[Standing]] = {}
    for row in await session.execute(select(*_STANDING).where(one_of(REFERRAL.c.person_id, person_ids))):
        standing = Standing(
            row.person_id,
            State(row.state),
            row.rep_id,
            row.accepted_rep_id,
            row.account_id,
            row.closed_because,
            row.created_at,
        )
        by_person.setdefault(row.person_id, []).append(standing)
    return {one for one, standings in by_person.items() if may_see(standings, view.reps, view.accounts)}


async def stretch_of(session: Session, view: RepSight, asked: Stretch) -> tuple[list[str], str | None]:
    """The people in a stretch who are seen, and where it ends; None where nobody follows."""
    candidates = union(
        _within(asked, one_of(REFERRAL.c.rep_id, view.reps)),
        _within(asked, one_of(REFERRAL.c.account_id, view.accounts)),
        _within(asked, REFERRAL.c.state == State.UNASSIGNED.value),
    ).subquery()
    found = select(candidates.c.person_id).order_by(candidates.c.person_id).limit(asked.limit)
    person_ids = list(await session.scalars(found))
    seen = await visible(session, view, person_ids)
    end = asked.until if asked.until is not None else person_ids[-1] if len(person_ids) == asked.limit else None
    return [one for one in person_ids if one in seen], end


def _within(asked: Stretch, condition: object) -> Select[tuple[str]]:
    statement = select(REFERRAL.c.person_id).where(condition, REFERRAL.c.person_id > asked.after).distinct()  # type: ignore[arg-type]
    if asked.until is not None:
        statement = statement.where(REFERRAL.c.person_id <= asked.until)
    # each by its own index, and no more than the page needs
    inner = statement.order_by(REFERRAL.c.person_id).limit(asked.limit).subquery()
    return select(inner.c.person_id)
