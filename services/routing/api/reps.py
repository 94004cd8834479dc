"""Reps over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from chassis.auth import Caller, require
from chassis.context import Context
from chassis.errors import problem_responses
from chassis.routes import Read, Write
from people_kernel.api.paging import Cursor, Limit, from_cursor, to_cursor
from services.routing.api.rep_views import MANAGING, RepId, RepPatch, RepRequest, RepsPage, RepView, rep_view
from services.routing.domain.reps import Rep
from services.routing.handlers.reps import add_rep, change_rep, get_rep
from services.routing.store.encoding import rep_of
from services.routing.store.reading import load_of
from services.routing.store.reps import reps_page

router = APIRouter(tags=["reps"])

_KNOWN: dict[int | str, dict[str, Any]] = {200: {"model": RepView, "description": "A rep with this external id was known, and is now as given"}}
_External = Annotated[str | None, Query(min_length=1, max_length=200, description="The rep with this external id")]
_Active = Annotated[bool | None, Query(description="Only those who can be asked, or only those who cannot")]


@router.post("/v1/reps", status_code=201, responses={**_KNOWN, **problem_responses(403)})
async def create_rep(body: RepRequest, response: Response, writing: Write, caller: Caller) -> RepView:
    """A new rep. With an `external_id` that is known this changes that rep (200), so that a tool can send its list again and again.

    Who waits unassigned is offered to the rep at once, as far as team and capacity allow.
    """
    require(caller, *MANAGING)
    rep, is_new = await add_rep(_fields(body.model_dump()), caller.subject, writing)
    response.status_code = 201 if is_new else 200
    return await _view(writing, rep)


@router.get("/v1/reps")
async def list_reps(reading: Read, external_id: _External = None, is_active: _Active = None, cursor: Cursor = None, limit: Limit = 50) -> RepsPage:
    """Reps in the order they came."""
    rows = await reps_page(reading.session, (external_id, is_active), from_cursor(cursor), limit + 1)
    load = await load_of(reading.session, [row.rep_id for row in rows[:limit]])
    items = [rep_view(rep_of(row), load.get(row.rep_id, 0)) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return RepsPage(items=items, next_cursor=None if last is None else to_cursor(last.created_at, last.rep_id))


@router.get("/v1/reps/{rep_id}", responses=problem_responses(404))
async def read_rep(reading: Read, rep_id: RepId) -> RepView:
    """One rep."""
    return await _view(reading, await get_rep(rep_id, reading))


@router.patch("/v1/reps/{rep_id}", responses=problem_responses(403, 404))
async def update_rep(body: RepPatch, writing: Write, caller: Caller, rep_id: RepId) -> RepView:
    """Change what is given. What a rep was asked about goes to the next one when they become inactive; what they accepted stays theirs."""
    require(caller, *MANAGING)
    return await _view(writing, await change_rep(rep_id, _fields(body.model_dump(exclude_unset=True)), caller.subject, writing))


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    return {**given, "teams": tuple(given["teams"])} if "teams" in given else given


async def _view(context: Context, rep: Rep) -> RepView:
    return rep_view(rep, (await load_of(context.session, [rep.rep_id])).get(rep.rep_id, 0))
