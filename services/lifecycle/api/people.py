"""Where people are, and how they came there."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from chassis.context import Context
from chassis.errors import BadInput, problem_responses
from chassis.routes import Read
from people_kernel.api.paging import AsOf, Cursor, Limit, LookupAsOfRequest, PersonId, from_cursor, to_cursor
from people_kernel.api.receipts import PersonNotFound
from people_kernel.store.placements import load_fragments_of, survivors
from people_kernel.store.receipts import Place
from services.lifecycle.api.showing import show
from services.lifecycle.api.views import HistoryPage, LookupAnswer, MoveView, PeoplePage, PersonView, StandingView
from services.lifecycle.domain.book import Standing
from services.lifecycle.domain.moves import Move, in_order, live
from services.lifecycle.handlers.rulebooks import DESK
from services.lifecycle.store import reading as store
from services.lifecycle.store.records import load_moves
from services.lifecycle.store.tables import FRAGMENT

router = APIRouter(tags=["lifecycle"])

Stage = Annotated[str | None, Query(min_length=1, max_length=50, description="Only people in this stage", examples=["mql"])]


@router.get("/v1/lifecycle/people")
async def list_people_by_stage(
    reading: Read,
    stage: Stage = None,
    include_test: Annotated[bool, Query(description="Test people too")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> PeoplePage:
    """People and where they are, those who came there last first."""
    await _refuse_unknown_stage(reading, stage)
    wanted = store.Wanted(stage, include_test, from_cursor(cursor), limit + 1)
    found = [view for standing in await store.list_standings(reading.session, wanted) for view in _standing(standing)]
    items = found[:limit]
    return PeoplePage(items=items, next_cursor=to_cursor(items[-1].entered_at, items[-1].person_id) if len(found) > limit else None)


@router.post("/v1/lifecycle/people:lookup")
async def look_stages_up(reading: Read, body: LookupAsOfRequest) -> LookupAnswer:
    """Up to 200 people by id, in one go. Ids that a merge absorbed answer with the survivor; unknown ids are left out."""
    current = await survivors(reading.session, FRAGMENT, set(body.person_ids))
    views = await show(reading, set(current.values()), body.as_of)
    return LookupAnswer(items=[views[key] for key in sorted(views)], current=dict(sorted(current.items())))


@router.get("/v1/lifecycle/people/{person_id}", responses=problem_responses(404))
async def stage_of_person(reading: Read, person_id: PersonId, as_of: AsOf = None) -> PersonView:
    """The stage a person is in, since when and why, the clocks that run and what can be done."""
    owner = await _owner(reading, person_id)
    return (await show(reading, [owner], as_of))[owner]


@router.get("/v1/lifecycle/people/{person_id}/history", responses=problem_responses(404))
async def history_of_person(reading: Read, person_id: PersonId, as_of: AsOf = None, cursor: Cursor = None, limit: Limit = 50) -> HistoryPage:
    """All moves of a person, the first one first; also those of people that they turned out to be."""
    place = from_cursor(cursor)
    owner = await _owner(reading, person_id)
    owned = (await load_fragments_of(reading.session, FRAGMENT, [owner]))[owner]
    happened = [move for move in await load_moves(reading.session, owned) if as_of is None or move.occurred_at <= as_of]
    standing = {move.move_id for move in live(happened)}
    rest = _after(in_order(happened), place)
    items = [_move(move, is_superseded=move.move_id not in standing) for move in rest[:limit]]
    return HistoryPage(items=items, next_cursor=to_cursor(items[-1].occurred_at, items[-1].move_id) if len(rest) > limit else None)


async def _owner(reading: Context, person_id: str) -> str:
    """Who answers to the id. Raises PersonNotFound."""
    owner = (await survivors(reading.session, FRAGMENT, [person_id])).get(person_id)
    if owner is None:
        raise PersonNotFound(f"Nothing was ever heard of {person_id}")
    return owner


async def _refuse_unknown_stage(reading: Context, stage: str | None) -> None:
    edition = await DESK.edition(reading)
    if stage is None or stage in edition.active.stages:
        return
    # people may still be in a stage of an older version that the active one has no more
    known = dict.fromkeys((*edition.active.stages, *(name for process in edition.by_version.values() for name in process.stages)))
    if stage not in known:
        raise BadInput(f"There is no stage {stage}", field="query.stage", remedy=f"Known are: {', '.join(known)}")


def _after(moves: list[Move], place: Place | None) -> list[Move]:
    """What follows the move that the page before ended with. The order is not that of the ids: the steps of one cause share their moment."""
    if place is None:
        return moves
    at = next((index for index, move in enumerate(moves) if move.move_id == place[1]), None)
    return [move for move in moves if move.occurred_at > place[0]] if at is None else moves[at + 1 :]


def _standing(standing: Standing) -> list[StandingView]:
    if standing.stage is None or standing.since is None or standing.entered_at is None:
        return []
    return [
        StandingView(
            person_id=standing.person_id, stage=standing.stage, since=standing.since, entered_at=standing.entered_at, is_test=standing.is_test
        )
    ]


def _move(move: Move, *, is_superseded: bool) -> MoveView:
    return MoveView(
        move_id=move.move_id,
        stage=move.stage,
        previous=move.previous,
        occurred_at=move.occurred_at,
        at=move.at,
        by=move.by,
        reason=move.reason,
        rule=move.rule,
        rulebook=move.rulebook,
        fragment_id=move.fragment_id,
        receipt_id=move.receipt_id,
        is_superseded=is_superseded,
    )
