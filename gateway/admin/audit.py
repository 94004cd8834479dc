"""The audit over HTTP: to be read by those who keep the installation, and changed by nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.web.auth import require
from chassis.web.fields import Moment
from chassis.web.problems import problem_responses
from chassis.web.routes import Read
from gateway.admin.access import KEEPERS, AdminView, ApiCaller
from gateway.audit import entries
from gateway.audit.entries import AuditFilter

router = APIRouter(tags=["audit"])

_DONE, _REFUSED, _FAILED = "done", "refused", "failed"
_UNKNOWN = "unknown"
_LEAST_REFUSAL, _LEAST_FAILURE = 400, 500
Text = Annotated[str | None, Field(min_length=1, max_length=600, pattern=r"^[^\x00]*$")]


class AuditEntryView(AdminView):
    """Who did or saw what. No body, no query, no secret."""

    audit_id: int = Field(description="Its number; later entries have greater ones", examples=[4711])
    at: datetime = Field(description="When it was asked for", examples=["2026-03-01T08:00:00Z"])
    principal: str = Field(
        description="Who: the subject of the API key, or `<issuer>#<sub>` of a token", examples=["dana@acme.test"]
    )
    roles: list[str] = Field(description="As what", examples=[["marketing"]])
    key_id: str | None = Field(
        description="With which API key; null: with a token of the sign-in service",
        examples=["key_01M80JJ5Y0W1TJ1R02BCAFQ80A"],
    )
    operation: str = Field(description="What: the operationId of this document", examples=["merge_people"])
    method: str = Field(description="The HTTP method", examples=["POST"])
    objects: list[str] = Field(
        description="What it was about: ids in the path, of what was made, of the people in a list (200 at most)",
        examples=[["per_01M80JJ5Y0W1TJ1R02BCAFQ80A"]],
    )
    status: int | None = Field(
        description="The HTTP status of the answer; null: the process ended before it was known", examples=[200]
    )
    outcome: str = Field(
        description="done; refused (4xx); failed (5xx); unknown: it was begun, and who did it has to be asked",
        examples=["done"],
    )
    request_id: str | None = Field(
        description="The trace id of the request: problems carry it, and so do logs",
        examples=["4bf92f3577b34da6a3ce929d0e0e4736"],
    )


class AuditPage(AdminView):
    """Entries, newest first."""

    items: list[AuditEntryView] = Field(description="The entries of this page")
    next_cursor: str | None = Field(
        description="Send it as `cursor` for what is older; null after the last", examples=["4661"]
    )


class AuditSearch(BaseModel):
    """Which entries; all that is given has to be true of each."""

    model_config = ConfigDict(extra="forbid")

    principal: Text = Field(default=None, description="Of this principal", examples=["dana@acme.test"])
    object_id: Text = Field(default=None, description="About this", examples=["per_01M80JJ5Y0W1TJ1R02BCAFQ80A"])
    operation: Text = Field(default=None, description="This operation", examples=["merge_people"])
    since: Moment | None = Field(default=None, description="From this moment on", examples=["2026-03-01T00:00:00Z"])
    until: Moment | None = Field(default=None, description="Before this moment", examples=["2026-04-01T00:00:00Z"])
    cursor: int | None = Field(default=None, ge=1, le=2**62, description="`next_cursor` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="At most so many items")


@router.get("/v1/audit", responses=problem_responses(401, 403))
async def list_audit(reading: Read, caller: ApiCaller, search: Annotated[AuditSearch, Query()]) -> AuditPage:
    """Who changed what, and who saw the data of which person, newest first. A change is here before it is begun, what
    was seen within a second.
    """
    require(caller, *KEEPERS)
    wanted = AuditFilter(
        search.principal, search.object_id, search.operation, search.since, search.until, search.cursor
    )
    rows = await entries.found(reading.session, wanted, search.limit)
    items = [AuditEntryView.model_validate({**row._asdict(), "outcome": _outcome(row.status)}) for row in rows]
    return AuditPage(items=items, next_cursor=str(rows[-1].audit_id) if len(rows) == search.limit else None)


def _outcome(status: int | None) -> str:
    if status is None:
        return _UNKNOWN
    if status >= _LEAST_FAILURE:
        return _FAILED
    return _REFUSED if status >= _LEAST_REFUSAL else _DONE
