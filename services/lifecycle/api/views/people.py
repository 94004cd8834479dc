"""People as lifecycle's answers show them: however many, in a constant number of selects."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from chassis.context import Context
from contracts.ids import with_prefix
from contracts.values import Receipt
from people_kernel.people import Placement, placement_in
from people_kernel.store.people import load_placements
from services.lifecycle.api.views import ClockView, PersonView
from services.lifecycle.domain.process import LifecycleProcess
from services.lifecycle.domain.workspace import Clock, CurrentStage, Move, present
from services.lifecycle.rulebooks import process_of
from services.lifecycle.store import queries
from services.lifecycle.store.load import load_current_stages, load_running_clocks
from services.lifecycle.store.tables import FRAGMENT


async def show(context: Context, person_ids: Collection[str], as_of: datetime | None = None) -> dict[str, PersonView]:
    """Person -> view. These must be people who are there now."""
    session, process = context.session, await process_of(context)
    stages = await load_current_stages(session, person_ids)
    placements = await load_placements(session, FRAGMENT, [with_prefix("frg", person_id) for person_id in person_ids])
    histories = await queries.moves_of_people(session, person_ids, as_of)
    found = {person_id: present(moves, process) for person_id, moves in histories.items()}
    moves = {person_id: move for person_id, move in found.items() if move is not None}
    receipts = await queries.receipts_by_id(session, {move.receipt_id for move in moves.values()})
    wakes = await queries.wake_dates(session, {move.move_id for move in moves.values()}) if as_of is None else {}
    homes = {home for current in stages.values() for home in current.homes} if as_of is None else set()
    clocks = await load_running_clocks(session, homes)
    views = {}
    for person_id in person_ids:
        current = stages.get(person_id) or CurrentStage(person_id)
        theirs = sorted(
            (one for one in clocks.values() if one.fragment_id in current.homes),
            key=lambda one: (one.due_at, one.clock_id),
        )
        placement = placement_in(placements, with_prefix("frg", person_id))
        came_later = person_id in histories and person_id not in moves
        is_early = came_later or (as_of is not None and current.seen_at is not None and as_of < current.seen_at)
        view = _view(process, current, placement, moves.get(person_id), is_early=is_early)
        view.clocks = [_clock(clock) for clock in theirs]
        _explain(view, moves.get(person_id), receipts, wakes)
        views[person_id] = view
    return views


def _view(
    process: LifecycleProcess, current: CurrentStage, placement: Placement, move: Move | None, *, is_early: bool
) -> PersonView:
    """Whoever has not moved is where everybody begins, once they were seen."""
    stage = None if is_early else process.first if move is None else move.stage
    known = None if stage is None else process.stages.get(stage)
    return PersonView(
        person_id=current.person_id,
        graph_version=placement.graph_version,
        is_test=current.is_test,
        stage=stage,
        title=None if known is None else known.title,
        kind=None if known is None else known.kind,
        previous=None if move is None else move.previous,
        since=move.occurred_at if move is not None else None if is_early else current.seen_at,
        entered_at=None if move is None else move.at,
        by=None if move is None else move.by,
        reason=None if move is None else move.reason,
        wake_at=None,
        clocks=[],
        possible=list(process.possible(stage)),
        receipt=None,
    )


def _explain(view: PersonView, move: Move | None, receipts: dict[str, Receipt], wakes: dict[str, datetime]) -> None:
    if move is None:
        return
    view.wake_at = wakes.get(move.move_id)
    receipt = receipts.get(move.receipt_id)
    view.receipt = None if receipt is None else receipt.model_copy(update={"person_id": view.person_id})


def _clock(clock: Clock) -> ClockView:
    return ClockView(
        name=clock.name,
        stage=clock.stage,
        started_at=clock.started_at,
        due_at=clock.due_at,
        breached_at=clock.breached_at,
    )
