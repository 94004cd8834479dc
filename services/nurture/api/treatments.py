"""The catalogue over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from chassis.auth import Caller, require
from chassis.errors import problem_responses
from chassis.routes import Read, Write
from people_kernel.api.paging import Limit
from services.nurture.api.requests import TreatmentRequest
from services.nurture.api.views import TreatmentsPage, TreatmentView, treatment_view
from services.nurture.domain.catalogue import Edit
from services.nurture.handlers.catalogue import add_treatment, get_treatment, revise_treatment
from services.nurture.store.treatments import load_page

router = APIRouter(tags=["treatments"])

TreatmentId = Annotated[str, Path(min_length=1, max_length=64, examples=["trt_01J8Z0"])]
Revision = Annotated[int | None, Query(ge=1, le=1_000_000, description="As it was at this revision; default: the newest")]
Cursor = Annotated[str | None, Query(max_length=64, description="`next_cursor` of the page before")]
_MAY_EDIT = ("marketing", "ops", "admin")
_KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": TreatmentView, "description": "There was one with this external id; it is as you sent it now"}
}


@router.post("/v1/treatments", status_code=201, responses=problem_responses(403, 409) | _KNOWN)
async def create_treatment(writing: Write, caller: Caller, body: TreatmentRequest, response: Response) -> TreatmentView:
    """Puts a treatment into the catalogue. One with the same `external_id` is revised instead (200).

    A mistake in `when` is named with its line and column, and with the fact that was probably meant.
    """
    require(caller, *_MAY_EDIT)
    entry, is_new = await add_treatment(writing, Edit(body.body(), body.external_id, caller.subject, writing.now))
    response.status_code = 201 if is_new else 200
    return treatment_view(entry)


@router.put("/v1/treatments/{treatment_id}", responses=problem_responses(403, 404, 409))
async def revise(writing: Write, caller: Caller, treatment_id: TreatmentId, body: TreatmentRequest) -> TreatmentView:
    """The treatment as it is from now on: a new revision, unless nothing changes. Older revisions stay, because receipts name them."""
    require(caller, *_MAY_EDIT)
    return treatment_view(await revise_treatment(writing, treatment_id, Edit(body.body(), body.external_id, caller.subject, writing.now)))


@router.get("/v1/treatments")
async def list_treatments(reading: Read, cursor: Cursor = None, limit: Limit = 50) -> TreatmentsPage:
    """The catalogue, at the newest revisions, in the order of the ids."""
    found = await load_page(reading.session, cursor, limit + 1)
    items = [treatment_view(entry) for entry in found[:limit]]
    return TreatmentsPage(items=items, next_cursor=items[-1].treatment_id if len(found) > limit else None)


@router.get("/v1/treatments/{treatment_id}", responses=problem_responses(404))
async def read_treatment(reading: Read, treatment_id: TreatmentId, revision: Revision = None) -> TreatmentView:
    """One treatment, as it is or as it was."""
    return treatment_view(await get_treatment(reading, treatment_id, revision))
