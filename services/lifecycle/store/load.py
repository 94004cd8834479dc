"""What a unit of work needs: loaded in a few selects, however many events there are."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import func, select

from chassis.store.batch import one_of, rows_by
from chassis.store.session import Session, lock
from contracts.ids import with_prefix
from people_kernel.people import Placements, placement_in
from people_kernel.store.people import load_cards, load_placements
from people_kernel.workspace import Pages
from services.lifecycle.domain.process import LifecycleProcess
from services.lifecycle.domain.sales import OPEN, Opportunity
from services.lifecycle.domain.workspace import Clock, CurrentStage, LifecycleWorkspace, Move
from services.lifecycle.store.rows import clock_of, current_stage_of, move_of, opportunity_of
from services.lifecycle.store.tables import CARD, CLOCK, CURRENT_STAGE, FRAGMENT, MOVE, OPPORTUNITY

_MOVES = rows_by(MOVE.c.fragment_id).order_by(MOVE.c.fragment_id, MOVE.c.seq)
_RUNNING = rows_by(CLOCK.c.fragment_id).where(CLOCK.c.ended_at.is_(None))

AtRisk = Callable[[Placements], Collection[str]]
"""Whose fragments may go over to others, by what is known of them."""


async def workspace(
    session: Session,
    process: LifecycleProcess,
    fragment_ids: Collection[str],
    person_ids: Collection[str] = (),
    at_risk: AtRisk | None = None,
) -> LifecycleWorkspace:
    """Everything about these fragments, these people and the present owners; the moves of those at risk.

    Locks the people on PostgreSQL.
    """
    wanted_fragments = {*fragment_ids, *(with_prefix("frg", person_id) for person_id in person_ids)}
    placements = await load_placements(session, FRAGMENT, wanted_fragments)
    people: set[str] = set()
    while wanted := ({*person_ids} | {placement_in(placements, one).person_id for one in wanted_fragments}) - people:
        people |= wanted
        if await lock(session, wanted):  # a fragment may have gone over to others before the lock was had
            placements = await load_placements(session, FRAGMENT, wanted_fragments)
    found = LifecycleWorkspace(
        process=process,
        placements=Pages(placements),
        cards=Pages(await load_cards(session, CARD, people)),
        stages=Pages(await load_current_stages(session, people)),
    )
    homes = {home for current in found.stages.values() for home in current.homes}
    found.clocks.load(await load_running_clocks(session, homes))
    if at_risk is not None:
        await _load_histories(session, found, at_risk(placements))
    return found


async def _load_histories(session: Session, found: LifecycleWorkspace, person_ids: Collection[str]) -> None:
    """The moves of these people, with whose the fragments are that they hang on."""
    if not person_ids:
        return
    homes = {home for person_id in person_ids for home in found.current_stage(person_id).homes}
    homes |= {with_prefix("frg", person_id) for person_id in person_ids}
    found.placements.load(await load_placements(session, FRAGMENT, homes))
    for move in await load_moves(session, homes):
        found.moves.setdefault(move.fragment_id, []).append(move)


async def load_current_stages(session: Session, person_ids: Collection[str]) -> dict[str, CurrentStage]:
    """Those that are known."""
    rows = await session.execute(rows_by(CURRENT_STAGE.c.person_id), {"keys": person_ids})
    return {row.person_id: current_stage_of(row) for row in rows}


async def load_moves(session: Session, fragment_ids: Collection[str]) -> list[Move]:
    """All that hang on these fragments, in the order in which they were made there."""
    rows = await session.execute(_MOVES, {"keys": fragment_ids})
    return [move_of(row) for row in rows]


async def load_running_clocks(session: Session, fragment_ids: Collection[str]) -> dict[str, Clock]:
    """Those that have not ended."""
    rows = await session.execute(_RUNNING, {"keys": fragment_ids})
    return {row.clock_id: clock_of(row) for row in rows}


async def homes_of_clocks(session: Session, clock_ids: Collection[str]) -> set[str]:
    """The fragments that these clocks hang on."""
    rows = await session.execute(rows_by(CLOCK.c.clock_id, CLOCK.c.fragment_id), {"keys": clock_ids})
    return {row.fragment_id for row in rows}


async def find_deal(session: Session, opportunity_id: str) -> Opportunity | None:
    """One by our id."""
    row = (await session.execute(select(OPPORTUNITY).where(OPPORTUNITY.c.opportunity_id == opportunity_id))).first()
    return None if row is None else opportunity_of(row)


async def find_external_deal(session: Session, external_id: str) -> Opportunity | None:
    """One by the id that another system gave it."""
    row = (await session.execute(select(OPPORTUNITY).where(OPPORTUNITY.c.external_id == external_id))).first()
    return None if row is None else opportunity_of(row)


async def count_open_deals(session: Session, fragment_ids: Collection[str]) -> int:
    """How many deals are open for whoever owns these fragments."""
    statement = select(func.count()).where(
        one_of(OPPORTUNITY.c.fragment_id, fragment_ids), OPPORTUNITY.c.status == OPEN
    )
    return int(await session.scalar(statement) or 0)
