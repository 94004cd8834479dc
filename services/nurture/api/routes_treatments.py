"""The catalogue of treatments, and the one that fits somebody now."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError
from starlette.requests import HTTPConnection

from chassis.runtime import Runtime
from chassis.web.auth import Caller, require
from chassis.web.fields import WHOLE, Truth
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write
from contracts.events.scoring import Attribute
from contracts.values import Scores
from people_kernel.api.pages import Cursor, Limit, from_id_cursor, to_id_cursor
from services.nurture.api.views import TreatmentRequest, TreatmentsPage, TreatmentView
from services.nurture.commands import add_treatment, get_treatment, revise_treatment, select_treatment
from services.nurture.domain.browsers import BrowserCard
from services.nurture.domain.outgoing_events import Answer, TreatmentQuery
from services.nurture.domain.treatments import CatalogueEntry, Channel, TreatmentEdit
from services.nurture.store import queries
from services.nurture.store.load import CompiledCatalogue

router = APIRouter(tags=["treatments"])

TreatmentId = Annotated[str, Path(min_length=1, max_length=64, description="A treatment", examples=["trt_01J8Z0"])]
Revision = Annotated[
    int | None, Query(ge=1, le=1_000_000, description="As it was at this revision; default: the newest")
]
_LONGEST_CONTEXT = 2_000  # bytes of JSON; it is kept in every receipt
_MAY_EDIT = ("marketing", "ops", "admin")
_KNOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": TreatmentView, "description": "There was one with this external id; it is as you sent it now"}
}


def _short(context: dict[str, Any]) -> dict[str, Any]:
    try:
        length = len(orjson.dumps(context))
    except (TypeError, orjson.JSONEncodeError):
        raise PydanticCustomError(
            "context", "The context should be plain JSON: numbers of 64 bits at most, and well-formed text"
        ) from None
    if length > _LONGEST_CONTEXT:
        raise PydanticCustomError(
            "context", f"The context should have at most {_LONGEST_CONTEXT} bytes as JSON; it has {length}"
        )
    return context


class SelectRequest(BaseModel):
    """Whom a treatment is wanted for. Without `person_id`, or with one nobody answers to, for a stranger."""

    model_config = ConfigDict(extra="forbid")

    person_id: str | None = Field(
        default=None, min_length=1, max_length=64, description="The person; null: a stranger", examples=["per_01J8Z0"]
    )
    channel: Channel | Literal["any"] = Field(
        default=Channel.WEB, description="Where it is to be shown; `any`: whatever fits best"
    )
    limit: Annotated[int, Field(ge=1, le=5), WHOLE] = Field(
        default=1, description="So many treatments are answered with their content"
    )
    context: Annotated[dict[str, JsonValue], AfterValidator(_short)] = Field(
        default={},
        description="Where it is asked, kept in the receipt; at most 2,000 bytes",
        examples=[{"page": {"path": "/pricing"}}],
    )
    dry_run: Truth = Field(default=False, description="Choose, and record nothing")
    is_test: Truth = Field(
        default=False, description="Asked by a test source: recorded as a test, and no limit is used up"
    )

    def ask(self) -> TreatmentQuery:
        """The same in the words of the domain."""
        channel = None if self.channel == "any" else Channel(self.channel)
        return TreatmentQuery(self.person_id, channel, self.limit, self.context, self.is_test, self.dry_run)


class AskingBrowser(BaseModel):
    """A browser as scoring tells of it."""

    model_config = ConfigDict(extra="forbid")

    fragment_id: str = Field(min_length=1, max_length=64, examples=["frg_01J8Z0"])
    profile: dict[str, Attribute] = Field(description="What was told in it, by attribute")
    scores: Scores
    is_named: Truth = Field(description="Whether somebody told a user id, an address or a number in it")


class BrowserSelectRequest(BaseModel):
    """Which browser a treatment is wanted for, to be shown on a page; without one, for a stranger."""

    model_config = ConfigDict(extra="forbid")

    browser: AskingBrowser | None = None
    limit: Annotated[int, Field(ge=1, le=5), WHOLE] = Field(
        default=1, description="So many treatments are answered with their content"
    )
    context: Annotated[dict[str, JsonValue], AfterValidator(_short)] = Field(
        default={}, description="Where it is asked, kept in the receipt; at most 2,000 bytes"
    )
    is_test: Truth = Field(default=False, description="Asked by a test source")

    def ask(self) -> TreatmentQuery:
        """The same in the words of the domain."""
        told = self.browser
        card = None if told is None else BrowserCard(told.fragment_id, told.profile, told.scores, told.is_named)
        return TreatmentQuery(None, Channel.WEB, self.limit, self.context, self.is_test, False, card)


def treatment_view(entry: CatalogueEntry) -> TreatmentView:
    """A treatment as it is told."""
    return TreatmentView(
        **entry.body.model_dump(),
        treatment_id=entry.treatment_id,
        revision=entry.revision,
        latest_revision=entry.latest,
        external_id=entry.external_id,
        is_starter=entry.is_starter,
        created_at=entry.created_at,
        revised_at=entry.revised_at,
        revised_by=entry.revised_by,
    )


@router.post("/v1/treatments", status_code=201, responses=problem_responses(403, 409) | _KNOWN)
async def create_treatment(writing: Write, caller: Caller, body: TreatmentRequest, response: Response) -> TreatmentView:
    """Puts a treatment into the catalogue. One with the same `external_id` is revised instead (200).

    A mistake in `when` is named with its line and column, and with the fact that was probably meant.
    """
    require(caller, *_MAY_EDIT)
    entry, is_new = await add_treatment(
        writing, TreatmentEdit(body.body(), body.external_id, caller.subject, writing.now)
    )
    response.status_code = 201 if is_new else 200
    return treatment_view(entry)


@router.put("/v1/treatments/{treatment_id}", name="revise_treatment", responses=problem_responses(403, 404, 409))
async def revise(writing: Write, caller: Caller, treatment_id: TreatmentId, body: TreatmentRequest) -> TreatmentView:
    """The treatment as it is from now on: a new revision, unless nothing changes. Older
    revisions stay, because receipts name them.
    """
    require(caller, *_MAY_EDIT)
    return treatment_view(
        await revise_treatment(
            writing, treatment_id, TreatmentEdit(body.body(), body.external_id, caller.subject, writing.now)
        )
    )


@router.get("/v1/treatments")
async def list_treatments(reading: Read, cursor: Cursor = None, limit: Limit = 50) -> TreatmentsPage:
    """The catalogue, at the newest revisions, in the order of the ids."""
    found = await queries.treatments(reading.session, from_id_cursor(cursor), limit + 1)
    items = [treatment_view(entry) for entry in found[:limit]]
    return TreatmentsPage(items=items, next_cursor=to_id_cursor(items[-1].treatment_id) if len(found) > limit else None)


@router.get("/v1/treatments/{treatment_id}", responses=problem_responses(404))
async def read_treatment(reading: Read, treatment_id: TreatmentId, revision: Revision = None) -> TreatmentView:
    """One treatment, as it is or as it was."""
    return treatment_view(await get_treatment(reading, treatment_id, revision))


async def _running(connection: HTTPConnection) -> Runtime[CompiledCatalogue]:
    runtime: Runtime[CompiledCatalogue] = connection.app.state.runtime
    return runtime  # async: a plain function would be run in a thread


@router.post("/v1/treatments:select")
async def select(runtime: Annotated[Runtime[CompiledCatalogue], Depends(_running)], body: SelectRequest) -> Answer:
    """The treatment that fits somebody now, those that come after it, and why the rest does not fit.

    Asked again while nothing changed, it answers the same for half an hour, and records nothing new.
    """
    return await select_treatment(runtime, body.ask())


@router.post("/v1/browsers:select-treatment", responses=problem_responses(403))
async def select_for_browser(
    runtime: Annotated[Runtime[CompiledCatalogue], Depends(_running)], caller: Caller, body: BrowserSelectRequest
) -> Answer:
    """The treatment that fits on a page now, by what was done in this one browser and by nothing else: whoever it is
    linked to, their stage, consent and showings make no difference, and nothing is recorded on them.
    """
    require(caller, "site")
    return await select_treatment(runtime, body.ask())
