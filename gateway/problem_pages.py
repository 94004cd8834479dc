"""A page for each kind of problem: the `type` of a problem document is its path here."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header
from fastapi import Path as InPath
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, JSONResponse, Response

from chassis.errors import TYPE_PREFIX, NotFound
from chassis.web.problems import problem_responses
from chassis.web.suggestions import near

router = APIRouter(tags=["problems"])

_CATALOGUE: Final = Path(__file__).resolve().parent.parent / "contracts" / "problem_types.json"
_STYLE: Final = (
    "body{font:1rem/1.5 system-ui;margin:3rem auto;max-width:44rem;padding:0 1rem}"
    "code{background:#8882;padding:.1em .3em}dt{font-weight:600;margin-top:1rem}dd{margin:0}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#eee}a{color:#9cf}}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "public, max-age=3600",
    "x-content-type-options": "nosniff",
    "vary": "accept",
}
_PAGE: Final = (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>{title}</title><style>{style}</style></head>\n<body><h1>{title}</h1>{rest}</body></html>\n"
)
_BY_STATUS: Final = {
    400: "The request could not be read. Send it as the API documentation has it.",
    401: "Send a key that is good: a source's write key for captures, an API key for all else.",
    403: "The key is good and may not do this. Ask whoever gives out keys, or use another.",
    404: "Nothing of that name is here for this key. Look at the id or the path again.",
    405: "The path is right and takes other methods; `Allow` names them.",
    408: "The request took too long to arrive. Send it again over a better connection.",
    409: "It does not fit the state that things are in. Read what is there now, and decide again.",
    410: "It was here and is gone for good.",
    413: "It is larger than what is read here. Send less at once.",
    415: "Send the content type that the API documentation names.",
    422: "`errors` names each field that was refused, why, and what would be accepted.",
    429: "Wait as long as `Retry-After` says, then send it again.",
    500: "The fault is ours. Try again; if it stays, quote `trace_id`.",
    503: "It passes. Try again after `Retry-After`.",
    504: "It passes. Try again in a moment.",
}


class ProblemType(BaseModel):
    """A kind of problem."""

    slug: str = Field(description="Its name, the end of `type`", examples=["person-not-found"])
    type: str = Field(description="`type` of problem documents of this kind", examples=["/problems/person-not-found"])
    title: str = Field(description="The kind, in words", examples=["Person not found"])
    status: int = Field(description="The HTTP status that it comes with", examples=[404])
    meaning: str = Field(description="What it means", examples=["Nothing was ever heard of this person."])
    remedy: str = Field(
        description="What helps in general; a problem document says what helps this time",
        examples=["Look at the id or the path again."],
    )


class ProblemTypes(BaseModel):
    """Every kind of problem."""

    items: list[ProblemType] = Field(description="By name")


Accept = Annotated[str, Header(description="`text/html` for a page, else JSON")]


@router.get("/problems", response_model=ProblemTypes)
async def list_problem_types(accept: Accept = "") -> Response:
    """Every kind of problem that an answer can name, as a page for browsers and as JSON for all others."""
    known = [_told(one) for one in _known().values()]
    if "text/html" not in accept:
        return JSONResponse({"items": known}, headers=_HEADERS)
    items = "".join(
        f'<dt><a href="{one["type"]}">{html.escape(one["title"])}</a> ({one["status"]})</dt>'
        f"<dd>{html.escape(one['meaning'])}</dd>"
        for one in known
    )
    return _page("Problems", f"<p>What the API refuses, and why.</p><dl>{items}</dl>")


@router.get("/problems/{name}", response_model=ProblemType, responses=problem_responses(404))
async def read_problem_type(
    name: Annotated[str, InPath(max_length=64, description="The end of `type`", examples=["person-not-found"])],
    accept: Accept = "",
) -> Response:
    """What a kind of problem means, and what helps."""
    known = _known().get(name)
    if known is None:
        meant = near(name, _known())
        remedy = "All are listed at /problems" if meant is None else f"Did you mean {TYPE_PREFIX}{meant}?"
        raise NotFound("There is no problem of this name", field="path.name", remedy=remedy)
    told = _told(known)
    if "text/html" not in accept:
        return JSONResponse(told, headers=_HEADERS)
    rest = (
        f"<p>{html.escape(told['meaning'])}</p><h2>What helps</h2><p>{_words(told['remedy'])}</p>"
        f"<p>It comes with status {told['status']} and <code>type: {told['type']}</code>; <code>detail</code> and"
        ' <code>remedy</code> of the answer say what was the matter that time. <a href="/problems">All problems</a>,'
        ' <a href="/docs">the API</a>.</p>'
    )
    return _page(told["title"], rest)


@cache
def _known() -> Mapping[str, Mapping[str, Any]]:
    return {one["slug"]: one for one in json.loads(_CATALOGUE.read_text())}


def _told(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "type": TYPE_PREFIX + one["slug"], "remedy": _BY_STATUS[one["status"]]}


def _words(text: str) -> str:
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))


def _page(title: str, rest: str) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=html.escape(title), style=_STYLE, rest=rest), headers=dict(_HEADERS))
