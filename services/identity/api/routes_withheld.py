"""What robots did: listed apart from people, and released by a human where somebody did it after all."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chassis.context import Context
from chassis.web.auth import Caller, require
from chassis.web.problems import problem_responses
from chassis.web.routes import WRITING, Read
from contracts.limits import URL_CHARACTERS, WITHHELD, WITHHELD_DAYS
from contracts.values import Identifier, InteractionKind, WithheldReason
from people_kernel.api.pages import ID_CURSOR, NextCursor, from_id_cursor, to_id_cursor
from services.identity.api.views import RequestBody, View
from services.identity.commands import people as commands
from services.identity.domain.links import HumanDecision
from services.identity.domain.recognition import RecognitionRules
from services.identity.domain.workspace import WithheldInteraction
from services.identity.store import queries

router = APIRouter(tags=["interactions"])

_ROLES = ("marketing", "sales", "manager", "ops", "admin")
_INTERACTION = "int_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"
_SOURCE = "src_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"
_MOMENT = "2026-03-02T09:30:00Z"
_InteractionId = Annotated[
    str, Path(min_length=1, max_length=64, description="The interaction, as the list has it", examples=[_INTERACTION])
]


class WithheldQuery(BaseModel):
    """Filters are combined."""

    model_config = ConfigDict(extra="forbid")

    source_id: str | None = Field(
        default=None, min_length=1, max_length=64, description="Only what this source sent", examples=[_SOURCE]
    )
    reason: WithheldReason | None = Field(default=None, description="Why it was kept apart", examples=["honeypot"])
    cursor: str | None = Field(
        default=None, max_length=1_000, description="`next_cursor` of the page before", examples=[ID_CURSOR]
    )
    limit: int = Field(default=50, ge=1, le=200, description="How many interactions a page has at most", examples=[50])


class ReleaseRequest(RequestBody):
    reason: str = Field(
        min_length=1,
        max_length=500,
        description="Why somebody did it after all, in words",
        examples=["Mara called: her browser had filled in the hidden field"],
    )


class ReleaseView(View):
    """That somebody did it after all."""

    released_by: str = Field(description="Who said so", examples=["ada"])
    released_at: AwareDatetime = Field(description="When it was said, in UTC", examples=[_MOMENT])
    reason: str = Field(
        description="Why, in their words", examples=["Mara called: her browser had filled in the hidden field"]
    )
    person_id: str = Field(
        description="Whose it is; an id that a merge absorbed answers with the survivor",
        examples=["per_01JNQ5M0E8K3V7ZJ4T9XW2RBCD"],
    )


class WithheldView(View):
    """An interaction that is nobody's, because a robot did it."""

    interaction_id: str = Field(description="Which interaction; `:release` goes by this id", examples=[_INTERACTION])
    source_id: str = Field(description="The source that sent it", examples=[_SOURCE])
    kind: InteractionKind
    name: str | None = Field(description="Of the form, the event or the page", examples=["Request a demo"])
    path: str | None = Field(description="The page it was done on", examples=["/demo"])
    identifiers: list[Identifier] = Field(description="Who it says that it is, as it was given")
    reason: WithheldReason = Field(description="Why it is kept apart")
    sign: str = Field(description="What told it: a name in the user agent, or the trap", examples=["Googlebot/"])
    is_test: bool = Field(description="Whether a test source sent it")
    occurred_at: AwareDatetime = Field(description="When it happened, in UTC", examples=[_MOMENT])
    received_at: AwareDatetime = Field(description="When it arrived here, in UTC", examples=[_MOMENT])
    release: ReleaseView | None = Field(description="Null while it is kept apart")


class WithheldPage(View):
    """What robots did, the newest first."""

    items: list[WithheldView] = Field(description="The interactions")
    next_cursor: NextCursor


@router.get(
    "/v1/interactions/withheld",
    description=(
        "What robots did: it earned nothing, moved nobody, was counted nowhere. Of each source the newest"
        f" {WITHHELD:,} of the last {WITHHELD_DAYS} days, released ones too."
    ),
)
async def list_withheld(reading: Read, query: Annotated[WithheldQuery, Query()]) -> WithheldPage:
    """What robots did."""
    filters = query.model_dump(include={"source_id", "reason"}, exclude_none=True, mode="json")
    found = await queries.withheld(reading.session, filters, from_id_cursor(query.cursor), query.limit + 1)
    page = found[: query.limit]
    return WithheldPage(
        items=[_view(one) for one in page],
        next_cursor=to_id_cursor(page[-1].interaction_id) if len(found) > query.limit else None,
    )


@router.post("/v1/interactions/{interaction_id}:release", responses=problem_responses(403, 404))
async def release_interaction(
    interaction_id: _InteractionId,
    body: ReleaseRequest,
    context: Annotated[Context[RecognitionRules], WRITING],
    caller: Caller,
) -> WithheldView:
    """Say that somebody did this after all. From then on it counts as if it had never been kept apart: it finds its
    person, earns points as of when it happened, and may lead to a referral. Saying it again answers the same.
    """
    require(caller, *_ROLES)
    decision = HumanDecision(by=caller.subject, at=context.now, reason=body.reason)
    return _view(await commands.release_interaction(interaction_id, decision, context))


def _view(one: WithheldInteraction) -> WithheldView:
    interaction = one.capture.interaction
    page = interaction.context.get("page")
    path = interaction.properties.get("path") or (page.get("path") if isinstance(page, dict) else None)
    done = one.release
    return WithheldView(
        interaction_id=one.interaction_id,
        source_id=interaction.source_id,
        kind=interaction.kind,
        name=interaction.name,
        path=path[:URL_CHARACTERS] if isinstance(path, str) else None,
        identifiers=list(one.capture.identifiers),
        reason=one.reason,
        sign=one.sign,
        is_test=interaction.is_test,
        occurred_at=interaction.occurred_at,
        received_at=interaction.received_at,
        release=None
        if done is None
        else ReleaseView(released_by=done.by, released_at=done.at, reason=done.reason, person_id=done.person_id),
    )
