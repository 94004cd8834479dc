"""The request log of a key or source: why calls were refused, for whoever writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.web.auth import require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read
from gateway.admin.access import WATCHERS, AdminView, ApiCaller, KeyId, SourceId, State
from gateway.admin.keys import Role, found_key
from gateway.admin.sources import found_source
from gateway.peers import Peers
from gateway.request_log import REQUESTS, LoggedRequest

router = APIRouter()

_REFUSED = 400


class RequestView(AdminView):
    """A request, and how it was answered."""

    at: datetime = Field(description="When it was answered", examples=["2026-03-01T08:00:00Z"])
    method: str = Field(description="The HTTP method", examples=["POST"])
    path: str = Field(description="The path without its query, cut off at 200 characters", examples=["/v1/track"])
    status: int = Field(description="The HTTP status of the answer", examples=[422])
    reason: str | None = Field(
        default=None,
        description="Why it was refused, or the first of its events that was, in words; null: nothing was",
        examples=["event is missing; name what happened"],
    )
    user_agent: str | None = Field(
        default=None, description="Who sent it, as it says itself, cut off at 120 characters", examples=["curl/8.5.0"]
    )
    events: int | None = Field(
        default=None,
        description="Events that were taken; null where none are sent, or it was refused whole",
        examples=[1],
    )
    rejected: int | None = Field(default=None, description="Events of a batch that were refused", examples=[0])


class RequestList(AdminView):
    """The last requests of one key or source, newest first."""

    items: list[RequestView] = Field(description="The requests")
    processes: int = Field(
        description="How many gateway processes told what they remember, the one that answers among them. Each has the"
        " last 200 of a key since its start, in memory",
        examples=[1],
    )


class LastRequests(BaseModel):
    """Which of them."""

    model_config = ConfigDict(extra="forbid")

    refused: bool = Field(default=False, description="Only those that were refused, or had an event that was")
    limit: int = Field(default=REQUESTS, ge=1, le=REQUESTS, description="At most so many, the newest")


@router.get("/v1/sources/{source_id}/requests", tags=["sources"], responses=problem_responses(401, 403, 404))
async def list_source_requests(
    source_id: SourceId, reading: Read, caller: ApiCaller, state: State, last: Annotated[LastRequests, Query()]
) -> RequestList:
    """The last requests with a source's write key, also with one that is good no more: what was answered, and why."""
    require(caller, *WATCHERS)
    await found_source(reading.session, source_id)
    return await _listed(state.records.peers, source_id, last)


@router.get("/v1/keys/{key_id}/requests", tags=["keys"], responses=problem_responses(401, 403, 404))
async def list_key_requests(
    key_id: KeyId, reading: Read, caller: ApiCaller, state: State, last: Annotated[LastRequests, Query()]
) -> RequestList:
    """The last requests with an API key, also with one that is good no more: what was answered, and why."""
    require(caller, Role.ADMIN)
    await found_key(reading.session, key_id)
    return await _listed(state.records.peers, key_id, last)


async def _listed(peers: Peers, owner: str, last: LastRequests) -> RequestList:
    found, processes = await peers.requests_of(owner)
    wanted = [one for one in found if not last.refused or _is_refused(one)]
    items = [RequestView.model_validate(one._asdict()) for one in wanted[: last.limit]]
    return RequestList(items=items, processes=processes)


def _is_refused(one: LoggedRequest) -> bool:
    return one.status >= _REFUSED or bool(one.rejected)
