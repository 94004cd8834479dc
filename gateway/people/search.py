"""How people are found: by a name they go by, by part of one, or by where they are on the way."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from chassis.auth import Principal
from chassis.errors import BadInput, Unavailable
from gateway.people.parts import NO_PAGE, SECONDS, gathered
from gateway.proxy import Upstreams

_MAX_CURSOR = 2_000
_CURSORS: TypeAdapter[dict[str, str | None]] = TypeAdapter(dict[str, str | None])
_SEARCHED_BY_NAME = "scoring"
_BESIDE_STAGE = frozenset({"stage", "cursor", "limit"})


class Search(BaseModel):
    """How people are looked for. Names are normalised as identity does it."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(default=None, max_length=512, examples=["ada@example.com"])
    user_id: str | None = Field(default=None, max_length=512, examples=["u-1001"])
    anonymous_id: str | None = Field(default=None, max_length=512, examples=["8f14e45f-ceea-467a-9af0-bd8ac1d7f3f8"])
    phone: str | None = Field(default=None, max_length=512, examples=["+44 20 7946 0958"])
    q: str | None = Field(default=None, max_length=200, description="Part of an identifier, a name or a company", examples=["tidewater"])
    stage: str | None = Field(
        default=None, min_length=1, max_length=64, description="People in this stage of the lifecycle; alone, without other filters", examples=["mql"]
    )
    cursor: str | None = Field(default=None, max_length=_MAX_CURSOR, description="`next_cursor` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="At most so many items")


@dataclass(frozen=True, slots=True)
class Found:
    """Identity's view of the people found, and who could not be asked."""

    items: Sequence[dict[str, Any]]
    cursor: str | None
    degraded: Sequence[str] = ()


async def find(upstreams: Upstreams, search: Search, caller: Principal) -> Found:
    """Raises BadInput, Unavailable, TimedOut, or AnsweredBadly with what the service that was asked refused."""
    asked = search.model_dump(exclude_none=True, exclude={"cursor"})
    if search.stage is not None:
        return await _found_by_stage(upstreams, asked, search.cursor, caller)
    if search.q is not None:
        return await _found_by_text(upstreams, asked, _read_cursor(search.cursor), caller)
    cursor = {} if search.cursor is None else {"cursor": search.cursor}
    page = await upstreams.ask("identity", "GET", "/v1/people", caller, params=asked | cursor, timeout_seconds=SECONDS)
    return Found(page["items"], page["next_cursor"])


async def _found_by_stage(upstreams: Upstreams, asked: dict[str, Any], cursor: str | None, caller: Principal) -> Found:
    """Lifecycle knows who is in a stage; identity who they are."""
    others = sorted(asked.keys() - _BESIDE_STAGE)
    if others:
        raise BadInput(f"stage cannot be combined with {', '.join(others)}", field="query.stage", remedy="Send stage alone, or leave it out")
    query = asked | ({} if cursor is None else {"cursor": cursor})
    page = await upstreams.ask("lifecycle", "GET", "/v1/lifecycle/people", caller, params=query, timeout_seconds=SECONDS)
    items = await _identified(upstreams, [item["person_id"] for item in page["items"]], caller)
    return Found(list(items.values()), page["next_cursor"])


async def _found_by_text(upstreams: Upstreams, asked: dict[str, Any], cursors: dict[str, str | None], caller: Principal) -> Found:
    """Identity knows identifiers, scoring knows names and companies; one text is looked for in both."""
    paths = {"identity": ("/v1/people", asked), _SEARCHED_BY_NAME: ("/v1/scoring/people", {key: asked[key] for key in ("q", "limit")})}
    running = {
        name: upstreams.ask(name, "GET", path, caller, params=query | _cursor_of(cursors, name), timeout_seconds=SECONDS)
        for name, (path, query) in paths.items()
        if cursors.get(name, "") is not None
    }
    pages, degraded = await gathered(running)
    if "identity" in degraded or not pages:
        raise Unavailable("identity cannot be reached", remedy="Try again in a moment")
    items = {item["person_id"]: item for item in pages.get("identity", NO_PAGE)["items"]}
    named = [item["person_id"] for item in pages.get(_SEARCHED_BY_NAME, NO_PAGE)["items"] if item["person_id"] not in items]
    items |= await _identified(upstreams, named, caller)
    following = {name: pages.get(name, NO_PAGE)["next_cursor"] for name in paths}
    return Found(list(items.values()), _write_cursor(following), degraded)


async def _identified(upstreams: Upstreams, person_ids: Sequence[str], caller: Principal) -> dict[str, dict[str, Any]]:
    """Identity's view of these people in their order; who was absorbed is told as the survivor, once."""
    if not person_ids:
        return {}
    answer = await upstreams.ask("identity", "POST", "/v1/people:lookup", caller, json={"person_ids": list(person_ids)}, timeout_seconds=SECONDS)
    by_id = {item["person_id"]: item for item in answer["items"]}
    owners = dict.fromkeys(answer["current"].get(person_id, person_id) for person_id in person_ids)
    return {owner: by_id[owner] for owner in owners if owner in by_id}


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
