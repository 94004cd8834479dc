"""People over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from chassis.errors import BadInput, Problem
from chassis.web.auth import Principal
from chassis.web.fields import Moment
from chassis.web.problems import problem_responses
from gateway.access.rights import refuse_unseen
from gateway.access.table import operation
from gateway.admin.access import ApiCaller, State
from gateway.people import receipts
from gateway.people.parts import SECONDS, added, composed
from gateway.people.search import Search, find
from gateway.people.views import PERSON, PeoplePage, PersonView, ReceiptsPage
from gateway.proxy import AnsweredBadly, Upstreams, told_at

router = APIRouter(tags=["people"])

_READING = operation("GET", "/v1/people/{person_id}")
_READING_RECEIPTS = operation("GET", "/v1/people/{person_id}/receipts")

PersonId = Annotated[
    str,
    Path(
        max_length=64, description="A person; an id that a merge absorbed answers with the survivor", examples=[PERSON]
    ),
]


@router.get("/v1/people", response_model=PeoplePage, responses=problem_responses(401, 403, 504))
async def find_people(search: Annotated[Search, Query()], caller: ApiCaller, state: State) -> PeoplePage | Response:
    """Find people by a name they go by, by part of one, or by the stage they are in. A rep finds their own leads, their
    teams', and those whom nobody has.
    """
    try:
        found = await find(state.upstreams, search, caller)
    except AnsweredBadly as bad:
        return relayed(bad, "/v1/people")
    known, degraded = await added(state.upstreams, [item["person_id"] for item in found.items], caller, None)
    missing = sorted({*found.degraded, *degraded})
    items = [PersonView(**composed(item, known, missing)) for item in found.items]
    return PeoplePage(items=items, next_cursor=found.cursor, degraded=missing)


@router.get("/v1/people/{person_id}", response_model=PersonView, responses=problem_responses(401, 403, 404, 504))
async def read_person(
    person_id: PersonId,
    caller: ApiCaller,
    state: State,
    as_of: Annotated[
        Moment | None, Query(description="Profile, scores and stage by what had happened by that moment")
    ] = None,
    known_at: Annotated[
        Moment | None, Query(description="Who it was by the links that were known at that moment")
    ] = None,
) -> PersonView | Response:
    """One person, as all services together know them."""
    await refuse_unseen(state.upstreams, caller, _READING, [person_id])
    query = {} if known_at is None else {"known_at": known_at.isoformat()}
    asked = state.upstreams.ask(
        "identity", "GET", f"/v1/people/{_segment(person_id)}", caller, params=query, timeout_seconds=SECONDS
    )
    try:
        person = await asked
    except AnsweredBadly as bad:
        return relayed(bad, f"/v1/people/{person_id}")
    except Problem as problem:
        return await _without_identity(state.upstreams, person_id, caller, as_of, problem)
    known, degraded = await added(state.upstreams, [person["person_id"]], caller, as_of)
    return PersonView(**composed(person, known, degraded))


@router.get("/v1/people/{person_id}/receipts", responses=problem_responses(401, 403, 404, 504))
async def read_receipts(
    person_id: PersonId,
    caller: ApiCaller,
    state: State,
    page: Annotated[receipts.Page, Query()],
) -> ReceiptsPage:
    """Why everything about a person was decided as it was: scores, stage, treatment, referral; newest first."""
    await refuse_unseen(state.upstreams, caller, _READING_RECEIPTS, [person_id])
    return await receipts.read(state.upstreams, _segment(person_id), page, caller)


def relayed(bad: AnsweredBadly, path: str) -> Response:
    """What a service refused, as it told it, of the path that was asked for here."""
    return Response(told_at(bad.body, path), status_code=bad.status, media_type=bad.media_type)


async def _without_identity(
    upstreams: Upstreams, person_id: str, caller: Principal, as_of: datetime | None, problem: Problem
) -> PersonView:
    known, degraded = await added(upstreams, [person_id], caller, as_of)
    if person_id not in known:
        raise problem  # nobody who is there knows this person
    return PersonView(**composed({"person_id": person_id}, known, ["identity", *degraded]))


def _segment(person_id: str) -> str:
    if not person_id.isascii() or not person_id.replace("_", "").isalnum():
        raise BadInput("A person id holds letters, digits and underscores", field="path.person_id")
    return person_id
