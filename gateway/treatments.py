"""`POST /v1/treatments:select`: which treatment fits now? Asked by web sites, their servers, and by people and tools.

A web site's key is public, and anybody can type anybody's address: it may ask about one browser, and the answer rests
on what was done and told in that browser alone. Servers, people and tools are believed: who they mean is looked up in
identity, and whoever is not known is a stranger, who may be shown something all the same.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from chassis.errors import BadInput, Forbidden, Problem
from chassis.web.auth import Principal, require
from chassis.web.problems import problem_responses
from contracts.limits import EVENT_BYTES
from contracts.values import JsonObject, SourceKind
from gateway import requests
from gateway.access.policy import SITE, is_limited
from gateway.access.rights import refuse_unseen, seen
from gateway.access.table import operation
from gateway.admin.access import State
from gateway.admission import Arriving
from gateway.directory import Directory, bearer_hash
from gateway.domain.capture import CaptureSource
from gateway.domain.keys import write_key_in
from gateway.domain.refusal import CaptureRefused
from gateway.middleware import SELECT_TREATMENT
from gateway.proxy import AnsweredBadly, Upstreams, told_at
from gateway.treatment_views import FullSelection, SelectWish, SiteSelection

router = APIRouter(tags=["treatments"])

_SECONDS = 2.0
_SELECTING = operation("POST", SELECT_TREATMENT)
_SHOWN = ("treatment_id", "name", "channel", "content")
_BROWSERS = "/v1/browsers:lookup"  # of identity, and of scoring
_FOR_BROWSER = "/v1/browsers:select-treatment"
_BY_SERVER = "Send the page's anonymous_id; or ask from your server, with a server's key or an API key"
_BY = ("user_id", "email", "anonymous_id")  # strongest first: the first that somebody goes by decides


_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": SelectWish.model_json_schema()}}}}
# or `writeKey` in the body
_SECURITY: dict[str, Any] = {"security": [{"api_key": []}, {"write_key": []}, {"write_key_in_query": []}, {}]}


_WRITE_KEY = {
    "name": "writeKey",
    "in": "query",
    "description": "A source's write key, where a header cannot be set",
    "schema": {"type": "string", "maxLength": 512},
}


@router.post(
    SELECT_TREATMENT,
    response_model=FullSelection | SiteSelection,
    responses=problem_responses(400, 401, 403, 413, 422, 429, 504),
    openapi_extra=_BODY | _SECURITY | {"parameters": [_WRITE_KEY]},
)
async def select_treatment(request: Request, state: State) -> Response:
    """The treatment that fits now. Any page may ask, with a write key like that of its captures: about one browser, and
    it is answered by what was done and told in that browser alone.

    The body is read as JSON whatever its content type says, so that a page can ask without a preflight.
    """
    wish = await _wish(request)
    asker = _asker(request, state.directory, wish)
    if isinstance(asker, CaptureSource):
        incoming = requests.Incoming(request.scope)
        address = incoming.sender(state.capture.trusted_proxies).ip
        state.capture.admission.admit(Arriving(asker, address, incoming.page_origin()))
    caller = _site(asker, wish) if isinstance(asker, CaptureSource) else asker
    require(caller, *_SELECTING.roles)
    is_test = {"is_test": True} if isinstance(asker, CaptureSource) and asker.is_test else {}
    try:
        if _is_public(asker):
            path, (asked, degraded) = _FOR_BROWSER, await _about_browser(state.upstreams, wish, caller)
        else:
            path, (asked, degraded) = SELECT_TREATMENT, await _about_person(state.upstreams, wish, caller)
        chosen = await state.upstreams.ask(
            "nurture", "POST", path, caller, json=asked | is_test, timeout_seconds=_SECONDS
        )
    except AnsweredBadly as bad:
        return Response(told_at(bad.body, SELECT_TREATMENT), status_code=bad.status, media_type=bad.media_type)
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
    known = directory.caller_by_hash(bearer_hash(authorization))
    if known is not None:
        return known.principal
    write_key = write_key_in(authorization, wish.writeKey, request.query_params.get("writeKey"))
    requests.Incoming(request.scope).belongs_to(directory.owner_of(write_key))
    return directory.source_of(write_key)


def _site(source: CaptureSource, wish: SelectWish) -> Principal:
    """A source as a caller. Raises Forbidden for what only people and tools may ask."""
    is_public = _is_public(source)
    for field, given, remedy in (
        ("person_id", wish.person_id is not None, "Send an API key, or leave it out"),
        ("dry_run", wish.dry_run, "Send an API key, or leave it out"),
        ("user_id", is_public and wish.user_id is not None, _BY_SERVER),
        ("email", is_public and wish.email is not None, _BY_SERVER),
        ("channel", is_public and wish.channel != "web", "Leave it out: a page shows what is for the web"),
    ):
        if given:
            whose = "public write key" if is_public else "write key"
            raise Forbidden(f"A {whose} cannot send {field}", field=f"body.{field}", remedy=remedy)
    return Principal(f"source:{source.source_id}", frozenset({SITE}))


def _is_public(asker: Principal | CaptureSource) -> bool:
    """Whether it is a key that anybody can read in a page."""
    return isinstance(asker, CaptureSource) and asker.kind is SourceKind.WEB


async def _about_browser(upstreams: Upstreams, wish: SelectWish, caller: Principal) -> tuple[JsonObject, list[str]]:
    """What nurture is asked about a browser: all that scoring has of it, and of nobody else. Without an anonymous id,
    of a browser that was never heard of, and while identity or scoring is away, it is a stranger.
    """
    asked = wish.model_dump(include={"limit", "context"})
    if wish.anonymous_id is None:
        return asked, []
    try:
        found = await _looked_up(upstreams, "identity", {"anonymous_id": wish.anonymous_id}, caller)
        if found["fragment_id"] is None:
            return asked, []
        card = await _looked_up(upstreams, "scoring", found, caller)
        return asked | {"browser": {"fragment_id": found["fragment_id"], **card}}, []
    except AnsweredBadly as bad:
        if (bad.upstream, bad.status) != ("identity", 422):
            return asked, []  # one of an older version, which knows no browsers yet
        raise BadInput(
            "Nobody can go by this anonymous_id", field="body.anonymous_id", remedy="Leave it out, or correct it"
        ) from bad
    except Problem:
        return asked, []


async def _looked_up(upstreams: Upstreams, service: str, browser: JsonObject, caller: Principal) -> JsonObject:
    found: JsonObject = await upstreams.ask(service, "POST", _BROWSERS, caller, json=browser, timeout_seconds=_SECONDS)
    return found


async def _about_person(upstreams: Upstreams, wish: SelectWish, caller: Principal) -> tuple[JsonObject, list[str]]:
    """What nurture is asked about whoever goes by the names that are sent."""
    person_id, degraded = await _who(upstreams, wish, caller)
    asked = wish.model_dump(include={"channel", "limit", "context", "dry_run"})
    return asked | ({} if person_id is None else {"person_id": person_id}), degraded


async def _who(upstreams: Upstreams, wish: SelectWish, caller: Principal) -> tuple[str | None, list[str]]:
    """The person meant, None for a stranger; and whether identity could not be asked.
    Raises BadInput for what nobody can go by.
    """
    names = {kind: value for kind in _BY if (value := getattr(wish, kind)) is not None}
    if wish.person_id is not None:
        if names:
            raise BadInput("person_id stands alone", field="body.person_id", remedy=f"Leave out {', '.join(names)}")
        await refuse_unseen(upstreams, caller, _SELECTING, [wish.person_id])
        return wish.person_id, []
    outcomes = await asyncio.gather(*(_found(upstreams, kind, value, caller) for kind, value in names.items()))
    known = [outcome for outcome in outcomes if isinstance(outcome, str)]
    if is_limited(caller, _SELECTING):  # whom they may not see is a stranger
        visible = await seen(upstreams, caller, "person_ids", known)
        known = [one for one in known if one in visible]
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
