"""`POST /v1/treatments:select`: which treatment fits now? Asked by web sites, who see the
catalogue's content only, and by people and tools.

Who is meant is looked up in identity first; whoever is not known is a stranger,
and may be shown something all the same.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, Response

from chassis.errors import BadInput, Forbidden, Problem
from chassis.web.auth import Principal, require
from chassis.web.fields import WHOLE, Truth
from chassis.web.problems import problem_responses
from contracts.limits import EVENT_BYTES
from contracts.values import JsonObject, Receipt
from gateway import requests
from gateway.admin.access import State
from gateway.directory import Directory, bearer_hash
from gateway.domain.capture import CaptureSource
from gateway.domain.keys import write_key_in
from gateway.domain.refusal import CaptureRefused
from gateway.middleware import SELECT_TREATMENT
from gateway.proxy import AnsweredBadly, Upstreams
from gateway.routes import EVERYBODY

router = APIRouter(tags=["treatments"])

_SECONDS = 2.0
_SITE = "site"  # the role of a write key
_SHOWN = ("treatment_id", "name", "channel", "content")
_BY = ("user_id", "email", "anonymous_id")  # strongest first: the first that somebody goes by decides
Name = Annotated[str, Field(min_length=1, max_length=512)]


class SelectWish(BaseModel):
    """For whom, and where it will be shown."""

    model_config = ConfigDict(extra="forbid")

    user_id: Name | None = None
    email: Name | None = Field(default=None, examples=["ada@example.com"])
    anonymous_id: Name | None = Field(
        default=None, description="As analytics SDKs keep it", examples=["8f14e45f-ceea-467a-9af0-bd8ac1d7f3f8"]
    )
    person_id: Annotated[str, Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="With an API key only, and alone"
    )
    channel: Literal["web", "email", "phone", "post", "event", "any"] = Field(
        default="web", description="Where it is to be shown; `any`: the best"
    )
    limit: Annotated[int, Field(ge=1, le=5), WHOLE] = Field(default=1, description="So many treatments at most")
    context: JsonObject = Field(
        default={},
        description="What the page knows, for the receipt; at most 2,000 bytes",
        examples=[{"page": "/pricing"}],
    )
    dry_run: Truth = Field(default=False, description="Only say what would be chosen; with an API key only")
    writeKey: Annotated[str, Field(max_length=200)] | None = Field(  # noqa: N815
        default=None, description="A source's write key, if it comes in no header"
    )


class ShownTreatment(BaseModel):
    """A treatment as anybody may see it."""

    treatment_id: str | None = Field(default=None, examples=["trt_5DJAJZ480XBQMNE5ZAFDHH2QFH"])
    name: str | None = Field(default=None, examples=["Guide: planning the first ninety days"])
    channel: str | None = Field(default=None, examples=["web"])
    content: JsonObject | None = Field(
        default=None, examples=[{"headline": "Ninety days, planned", "url": "https://www.tidewater.example/guide"}]
    )


class SiteSelection(BaseModel):
    """What a write key is answered: the catalogue's content, nothing about the person."""

    treatment: ShownTreatment | None = Field(description="Null: nothing fits")
    alternatives: list[ShownTreatment] = Field(description="The next best, as many as `limit` leaves room for")


class FullSelection(SiteSelection):
    """What an API key is answered: also for whom, why, and why not the others."""

    model_config = ConfigDict(extra="allow")

    person_id: str | None = Field(default=None, description="Null for a stranger")
    stage: str | None = Field(default=None, description="Where they are on the way", examples=["engaged"])
    buying_stage: str | None = Field(
        default=None, description="What they need to hear next", examples=["consideration"]
    )
    why_not: list[JsonObject] = Field(default=[], description="What does not fit, each with its reasons in words")
    receipt: Receipt | None = Field(default=None, description="Null for a stranger: there is nobody to hang it on")
    selection_id: str | None = Field(default=None, description="Null when nothing was recorded")
    is_reused: bool = Field(default=False, description="The answer of a moment ago, because nothing changed since")
    degraded: list[str] = Field(
        default=[], description="`identity`: names could not be looked up, and a stranger was answered for"
    )


_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": SelectWish.model_json_schema()}}}}
# or `writeKey` in the body
_SECURITY: dict[str, Any] = {"security": [{"api_key": []}, {"write_key": []}, {"write_key_in_query": []}, {}]}


@router.post(
    SELECT_TREATMENT,
    response_model=FullSelection | SiteSelection,
    responses=problem_responses(400, 401, 403, 413, 422, 504),
    openapi_extra=_BODY | _SECURITY,
)
async def select_treatment(request: Request, state: State) -> Response:
    """The treatment that fits a person now. Any page may ask, with a write key like that of its captures.

    The body is read as JSON whatever its content type says, so that a page can ask without a preflight.
    """
    wish = await _wish(request)
    asker = _asker(request, state.directory, wish)
    caller = _site(asker, wish) if isinstance(asker, CaptureSource) else asker
    require(caller, *EVERYBODY, _SITE)
    try:
        person_id, degraded = await _who(state.upstreams, wish, caller)
        asked = wish.model_dump(include={"channel", "limit", "context", "dry_run"}) | (
            {} if person_id is None else {"person_id": person_id}
        )
        if isinstance(asker, CaptureSource) and asker.is_test:
            asked["is_test"] = True
        chosen = await state.upstreams.ask(
            "nurture", "POST", SELECT_TREATMENT, caller, json=asked, timeout_seconds=_SECONDS
        )
    except AnsweredBadly as bad:
        return Response(bad.body, status_code=bad.status, media_type=bad.media_type)
    return JSONResponse(_for_sites(chosen) if isinstance(asker, CaptureSource) else {**chosen, "degraded": degraded})


async def _wish(request: Request) -> SelectWish:
    try:
        raw = await requests.read_body(
            request.receive, request.headers.get("content-length", "").encode() or None, EVENT_BYTES
        )
        return SelectWish.model_validate(orjson.loads(raw))
    except CaptureRefused as refused:
        raise requests.problem_of(refused) from None
    except orjson.JSONDecodeError as error:
        raise RequestValidationError(
            [{"type": "json_invalid", "loc": ("body",), "msg": "", "ctx": {"error": str(error)}}]
        ) from None
    except ValidationError as error:
        raise RequestValidationError(
            [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_input=False)]
        ) from None


def _asker(request: Request, directory: Directory, wish: SelectWish) -> Principal | CaptureSource:
    """Whose key it is. Raises Unauthenticated."""
    authorization = request.headers.get("authorization", "")
    caller = directory.known.callers.get(bearer_hash(authorization))
    return caller or directory.source_of(
        write_key_in(authorization, wish.writeKey, request.query_params.get("writeKey"))
    )


def _site(source: CaptureSource, wish: SelectWish) -> Principal:
    """A source as a caller. Raises Forbidden for what only people and tools may ask."""
    for field, given in (("person_id", wish.person_id is not None), ("dry_run", wish.dry_run)):
        if given:
            raise Forbidden(
                f"A write key cannot send {field}", field=f"body.{field}", remedy="Send an API key, or leave it out"
            )
    return Principal(f"source:{source.source_id}", frozenset({_SITE}))


async def _who(upstreams: Upstreams, wish: SelectWish, caller: Principal) -> tuple[str | None, list[str]]:
    """The person meant, None for a stranger; and whether identity could not be asked.
    Raises BadInput for what nobody can go by.
    """
    names = {kind: value for kind in _BY if (value := getattr(wish, kind)) is not None}
    if wish.person_id is not None:
        if names:
            raise BadInput("person_id stands alone", field="body.person_id", remedy=f"Leave out {', '.join(names)}")
        return wish.person_id, []
    outcomes = await asyncio.gather(*(_found(upstreams, kind, value, caller) for kind, value in names.items()))
    known = [outcome for outcome in outcomes if isinstance(outcome, str)]
    return (known[0] if known else None), ["identity"] if any(
        isinstance(outcome, Problem) for outcome in outcomes
    ) else []


async def _found(upstreams: Upstreams, kind: str, value: str, caller: Principal) -> str | Problem | None:
    try:
        query = {kind: value, "limit": 1}
        page = await upstreams.ask("identity", "GET", "/v1/people", caller, params=query, timeout_seconds=_SECONDS)
    except AnsweredBadly as bad:
        raise BadInput(
            f"Nobody can go by this {kind}", field=f"body.{kind}", remedy="Leave it out, or correct it"
        ) from bad
    except Problem as problem:
        return problem
    return page["items"][0]["person_id"] if page["items"] else None


def _for_sites(chosen: dict[str, Any]) -> dict[str, Any]:
    treatment = chosen.get("treatment")
    # the rest is not for showing
    others = [_shown(one) for one in chosen.get("alternatives", ()) if one.get("content") is not None]
    return {"treatment": None if treatment is None else _shown(treatment), "alternatives": others}


def _shown(treatment: dict[str, Any]) -> dict[str, Any]:
    return {name: treatment[name] for name in _SHOWN if name in treatment}
