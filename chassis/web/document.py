"""The OpenAPI document: every answer that the chassis can give is declared, so that a stranger's tool finds no
surprise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from chassis.web.auth import INNER_TOKEN
from chassis.web.problems import ProblemDocument, problem_responses
from contracts.descriptions import unwrapped

Document = dict[str, Any]

_VERBS = frozenset({"get", "put", "post", "delete", "patch"})
_OF_ALL = (400, 500, 503)
_OF_THE_TOKEN = (401,)
_OF_STRANGERS = (429,)
_OF_A_BODY = (413, 422)
_SCHEMA_REF = "#/components/schemas/{model}"
_TURN = Lock()


def operation_id(route: APIRoute) -> str:
    """Generated clients name their methods by it: the function's name, unless a route says otherwise."""
    return route.name


def describe(
    app: FastAPI, own_document: Callable[[], Document], rework: Callable[[Document], Document] | None, is_public: bool
) -> Document:
    """The document of `app`, made once: its own, with the problems declared, and reworked by the service if it wants
    to.
    """
    with _TURN:  # it may be made in a thread, as it takes a tenth of a second
        made: Document | None = getattr(app.state, "document", None)
        if made is None:
            made = _with_problems(own_document(), is_public)
            made = rework(made) if rework is not None else made
            made = app.state.document = unwrapped(made)
    return made


def _with_problems(document: Document, is_public: bool) -> Document:
    for operation in _operations(document):
        statuses: tuple[int, ...] = (*_OF_ALL, *_OF_STRANGERS) if is_public else (*_OF_ALL, *_OF_THE_TOKEN)
        if "requestBody" in operation:
            statuses = (*statuses, *_OF_A_BODY)
        elif "parameters" in operation:
            statuses = (*statuses, 422)
        declared = operation.setdefault("responses", {})
        _replace_validation_errors(declared)
        for status, response in problem_responses(*statuses).items():
            declared.setdefault(str(status), response)
        operation["responses"] = dict(sorted(declared.items()))
        if not is_public:
            # the door asks for it, whatever the route's dependencies are
            operation["security"] = [{INNER_TOKEN.scheme_name: []}]
    components = document.setdefault("components", {})
    if not is_public:
        components["securitySchemes"] = {
            INNER_TOKEN.scheme_name: INNER_TOKEN.model.model_dump(mode="json", by_alias=True, exclude_none=True)
        }
    schemas = components.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas.update(_problem_schemas())
    return document


def _operations(document: Document) -> Iterator[Document]:
    for path in document.get("paths", {}).values():
        for verb, operation in path.items():
            if verb in _VERBS:
                yield operation


def _replace_validation_errors(declared: Document) -> None:
    # FastAPI declares its own 422, which we never send
    schema = declared.get("422", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").endswith("/HTTPValidationError"):
        del declared["422"]


def _problem_schemas() -> Document:
    schema = ProblemDocument.model_json_schema(ref_template=_SCHEMA_REF)
    inner = schema.pop("$defs", {})
    return {"ProblemDocument": schema, **inner}
