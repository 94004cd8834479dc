"""People as the answers show them, however many in a constant number of selects."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from chassis.context import Context
from contracts.ids import with_prefix
from contracts.values import Receipt
from people_kernel.placements import Placement, placement_in
from people_kernel.store.placements import load_fragments_of, load_placements
from services.lifecycle.api.views import ClockView, PersonView
from services.lifecycle.domain.book import Clock, Standing
from services.lifecycle.domain.moves import Move, present
from services.lifecycle.domain.process import Process
from services.lifecycle.handlers.rulebooks import process_of
from services.lifecycle.store import reading as store
from services.lifecycle.store.records import load_moves, load_running_clocks, load_standings
from services.lifecycle.store.tables import FRAGMENT


async def show(context: Context, person_ids: Collection[str], as_of: datetime | None = None) -> dict[str, PersonView]:
    """Person -> view. These must be people who are there now."""
    session, process = context.session, await process_of(context)
    standings = await load_standings(session, person_ids)
    placements = await load_placements(session, FRAGMENT, [with_prefix("frg", person_id) for person_id in person_ids])
    moves, early = await _moves(context, process, person_ids, as_of)
    receipts = await store.receipts_by_id(session, {move.receipt_id for move in moves.values()})
    wakes = await store.wake_dates(session, {move.move_id for move in moves.values()}) if as_of is None else {}
    homes = {home for standing in standings.values() for home in standing.homes} if as_of is None else set()
    clocks = await load_running_clocks(session, homes)
    views = {}
    for person_id in person_ids:
        standing = standings.get(person_id) or Standing(person_id)
        theirs = sorted((one for one in clocks.values() if one.fragment_id in standing.homes), key=lambda one: (one.due_at, one.clock_id))
        placement = placement_in(placements, with_prefix("frg", person_id))
        is_early = person_id in early or (as_of is not None and standing.seen_at is not None and as_of < standing.seen_at)
        view = _view(process, standing, placement, moves.get(person_id), is_early=is_early)
        view.clocks = [_clock(clock) for clock in theirs]
        _explain(view, moves.get(person_id), receipts, wakes)
        views[person_id] = view
    return views


async def _moves(context: Context, process: Process, person_ids: Collection[str], as_of: datetime | None) -> tuple[dict[str, Move], set[str]]:
    """Person -> the move they stand on; with `as_of`, of what had happened by then. And who had not been seen by then: all their moves came later."""
    owned = await load_fragments_of(context.session, FRAGMENT, person_ids)
    owner = {fragment_id: person_id for person_id, fragments in owned.items() for fragment_id in fragments}
    by_person: dict[str, list[Move]] = {}
    for move in await load_moves(context.session, owner):
        happened = by_person.setdefault(owner[move.fragment_id], [])
        if as_of is None or move.occurred_at <= as_of:
            happened.append(move)
    found = {person_id: present(moves, process) for person_id, moves in by_person.items()}
    return {person_id: move for person_id, move in found.items() if move is not None}, {key for key, move in found.items() if move is None}


def _view(process: Process, standing: Standing, placement: Placement, move: Move | None, *, is_early: bool) -> PersonView:
    """Whoever has not moved is where everybody begins, once they were seen."""
    stage = None if is_early else process.first if move is None else move.stage
    known = None if stage is None else process.stages.get(stage)
    return PersonView(
        person_id=standing.person_id,
        graph_version=placement.graph_version,
        is_test=standing.is_test,
        stage=stage,
        title=None if known is None else known.title,
        kind=None if known is None else known.kind,
        previous=None if move is None else move.previous,
        since=move.occurred_at if move is not None else None if is_early else standing.seen_at,
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
    return ClockView(name=clock.name, stage=clock.stage, started_at=clock.started_at, due_at=clock.due_at, breached_at=clock.breached_at)
