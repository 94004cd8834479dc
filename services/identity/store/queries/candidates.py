"""Pairs of people for review, as the API asks for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import or_, select

from chassis.store.batch import one_of, rows_by
from chassis.store.session import Session
from contracts.ids import with_prefix
from contracts.values import CandidateStatus
from services.identity.domain.fragments import Fragment
from services.identity.domain.proposals.candidates import Candidate
from services.identity.store.rows import FRAGMENT_COLUMNS, to_candidate
from services.identity.store.tables import CANDIDATE, FRAGMENT


async def candidates(
    session: Session, filters: Mapping[str, str], person_id: str | None, after: str, limit: int
) -> list[Candidate]:
    """Pairs of people by exact column values, by id, after `after`; of those that wait, only who are two people now."""
    left, right = FRAGMENT.alias("left_side"), FRAGMENT.alias("right_side")
    query = (
        select(*CANDIDATE.c)
        .join(left, left.c.fragment_id == CANDIDATE.c.left_id)
        .join(right, right.c.fragment_id == CANDIDATE.c.right_id)
        .where(CANDIDATE.c.candidate_id > after, *(CANDIDATE.c[name] == value for name, value in filters.items()))
    )
    if filters.get("status") == CandidateStatus.OPEN.value:
        query = query.where(left.c.person_id != right.c.person_id)
    if person_id is not None:
        current = (
            select(FRAGMENT.c.person_id)
            .where(FRAGMENT.c.fragment_id == with_prefix("frg", person_id))
            .scalar_subquery()
        )
        query = query.where(or_(left.c.person_id == current, right.c.person_id == current))
    rows = await session.execute(query.order_by(CANDIDATE.c.candidate_id).limit(limit))
    return [to_candidate(row) for row in rows]


async def candidate(session: Session, candidate_id: str) -> Candidate | None:
    """One pair."""
    rows = await session.execute(select(*CANDIDATE.c).where(CANDIDATE.c.candidate_id == candidate_id))
    return to_candidate(rows[0]) if rows else None


async def candidates_between(session: Session, here: Collection[str], there: Collection[str]) -> list[Candidate]:
    """The pairs of which one is among these fragments and the other among those."""
    left, right = CANDIDATE.c.left_id, CANDIDATE.c.right_id
    one, other = sorted(here), sorted(there)
    across = or_(one_of(left, one) & one_of(right, other), one_of(left, other) & one_of(right, one))
    rows = await session.execute(select(*CANDIDATE.c).where(across).order_by(CANDIDATE.c.candidate_id))
    return [to_candidate(row) for row in rows]


async def with_fragments(session: Session, found: Sequence[Candidate]) -> list[tuple[Candidate, dict[str, Fragment]]]:
    """Each with the fragments that it speaks of."""
    ids = {fragment_id for one in found for fragment_id in one.fragment_ids}
    rows = await session.execute(rows_by(FRAGMENT.c.fragment_id, *FRAGMENT_COLUMNS), {"keys": sorted(ids)})
    known = {row.fragment_id: Fragment._make(row) for row in rows}
    return [(one, known) for one in found]
