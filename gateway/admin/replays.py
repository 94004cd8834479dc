"""Posts in which nobody was found, read once more: with the mapping that their form has by now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.requests import Request as HttpRequest

from chassis.errors import Conflict, NotFound
from chassis.web.auth import require
from chassis.web.problems import problem_responses
from chassis.web.routes import runtime_of
from gateway import store
from gateway.admin.access import WATCHERS, AdminView, ApiCaller, FormId, State
from gateway.store import RejectRow

router = APIRouter()


class ReplayView(AdminView):
    """What came of it."""

    recognized: bool = Field(
        description="Whether somebody is found in it now; only then it was captured", examples=[True]
    )
    reason: str | None = Field(
        default=None,
        description="Why nobody was found",
        examples=["nobody was found: no field holds an e-mail address, a phone number or a user id"],
    )
    message_id: str | None = Field(
        default=None, description="What it was captured as; a second replay is the same message", examples=["msg_5d41"]
    )


class RejectNotFound(NotFound):
    """This form has no such post."""

    slug = "reject-not-found"


class RejectNotWhole(Conflict):
    """Only the beginning of it was kept."""

    slug = "reject-not-whole"


@router.post(
    "/v1/forms/{form_id}/rejects/{reject_id}:replay", responses=problem_responses(401, 403, 404, 409, 422, 503)
)
async def replay_reject(
    form_id: FormId,
    reject_id: Annotated[int, Path(ge=1, le=2**62, description="Of GET /v1/sources/{source_id}/rejects")],
    request: HttpRequest,
    caller: ApiCaller,
    state: State,
) -> ReplayView:
    """Read a post of this form again, with its present mapping; it counts from when it came."""
    require(caller, *WATCHERS)
    runtime = runtime_of(request)
    async with runtime.reading() as reading:
        row = await store.get(reading.session, RejectRow, reject_id)
    if row is None or row.form_id != form_id:
        raise RejectNotFound("This form has no such post", field="path.reject_id")
    if row.post is None:
        remedy = "Have the service send it again: what was kept of it is its beginning"
        raise RejectNotWhole("It was too large to be kept whole", field="path.reject_id", remedy=remedy)
    found = await state.forms.take_again(form_id, row.post, row.at)
    if found.message_id is None:
        return ReplayView(recognized=False, reason=found.reason)
    async with runtime.database.begin() as session:
        await store.mark_replayed(session, reject_id, runtime.clock())
    return ReplayView(recognized=True, message_id=found.message_id)
