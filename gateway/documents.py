"""One OpenAPI document for all that can be called here, and the pages to read it on, without any outside host."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from chassis.errors import NotFound
from chassis.web.document import Document
from chassis.web.problems import problem_responses
from contracts.values import InteractionKind
from gateway.capture import ENDPOINTS
from gateway.capture_schemas import CAPTURE_SCHEMAS
from gateway.document_examples import with_examples
from gateway.document_parts import SERVERS, tags_of, without_orphans
from gateway.routes import ROUTES, Route

router = APIRouter(include_in_schema=False)

_CONTRACTS = Path(__file__).resolve().parent.parent / "contracts" / "openapi"
_ASSETS = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript", "favicon.png": "image/png"}
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Rapport API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"><link rel="icon" href="/docs/favicon.png">
<div id="swagger-ui"></div><script src="/docs/swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true})</script></html>
"""


@router.get("/openapi.json")
async def openapi_document(request: Request) -> JSONResponse:
    """The document."""
    return JSONResponse(request.app.openapi())


@router.get("/docs")
async def documentation() -> HTMLResponse:
    """The document, to be read and tried."""
    return HTMLResponse(_PAGE)


@router.get("/docs/{name}")
async def documentation_asset(name: str) -> Response:
    """What the page needs."""
    if name not in _ASSETS:
        raise NotFound("There is no such file")
    return Response(_asset(name), media_type=_ASSETS[name], headers={"cache-control": "public, max-age=86400"})


def whole_api(document: Document) -> Document:
    """The gateway's own document with captures, forms, and the paths that are passed on, as the
    services' committed documents have them.
    """
    components = document.setdefault("components", {})
    schemes = components.setdefault("securitySchemes", {})
    schemes["write_key"] = {
        "type": "http",
        "scheme": "basic",
        "description": "A source's write key as user name, no password.",
    }
    schemes["write_key_in_query"] = {"type": "apiKey", "in": "query", "name": "writeKey"}
    own = components.setdefault("schemas", {})
    own.update({name: {"title": name, **schema} for name, schema in CAPTURE_SCHEMAS.items()})
    paths = document.setdefault("paths", {})
    for path, kind in ENDPOINTS.items():
        is_one = isinstance(kind, InteractionKind)
        paths[path] = {"post": _capture_operation(path, "CaptureEvent" if is_one else "CaptureBatch")}
    paths["/v1/projects/{write_key}/settings"] = {"get": _SETTINGS_OPERATION}
    paths.setdefault("/v1/forms/{form_id}", {})["post"] = _FORM_OPERATION
    for route in ROUTES:
        _take_over(document, route)
    document["servers"], document["tags"] = SERVERS, tags_of(document)
    return with_examples(without_orphans(document))


@cache
def _asset(name: str) -> bytes:
    return (files("fastapi_offline") / "static" / name).read_bytes()


def _take_over(document: Document, route: Route) -> None:
    upstream = _service_document(route.upstream)
    operation = upstream.get("paths", {}).get(route.to or route.path, {}).get(route.method.lower())
    if operation is None:
        raise LookupError(f"{route.method} {route.path} is passed on, and the document of {route.upstream} lacks it")
    # the gateway may refuse or fail where the service would not
    own = {str(status): answer for status, answer in problem_responses(401, 403, 429, 503, 504).items()}
    taken = {**operation, "security": [{"api_key": []}], "responses": own | operation["responses"]}
    if route.to is not None:
        taken["operationId"] += "_of_person"  # the service's own path is offered too
    document["paths"].setdefault(route.path, {})[route.method.lower()] = taken
    document["components"]["schemas"].update(upstream["components"]["schemas"])


@cache
def _service_document(service: str) -> Document:
    """A service's committed document, its schemas named after it: several services have a view of a person."""
    path = _CONTRACTS / f"{service}.json"
    document: Document = json.loads(path.read_text()) if path.exists() else {"components": {"schemas": {}}}
    shared = ("ProblemDocument", "ProblemField", "ServiceStatus", "StatusFinding")
    names = {
        name: name if name in shared else service.capitalize() + name for name in document["components"]["schemas"]
    }
    document["components"]["schemas"] = {
        names[name]: {**schema, "title": names[name]} for name, schema in document["components"]["schemas"].items()
    }
    named: Document = _renamed(
        document, {f"#/components/schemas/{old}": f"#/components/schemas/{new}" for old, new in names.items()}
    )
    return named


def _renamed(node: Any, references: dict[str, str]) -> Any:
    if isinstance(node, list):
        return [_renamed(item, references) for item in node]
    if isinstance(node, dict):
        return {key: _renamed(value, references) for key, value in node.items()}
    return references.get(node, node) if isinstance(node, str) else node


def _capture_operation(path: str, body: str) -> dict[str, Any]:
    name = path.strip("/").replace("/", "_").replace("v1_", "capture_")
    return {
        "tags": ["capture"],
        "operationId": name,
        "summary": "Capture events" if body == "CaptureBatch" else "Capture an event",
        "description": (
            "JSON under any content type, gzip by Content-Encoding. 200 means on disk. The write key may also be in"
            " body or query."
        ),
        "security": [{"write_key": []}, {"write_key_in_query": []}, {}],  # or `writeKey` in the body
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}},
        },
        "responses": {
            "200": {
                "description": "On disk",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CaptureAnswer"}}},
            },
            **{
                str(status): answer
                for status, answer in problem_responses(400, 401, 403, 405, 413, 415, 422, 429, 500, 503).items()
            },
        },
    }


_SETTINGS_EXAMPLE = {
    "integrations": {"Segment.io": {"apiKey": "wk_6f1d2a0c9b", "apiHost": "leads.example.com/v1", "protocol": "https"}}
}
_SETTINGS_OPERATION: dict[str, Any] = {
    "tags": ["capture"],
    "operationId": "sdk_settings",
    "summary": "What analytics.js asks for before it sends anything",
    "parameters": [
        {
            "name": "write_key",
            "in": "path",
            "required": True,
            "description": "The write key of a web source",
            "schema": {"type": "string", "examples": ["wk_6f1d2a0c9b"]},
        }
    ],
    "responses": {
        "200": {
            "description": "Where to send",
            "content": {"application/json": {"schema": {"type": "object"}, "example": _SETTINGS_EXAMPLE}},
        },
        **{str(status): answer for status, answer in problem_responses(400, 404, 405, 500).items()},
    },
}
_FORM_SCHEMA = {
    "type": "object",
    "additionalProperties": True,
    "examples": [{"email": "ada@example.com", "first_name": "Ada", "message": "Please call me"}],
}
_FORM_ANSWER = {
    "application/json": {"schema": {"$ref": "#/components/schemas/FormAnswer"}},
    "text/html": {"schema": {"type": "string"}},
}
_FORM_OPERATION: dict[str, Any] = {
    "tags": ["capture"],
    "operationId": "submit_form",
    "summary": "Post a form",
    "description": (
        "Plain HTML form posts, or JSON: a flat object, or what a form service posts to a webhook. Answers JSON, or a"
        " page where `Accept` asks for one, or 303 to an allowed return URL. `GET` with `hub.challenge` is answered as"
        " Meta's webhooks ask it, where the form has the token as its verify_token; by any other `GET` a browser is"
        " told that the form has to be posted. Where the form has a webhook_secret, a post has to bring it or be"
        " signed with it."
    ),
    "parameters": [
        {
            "name": "form_id",
            "in": "path",
            "required": True,
            "description": "Of GET /v1/forms",
            "schema": {"type": "string", "examples": ["demo-request"]},
        }
    ],
    "requestBody": {
        "required": False,
        "content": {
            kind: {"schema": _FORM_SCHEMA}
            for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
        },
    },
    "responses": {
        "200": {"description": "On disk", "content": _FORM_ANSWER},
        "202": {"description": "On this disk, and soon on the stream", "content": _FORM_ANSWER},
        "303": {"description": "On disk; go on to the return URL"},
        **{
            str(status): answer
            for status, answer in problem_responses(400, 403, 404, 405, 413, 415, 422, 429, 500, 503).items()
        },
    },
}
