"""The view of a person, put together from what each service knows. A part that fails is named in `degraded`; the rest is answered."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter
from starlette.responses import Response

from chassis.auth import Principal, require
from chassis.errors import BadInput, Problem, Unavailable, problem_responses
from chassis.http.fields import Moment
from gateway.admin.access import ApiCaller, Held, Limit
from gateway.proxy import AnsweredBadly, Upstreams
from gateway.routes import EVERYBODY

router = APIRouter(tags=["people"])

_SECONDS = 2.0
_MAX_CURSOR = 2_000
_CURSORS: TypeAdapter[dict[str, str | None]] = TypeAdapter(dict[str, str | None])


@dataclass(frozen=True, slots=True)
class Part:
    """What one service adds to a person: asked for up to 200 at once. `fields` maps ours to theirs."""

    upstream: str
    lookup: str
    fields: Mapping[str, str]


_SCORED = {"name": "name", "profile": "profile", "scores": "scores", "latest_fact_at": "latest_fact_at"}
PARTS: tuple[Part, ...] = (Part("scoring", "/v1/scoring/people:lookup", _SCORED),)
_SEARCHED_BY_NAME = "scoring"


class PersonView(BaseModel):
    """A person as all services together know them."""

    model_config = ConfigDict(extra="allow")

    person_id: str = Field(examples=["per_01M80JJ5Y0W1TJ1R02BCAFQ80A"])
    identifiers: list[dict[str, Any]] = Field(default=[], description="Names they go by, each with how far it is believed")
    name: str | None = Field(default=None, description="The name to show", examples=["Ada Lovelace"])
    profile: dict[str, Any] | None = Field(default=None, description="Attributes, each with value and provenance")
    scores: dict[str, Any] | None = Field(default=None, description="Fit, engagement and grid cell")
    latest_fact_at: AwareDatetime | None = Field(default=None, description="When they last did something")
    lifecycle: dict[str, Any] | None = None
    owner: dict[str, Any] | None = None
    degraded: list[str] = Field(default=[], description="Services that did not answer; what they know is missing here")


class PeoplePage(BaseModel):
    """Some people."""

    items: list[PersonView]
    next_cursor: str | None
    degraded: list[str] = []


Text = Annotated[str | None, Query(max_length=512)]


class Search(BaseModel):
    """How people are looked for. Names are normalised as identity does it."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(default=None, max_length=512)
    user_id: str | None = Field(default=None, max_length=512)
    anonymous_id: str | None = Field(default=None, max_length=512)
    phone: str | None = Field(default=None, max_length=512)
    q: str | None = Field(default=None, max_length=200, description="Part of an identifier, a name or a company")
    cursor: str | None = Field(default=None, max_length=_MAX_CURSOR, description="`next_cursor` of the page before")
    limit: Limit = 50


@router.get("/v1/people", response_model=PeoplePage, responses=problem_responses(401, 403, 504))
async def find_people(search: Annotated[Search, Query()], caller: ApiCaller, desks: Held) -> PeoplePage | Response:
    """Find people by a name they go by, or by part of one."""
    require(caller, *EVERYBODY)
    try:
        found = await _found(desks.upstreams, search, caller)
    except AnsweredBadly as bad:
        return _relayed(bad)
    added, degraded = await _added(desks.upstreams, [item["person_id"] for item in found.items], caller, None)
    missing = sorted({*found.degraded, *degraded})
    items = [PersonView(**_composed(item, added, missing)) for item in found.items]
    return PeoplePage(items=items, next_cursor=found.cursor, degraded=missing)


@router.get("/v1/people/{person_id}", response_model=PersonView, responses=problem_responses(401, 403, 404, 504))
async def read_person(
    person_id: Annotated[str, Path(max_length=64)],
    caller: ApiCaller,
    desks: Held,
    as_of: Annotated[Moment | None, Query(description="Profile and scores of what had happened by that moment")] = None,
    known_at: Annotated[Moment | None, Query(description="Who it was by the links that were known at that moment")] = None,
) -> PersonView | Response:
    """One person. An id that was absorbed by a merge answers with the survivor."""
    require(caller, *EVERYBODY)
    query = {} if known_at is None else {"known_at": known_at.isoformat()}
    asked = desks.upstreams.ask("identity", "GET", f"/v1/people/{_segment(person_id)}", caller, params=query, timeout_seconds=_SECONDS)
    try:
        person = await asked
    except AnsweredBadly as bad:
        return _relayed(bad)
    except Problem as problem:
        return await _without_identity(desks.upstreams, person_id, caller, as_of, problem)
    added, degraded = await _added(desks.upstreams, [person["person_id"]], caller, as_of)
    return PersonView(**_composed(person, added, degraded))


@dataclass(frozen=True, slots=True)
class _Found:
    items: Sequence[dict[str, Any]]
    cursor: str | None
    degraded: Sequence[str] = ()


async def _found(upstreams: Upstreams, search: Search, caller: Principal) -> _Found:
    asked = search.model_dump(exclude_none=True, exclude={"cursor"})
    if search.q is None:
        cursor = {} if search.cursor is None else {"cursor": search.cursor}
        page = await upstreams.ask("identity", "GET", "/v1/people", caller, params=asked | cursor, timeout_seconds=_SECONDS)
        return _Found(page["items"], page["next_cursor"])
    return await _found_by_text(upstreams, asked, _read_cursor(search.cursor), caller)


async def _found_by_text(upstreams: Upstreams, asked: dict[str, Any], cursors: dict[str, str | None], caller: Principal) -> _Found:
    """Identity knows identifiers, scoring knows names and companies; one text is looked for in both."""
    paths = {"identity": ("/v1/people", asked), _SEARCHED_BY_NAME: ("/v1/scoring/people", {key: asked[key] for key in ("q", "limit")})}
    running = {
        name: upstreams.ask(name, "GET", path, caller, params=query | _cursor_of(cursors, name), timeout_seconds=_SECONDS)
        for name, (path, query) in paths.items()
        if cursors.get(name, "") is not None
    }
    pages, degraded = await _gathered(running)
    if "identity" in degraded or not pages:
        raise Unavailable("identity cannot be reached", remedy="Try again in a moment")
    items = {item["person_id"]: item for item in pages.get("identity", _NO_PAGE)["items"]}
    named = [item["person_id"] for item in pages.get(_SEARCHED_BY_NAME, _NO_PAGE)["items"] if item["person_id"] not in items]
    if named:
        looked_up = await upstreams.ask("identity", "POST", "/v1/people:lookup", caller, json={"person_ids": named}, timeout_seconds=_SECONDS)
        items |= {item["person_id"]: item for item in looked_up["items"]}
    following = {name: pages.get(name, _NO_PAGE)["next_cursor"] for name in paths}
    return _Found(list(items.values()), _write_cursor(following), degraded)


_NO_PAGE: dict[str, Any] = {"items": [], "next_cursor": None, "current": {}}


async def _added(upstreams: Upstreams, person_ids: Sequence[str], caller: Principal, as_of: datetime | None) -> tuple[dict[str, Any], list[str]]:
    """What the parts know of these people, by id; and the parts that did not answer."""
    if not person_ids:
        return {}, []
    body = {"person_ids": list(person_ids)} | ({} if as_of is None else {"as_of": as_of.isoformat()})
    running = {part.upstream: upstreams.ask(part.upstream, "POST", part.lookup, caller, json=body, timeout_seconds=_SECONDS) for part in PARTS}
    answers, degraded = await _gathered(running)
    added: dict[str, Any] = {}
    for part in PARTS:
        answer = answers.get(part.upstream, _NO_PAGE)
        by_id = {item["person_id"]: item for item in answer["items"]}
        for asked in person_ids:
            item = by_id.get(answer["current"].get(asked, asked))  # a service may have heard of a merge before another
            if item is not None:
                added.setdefault(asked, {}).update({ours: item.get(theirs) for ours, theirs in part.fields.items()})
    return added, degraded


async def _gathered(running: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The answers, and who did not give one. What identity refuses is refused: it alone knows what can be a name of somebody."""
    outcomes = await asyncio.gather(*running.values(), return_exceptions=True)
    answers, degraded = {}, []
    for name, outcome in zip(running, outcomes, strict=True):
        if isinstance(outcome, AnsweredBadly) and name == "identity":
            raise outcome
        if isinstance(outcome, Problem | AnsweredBadly):
            degraded.append(name)
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            answers[name] = outcome
    return answers, degraded


async def _without_identity(upstreams: Upstreams, person_id: str, caller: Principal, as_of: datetime | None, problem: Problem) -> PersonView:
    added, degraded = await _added(upstreams, [person_id], caller, as_of)
    if person_id not in added:
        raise problem  # nobody who is there knows this person
    return PersonView(**_composed({"person_id": person_id}, added, ["identity", *degraded]))


def _composed(person: dict[str, Any], added: Mapping[str, Any], degraded: Sequence[str]) -> dict[str, Any]:
    known: dict[str, Any] = added.get(person["person_id"], {})
    return person | known | {"degraded": list(degraded)}


def _relayed(bad: AnsweredBadly) -> Response:
    return Response(bad.body, status_code=bad.status, media_type=bad.media_type)


def _segment(person_id: str) -> str:
    if not person_id.isascii() or not person_id.replace("_", "").isalnum():
        raise BadInput("A person id holds letters, digits and underscores", field="path.person_id")
    return person_id


def _cursor_of(cursors: Mapping[str, str | None], name: str) -> dict[str, str]:
    cursor = cursors.get(name)
    return {} if not cursor else {"cursor": cursor}


def _read_cursor(cursor: str | None) -> dict[str, str | None]:
    if cursor is None:
        return {}
    try:
        return _CURSORS.validate_json(base64.urlsafe_b64decode(cursor))
    except ValueError:
        raise BadInput("This is no cursor of ours", field="query.cursor", remedy="Send next_cursor of the page before, or leave it out") from None


def _write_cursor(cursors: Mapping[str, str | None]) -> str | None:
    return base64.urlsafe_b64encode(orjson.dumps(cursors)).decode() if any(cursors.values()) else None
