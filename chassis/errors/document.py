"""How a problem looks on the wire: `application/problem+json` (https://www.rfc-editor.org/rfc/rfc9457), and how a route declares it."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from chassis.errors.tree import LEAVES, Problem

MEDIA_TYPE = "application/problem+json"


class ProblemField(BaseModel):
    """One field that was refused."""

    model_config = ConfigDict(extra="forbid")

    field: str = Field(description="Dotted path of the field", examples=["body.with_person_id"])
    reason: str = Field(description="Why it was refused", examples=["Field required"])
    remedy: str | None = Field(default=None, description="What would be accepted")


class ProblemDocument(BaseModel):
    """An RFC 9457 problem."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="Which kind of problem; stable", examples=["urn:rapport:problem:not-found"])
    title: str = Field(description="The kind, in words", examples=["Not found"])
    status: int = Field(description="The HTTP status", examples=[404])
    detail: str = Field(description="What is the matter this time", examples=["There is no person per_01J8"])
    instance: str | None = Field(default=None, description="The path that was asked for")
    remedy: str | None = Field(default=None, description="What would help")
    trace_id: str | None = Field(default=None, description="Quote it when you ask for help; it finds the logs")
    errors: list[ProblemField] | None = Field(default=None, description="The fields that were refused")


def render(problem: Problem, instance: str | None = None, trace_id: str | None = None) -> Response:
    """The answer that tells the caller of `problem`."""
    return Response(document(problem, instance, trace_id), status_code=problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def document(problem: Problem, instance: str | None = None, trace_id: str | None = None) -> bytes:
    """The problem as JSON. Never fails: lone surrogates, which cannot be UTF-8, are written as question marks."""
    fields: dict[str, Any] = {"type": problem.type_uri, "title": problem.title, "status": problem.status, "detail": _printable(problem.detail)}
    optional = {"instance": instance, "remedy": problem.remedy, "trace_id": trace_id}
    fields |= {name: _printable(value) for name, value in optional.items() if value is not None}
    if problem.errors:
        fields["errors"] = [_field(error.field, error.reason, error.remedy) for error in problem.errors]
    return orjson.dumps(fields)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that can answer with these problems. 400, 401, 413, 422, 500 and 503 are declared for every route already."""
    return {status: _declaration(status) for status in statuses}


def _declaration(status: int) -> dict[str, Any]:
    leaf = LEAVES[status]
    # the schema is a reference, and the model's own entry is taken out, because FastAPI would file it under application/json
    return {
        "description": (leaf.__doc__ or "").strip().splitlines()[0],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    }


def _field(field: str, reason: str, remedy: str | None) -> dict[str, str]:
    known = {"field": _printable(field), "reason": _printable(reason)}
    return known if remedy is None else known | {"remedy": _printable(remedy)}


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
