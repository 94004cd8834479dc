"""Tests among the people."""

from __future__ import annotations

from fastapi import APIRouter

from chassis.auth import Caller, require
from chassis.errors import problem_responses
from chassis.routes import Write
from services.identity import handlers
from services.identity.api.people import people_views
from services.identity.api.views import MarkRequest, PersonId, PersonView

router = APIRouter(tags=["people"])


@router.post("/v1/people/{person_id}:mark", responses=problem_responses(403, 404))
async def mark(person_id: PersonId, body: MarkRequest, context: Write, caller: Caller) -> PersonView:
    """Say that somebody is a test, so that they never reach a sales rep or a report; or, with `false`, that they are none after all.

    Whom only test sources saw stays a test until something real is captured, whatever is said here.
    """
    require(caller, "marketing", "ops", "admin")
    current = await handlers.mark_person(person_id, context, is_test=body.is_test, by=caller.subject)
    (view,) = await people_views(context, [current])
    return view
