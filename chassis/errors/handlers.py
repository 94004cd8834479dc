"""What FastAPI, Starlette, pydantic, the store and the broker complain of, told as problems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.errors.allowed import allowed_methods
from chassis.errors.document import render
from chassis.errors.tree import LEAVES, BadInput, FieldError, Malformed, Problem, Unexpected
from chassis.telemetry import current_ids

log = structlog.get_logger()
_REMEDIES = {"missing": "Send it", "extra_forbidden": "Leave it out", "json_type": "Send JSON", "model_attributes_type": "Send application/json"}


def install_problem_handlers(app: FastAPI) -> None:
    """Has `app` answer every refusal with a problem document. What nobody foresaw is for the door (`chassis.http.door`)."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


def answer(problem: Problem, path: str) -> Response:
    """The answer that tells of `problem`, with the id of the running trace."""
    ids = current_ids()
    return render(problem, instance=path, trace_id=ids[0] if ids else None)


def from_validation(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """pydantic's errors as one problem. The input is not quoted: it may be a secret, or not even UTF-8."""
    for error in errors:
        if error["type"] == "json_invalid":
            return Malformed(f"The body is not JSON: {error.get('ctx', {}).get('error', 'it cannot be read')}", remedy="Send valid JSON")
    fields = tuple(FieldError(".".join(map(str, error["loc"])), str(error["msg"]), _REMEDIES.get(error["type"])) for error in errors)
    noun = "field is" if len(fields) == 1 else "fields are"
    return BadInput(f"{len(fields)} {noun} not acceptable: {', '.join(field.field for field in fields[:5])}", errors=fields)


def from_unexpected(error: BaseException) -> Problem:
    """What an error that nobody caught is told as. Values that no store can hold are the caller's; the rest is ours."""
    for cause in (error, getattr(error, "orig", None), error.__cause__):
        if _is_unstorable(cause):
            return BadInput(
                "A value cannot be stored: a number too large, or a character that is not text", remedy="Send smaller numbers and plain text"
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
    return answer(from_validation(error.errors()), request.url.path)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    leaf = LEAVES.get(error.status_code, Unexpected if error.status_code >= 500 else Malformed)
    response = answer(leaf(_DETAILS.get(error.status_code, error.detail)), request.url.path)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    allowed = allowed_methods(request.app.openapi()["paths"], request.url.path) if error.status_code == 405 else ()
    if allowed:
        response.headers["Allow"] = ", ".join(allowed)
    return response


_DETAILS = {404: "There is nothing at this path", 405: "This path does not take this method"}


def _is_unstorable(error: BaseException | None) -> bool:
    if error is None:
        return False
    if isinstance(error, OverflowError | UnicodeEncodeError):  # sqlite3 and asyncpg, on integers over 64 bits and lone surrogates
        return True
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str) and state.startswith("22"):  # PostgreSQL's class "data exception"
        return True
    return type(error).__name__ == "DataError" and type(error).__module__.startswith("asyncpg")
