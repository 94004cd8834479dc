"""How a caller is told what went wrong: the problem document (RFC 9457), and what libraries complain of as problems."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.errors import LEAVES, BadInput, FieldError, Malformed, NotFound, Problem, Unexpected
from chassis.telemetry import current_ids
from chassis.web.suggestions import actions_at, names_beside, near, near_path

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

    type: str = Field(description="Which kind of problem; stable", examples=["/problems/not-found"])
    title: str = Field(description="The kind, in words", examples=["Not found"])
    status: int = Field(description="The HTTP status", examples=[404])
    detail: str = Field(description="What is the matter this time", examples=["There is no person per_01J8"])
    instance: str | None = Field(default=None, description="The path that was asked for")
    remedy: str | None = Field(default=None, description="What would help")
    trace_id: str | None = Field(default=None, description="Quote it when you ask for help; it finds the logs")
    errors: list[ProblemField] | None = Field(default=None, description="The fields that were refused")


def render(problem: Problem, instance: str | None = None, trace_id: str | None = None) -> Response:
    """The answer that tells the caller of `problem`."""
    return Response(
        document(problem, instance, trace_id),
        status_code=problem.status,
        headers=problem.headers,
        media_type=MEDIA_TYPE,
    )


def document(problem: Problem, instance: str | None = None, trace_id: str | None = None) -> bytes:
    """The problem as JSON. Never fails: lone surrogates, which cannot be UTF-8, are written as question marks."""
    fields: dict[str, Any] = {
        "type": problem.type_uri,
        "title": problem.title,
        "status": problem.status,
        "detail": _printable(problem.detail),
    }
    optional = {"instance": instance, "remedy": problem.remedy, "trace_id": trace_id}
    fields |= {name: _printable(value) for name, value in optional.items() if value is not None}
    if problem.errors:
        fields["errors"] = [_field(error.field, error.reason, error.remedy) for error in problem.errors]
    return orjson.dumps(fields)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses=` of a route that can answer with these problems. 400, 401, 413, 422, 500 and 503 are declared for
    every route already.
    """
    return {status: _declaration(status) for status in statuses}


def _declaration(status: int) -> dict[str, Any]:
    leaf = LEAVES[status]
    # the schema is a reference, and the model's own entry is taken out, because
    # FastAPI would file it under application/json
    return {
        "description": (leaf.__doc__ or "").strip().splitlines()[0],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    }


def _field(field: str, reason: str, remedy: str | None) -> dict[str, str]:
    known = {"field": _printable(field), "reason": _printable(reason)}
    return known if remedy is None else known | {"remedy": _printable(remedy)}


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


log = structlog.get_logger()
_REMEDIES = {
    "missing": "Send it",
    "extra_forbidden": "Leave it out",
    "json_type": "Send JSON",
    "model_attributes_type": "Send a JSON object, as application/json",
}
_REASONS = {
    "missing": "It is needed",
    "extra_forbidden": "There is no such name here",
    "model_attributes_type": "Input should be an object",
    "model_type": "Input should be an object",
    "dict_type": "Input should be an object",
}
_NAMES_TOLD = 20
# steps that no caller wrote: `function-before[_whole(), int]`, `list[str]`
_HOW_IT_IS_READ = re.compile(r"[\[(]")
_TYPES = frozenset({"str", "int", "float", "bool", "decimal", "date", "datetime", "none", "list", "dict"})


def install_problem_handlers(app: FastAPI) -> None:
    """Has `app` answer every refusal with a problem document.

    What nobody foresaw is for the door (`chassis.web.middleware`).
    """
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


def answer(problem: Problem, path: str) -> Response:
    """The answer that tells of `problem`, with the id of the running trace."""
    ids = current_ids()
    return render(problem, instance=path, trace_id=ids[0] if ids else None)


def from_validation(errors: Sequence[Mapping[str, Any]], route: APIRoute | None = None) -> Problem:
    """pydantic's errors as one problem, with what was meant where `route` tells which names there are. The input is
    not quoted: it may be a secret, or not even UTF-8.
    """
    for error in errors:
        if error["type"] == "json_invalid":
            return Malformed(
                f"The body is not JSON: {error.get('ctx', {}).get('error', 'it cannot be read')}",
                remedy="Send valid JSON",
            )
    fields: dict[str, FieldError] = {}
    for error in errors:
        place = _place(error, errors)
        field = ".".join(map(str, place))
        fields.setdefault(field, FieldError(field, _reason(error), _remedy(error, place, route)))
    noun = "field is" if len(fields) == 1 else "fields are"
    return BadInput(
        f"{len(fields)} {noun} not acceptable: {', '.join(list(fields)[:5])}", errors=tuple(fields.values())
    )


def _place(error: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]) -> tuple[int | str, ...]:
    """Where the value stood, without what pydantic adds: how it validates, and which of several types it tried."""
    place = tuple(step for step in error["loc"] if not _HOW_IT_IS_READ.search(str(step)))
    if place[-1:] and place[-1] in _TYPES and sum(other["loc"][:-1] == error["loc"][:-1] for other in errors) > 1:
        return place[:-1]
    return place


def _reason(error: Mapping[str, Any]) -> str:
    return _REASONS.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")


def _remedy(error: Mapping[str, Any], place: Sequence[int | str], route: APIRoute | None) -> str | None:
    if error["type"] != "extra_forbidden" or route is None:
        return _REMEDIES.get(error["type"])
    known = names_beside(route, place)
    meant = near(str(place[-1]), known)
    if meant is not None:
        return f"Did you mean {meant}?"
    few = ", ".join(known[:_NAMES_TOLD]) + (", ..." if len(known) > _NAMES_TOLD else "")
    return f"Leave it out; known are: {few}" if known else _REMEDIES["extra_forbidden"]


def from_unexpected(error: BaseException) -> Problem:
    """What an error that nobody caught is told as. Values that no store can hold are the caller's; the rest is ours."""
    for cause in (error, getattr(error, "orig", None), error.__cause__):
        if _is_unstorable(cause):
            return BadInput(
                "A value cannot be stored: a number too large, or a character that is not text",
                remedy="Send smaller numbers and plain text",
            )
    return Unexpected("Something went wrong on our side", remedy="Try again; if it stays, quote the trace id")


async def _on_problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, Problem):
        raise error
    if error.status >= 500:
        log.warning("request.failed", problem=type(error).__name__, detail=error.detail, path=request.url.path)
    return answer(error, request.url.path)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    route = request.scope.get("route")
    return answer(from_validation(error.errors(), route if isinstance(route, APIRoute) else None), request.url.path)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    path = request.url.path
    paths = request.app.openapi()["paths"] if error.status_code in (404, 405) else {}
    if error.status_code == 404 or _is_no_action(paths, path):
        return answer(nothing_at(path, paths), path)
    leaf = LEAVES.get(error.status_code, Unexpected if error.status_code >= 500 else Malformed)
    response = answer(leaf(_DETAILS.get(error.status_code, error.detail)), path)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    allowed = allowed_methods(paths, path) if error.status_code == 405 else ()
    if allowed:
        response.headers["Allow"] = ", ".join(allowed)
    return response


def _is_no_action(paths: Mapping[str, Any], path: str) -> bool:
    actions = actions_at(paths, path)
    return bool(actions) and path.rpartition(":")[2] not in actions


def nothing_at(path: str, paths: Mapping[str, Any]) -> NotFound:
    """What somebody is told who asked for a path that is not there, with what they may have meant."""
    if actions := actions_at(paths, path):
        return NotFound(
            f"There is no action {path.rpartition(':')[2][:64]} here", remedy=f"Possible are: {', '.join(actions)}"
        )
    meant = near_path(path, paths)
    remedy = "All paths are in /openapi.json" if meant is None else f"Did you mean {meant}?"
    return NotFound("There is nothing at this path", remedy=remedy)


_DETAILS = {405: "This path does not take this method"}


def _is_unstorable(error: BaseException | None) -> bool:
    if error is None:
        return False
    if isinstance(error, OverflowError | UnicodeEncodeError):
        # sqlite3 and asyncpg, on integers over 64 bits and lone surrogates
        return True
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str) and state.startswith("22"):  # PostgreSQL's class "data exception"
        return True
    return type(error).__name__ == "DataError" and type(error).__module__.startswith("asyncpg")


def allowed_methods(paths: Mapping[str, Mapping[str, Any]], path: str) -> tuple[str, ...]:
    """The methods of the template that says most about `path` (has most fixed characters); empty when none matches."""
    matching = [template for template in paths if _pattern(template).fullmatch(path)]
    if not matching:
        return ()
    best = max(matching, key=lambda template: len(re.sub(r"{[^}]*}", "", template)))
    return tuple(sorted(method.upper() for method in paths[best]))


@lru_cache(maxsize=512)
def _pattern(template: str) -> re.Pattern[str]:
    fixed = re.split(r"{[^}]*}", template)
    return re.compile("[^/]+".join(map(re.escape, fixed)))
