"""The rulebook of a service over HTTP: read it, propose a version, put it in force."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from chassis.errors import BadInput, FieldError, Malformed
from chassis.store.statements import Row
from chassis.web.auth import Caller, require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write
from people_kernel.rulebook_registry import RulebookRegistry
from people_kernel.store.rulebooks import load_all

LONGEST_TEXT = 100_000  # characters of a rulebook; the longest default has 11,000

_STATES = "active: it decides from now on; draft: it waits, or was replaced"
_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_TEXT = """name: scoring
title: Fit and engagement
rules:
  - name: form_sent
    on: form
    when: true
    effect: {points: 20, half_life_days: 30}
    reason: Sent a form.
"""


class RulebookView(BaseModel):
    """One version of a rulebook, without its text."""

    version: int = Field(description="Counts up from 1, in the order of drafts", examples=[1])
    label: str = Field(description="How receipts name it", examples=["scoring@1"])
    state: str = Field(description=_STATES, examples=["draft", "active"])
    digest: str = Field(description="SHA-256 of the content", examples=[_DIGEST])
    created_at: AwareDatetime = Field(description="When it was proposed, in UTC", examples=["2026-03-01T08:00:00Z"])
    created_by: str = Field(description="Who proposed it", examples=["ada"])
    activated_at: AwareDatetime | None = Field(
        description="When it was last put in force, in UTC; null: never yet", examples=["2026-03-01T09:30:00Z"]
    )
    activated_by: str | None = Field(description="Who put it in force; null: nobody yet", examples=["ada"])


class RulebookText(RulebookView):
    """One version with its text."""

    text: str = Field(description="YAML, as it was sent", examples=[_TEXT])


class RulebooksPage(BaseModel):
    """All versions, the latest first."""

    items: list[RulebookView] = Field(description="The versions")
    next_cursor: str | None = Field(
        default=None, description="Always null: all versions are on this page", examples=[None]
    )


class DraftRequest(BaseModel):
    """A new version, as JSON; `text/yaml` with the bare text does as well."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST_TEXT, description="The rulebook's YAML", examples=[_TEXT])


Version = Annotated[int, Path(ge=1, le=1_000_000, description="A version of the rulebook", examples=[1])]
_MAY_ACTIVATE = ("marketing", "ops", "admin")
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "text/yaml": {"schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}},
            "application/json": {"schema": DraftRequest.model_json_schema()},
        },
    }
}


def rulebook_router(registry: RulebookRegistry[Any]) -> APIRouter:
    """The routes /v1/rulebooks/<name>."""
    router = APIRouter(tags=["rulebooks"])
    path = f"/v1/rulebooks/{registry.name}"

    @router.get(path, operation_id=f"list_{registry.name}_rulebooks")
    async def list_rulebooks(reading: Read) -> RulebooksPage:
        """All versions, the latest first. One of them is active: it decides from now on."""
        return RulebooksPage(
            items=[
                RulebookView(**_fields(registry.name, row)) for row in await load_all(reading.session, registry.table)
            ]
        )

    @router.post(
        path,
        status_code=201,
        responses=problem_responses(403, 409),
        openapi_extra=_BODY,
        operation_id=f"propose_{registry.name}_rulebook",
    )
    async def propose_rulebook(request: Request, writing: Write, caller: Caller) -> RulebookText:
        """A new version, as a draft. A text with the same content as a version there is answers with that one.

        Every mistake is named with its line and column.
        """
        require(caller, *_MAY_ACTIVATE)
        row = await registry.add_draft(
            writing, _text_of(request.headers.get("content-type", ""), await request.body()), caller.subject
        )
        return RulebookText(**_fields(registry.name, row), text=row.document)

    @router.post(
        f"{path}/{{version:int}}:activate",
        responses=problem_responses(403, 404, 409),
        operation_id=f"activate_{registry.name}_rulebook",
    )
    async def activate_rulebook(writing: Write, caller: Caller, version: Version) -> RulebookView:
        """From now on this version decides; its examples must pass. Receipts written before keep their
        version. Activate an older one to go back.
        """
        require(caller, *_MAY_ACTIVATE)
        return RulebookView(**_fields(registry.name, await registry.activate(writing, version, caller.subject)))

    @router.get(
        f"{path}/{{version:int}}", responses=problem_responses(404), operation_id=f"read_{registry.name}_rulebook"
    )
    async def read_rulebook(reading: Read, version: Version) -> RulebookText:
        """One version with its text."""
        row = await registry.get(reading, version)
        return RulebookText(**_fields(registry.name, row), text=row.document)

    return router


def _text_of(content_type: str, body: bytes) -> str:
    if "json" not in content_type:
        return _checked(_decoded(body))
    try:
        return _checked(DraftRequest.model_validate_json(body).text)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise Malformed("The body is not JSON", remedy="Send valid JSON, or text/yaml") from None
        errors = [
            FieldError(".".join(("body", *map(str, one["loc"]))), one["msg"])
            for one in error.errors(include_input=False, include_url=False)
        ]
        raise BadInput("The body is not a draft", errors=errors, remedy='Send {"text": "..."}') from None


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8", remedy="Send the YAML as UTF-8") from None


def _checked(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise BadInput(
            f"The text is longer than {LONGEST_TEXT} characters", field="body.text", remedy="Send a shorter rulebook"
        )
    if not text.strip() or "\0" in text:
        raise BadInput(
            "The text is empty or holds a NUL character", field="body.text", remedy="Send the rulebook's YAML"
        )
    return text


def _fields(name: str, row: Row) -> dict[str, Any]:
    return {
        "version": row.version,
        "label": f"{name}@{row.version}",
        "state": row.state,
        "digest": row.digest,
        "created_at": row.created_at,
        "created_by": row.created_by,
        "activated_at": row.activated_at,
        "activated_by": row.activated_by,
    }
