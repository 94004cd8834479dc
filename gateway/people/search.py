"""How people are found: by a name they go by, by part of one, or by where they are on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from chassis.errors import BadInput, Unavailable
from chassis.web.auth import Principal
from gateway.access.lists import page_of_leads, part_of
from gateway.access.policy import is_limited
from gateway.access.rights import leads, seen
from gateway.access.table import operation
from gateway.people.parts import NO_PAGE, SECONDS, gathered
from gateway.proxy import Upstreams
from people_kernel.api.pages import from_id_cursor, to_id_cursor

_FINDING = operation("GET", "/v1/people")
_MOST_NAMESAKES = 200
_BESIDE_STAGE = frozenset({"stage", "cursor", "limit"})
_ABOUT_TEXT = frozenset({"q", "limit"})


class Search(BaseModel):
    """How people are looked for. Names are normalised as identity does it."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(
        default=None,
        max_length=512,
        description="An e-mail address they go by, in upper or lower case",
        examples=["ada@example.com"],
    )
    user_id: str | None = Field(
        default=None,
        max_length=512,
        description="The user id that one of your systems has for them",
        examples=["u-1001"],
    )
    anonymous_id: str | None = Field(
        default=None,
        max_length=512,
        description="The name that a browser or app gave them",
        examples=["8f14e45f-ceea-467a-9af0-bd8ac1d7f3f8"],
    )
    phone: str | None = Field(
        default=None,
        max_length=512,
        description="A telephone number they go by, however it is written",
        examples=["+44 20 7946 0958"],
    )
    q: str | None = Field(
        default=None,
        max_length=200,
        description=(
            "Part of a name, a company, an address, a user id or a number, in any case and without accents; a whole"
            " anonymous id"
        ),
        examples=["tidewater"],
    )
    stage: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="People in this stage of the lifecycle; alone, without other filters",
        examples=["mql"],
    )
    cursor: str | None = Field(default=None, max_length=1_000, description="`next_cursor` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="At most so many items")


@dataclass(frozen=True, slots=True)
class Found:
    """Identity's view of the people found, and who could not be asked."""

    items: Sequence[dict[str, Any]]
    cursor: str | None
    degraded: Sequence[str] = ()


async def find(upstreams: Upstreams, search: Search, caller: Principal) -> Found:
    """Raises BadInput, Unavailable, TimedOut, or AnsweredBadly with what the service that was asked refused."""
    if is_limited(caller, _FINDING):
        return await _found_among_leads(upstreams, search, caller)
    asked = search.model_dump(exclude_none=True, exclude={"cursor"})
    if search.stage is not None:
        return await _found_by_stage(upstreams, asked, search.cursor, caller)
    if asked.keys() <= _ABOUT_TEXT and search.q is not None:
        return await _found_by_text(upstreams, search, caller)
    cursor = {} if search.cursor is None else {"cursor": search.cursor}
    page = await upstreams.ask("identity", "GET", "/v1/people", caller, params=asked | cursor, timeout_seconds=SECONDS)
    return Found(page["items"], page["next_cursor"])


async def _found_among_leads(upstreams: Upstreams, search: Search, caller: Principal) -> Found:
    """Of those whom the caller may see, in the same ways."""
    asked = search.model_dump(exclude_none=True, exclude={"cursor"})
    if search.stage is not None:
        _refuse_beside_stage(asked)
        part = part_of(
            upstreams, "lifecycle", "/v1/lifecycle/people", [(key, str(asked[key])) for key in asked], caller
        )
        page = await page_of_leads(upstreams, caller, search.cursor, part)
        items = await _identified(upstreams, [item["person_id"] for item in page["items"]], caller)
        return Found(list(items.values()), page["next_cursor"])
    if not asked.keys() <= _ABOUT_TEXT:
        return await _found_by_names(upstreams, search, asked, caller)
    after = from_id_cursor(search.cursor) or ""
    part_of_leads = await leads(upstreams, caller, after)
    beyond = None if part_of_leads.until is None else to_id_cursor(part_of_leads.until)
    if search.q is None:
        chosen = part_of_leads.person_ids[: search.limit]
        more = len(part_of_leads.person_ids) > search.limit
        items = await _identified(upstreams, chosen, caller)
        return Found(list(items.values()), to_id_cursor(chosen[-1]) if more else beyond)
    if not part_of_leads.person_ids:
        return Found([], beyond)
    among = {"person_ids": list(part_of_leads.person_ids)}
    found = await _found_by_text(upstreams, search, caller, among)
    return found if found.cursor is not None else Found(found.items, beyond, found.degraded)


async def _found_by_names(upstreams: Upstreams, search: Search, asked: dict[str, Any], caller: Principal) -> Found:
    """Names are few people's: who is not seen is left out, and there is one page."""
    params = asked | {"limit": _MOST_NAMESAKES}
    page = await upstreams.ask("identity", "GET", "/v1/people", caller, params=params, timeout_seconds=SECONDS)
    visible = await seen(upstreams, caller, "person_ids", [item["person_id"] for item in page["items"]])
    return Found([item for item in page["items"] if item["person_id"] in visible][: search.limit], None)


async def _found_by_stage(upstreams: Upstreams, asked: dict[str, Any], cursor: str | None, caller: Principal) -> Found:
    """Lifecycle knows who is in a stage; identity who they are."""
    _refuse_beside_stage(asked)
    query = asked | ({} if cursor is None else {"cursor": cursor})
    page = await upstreams.ask(
        "lifecycle", "GET", "/v1/lifecycle/people", caller, params=query, timeout_seconds=SECONDS
    )
    items = await _identified(upstreams, [item["person_id"] for item in page["items"]], caller)
    return Found(list(items.values()), page["next_cursor"])


def _refuse_beside_stage(asked: dict[str, Any]) -> None:
    others = sorted(asked.keys() - _BESIDE_STAGE)
    if others:
        raise BadInput(
            f"stage cannot be combined with {', '.join(others)}",
            field="query.stage",
            remedy="Send stage alone, or leave it out",
        )


async def _found_by_text(
    upstreams: Upstreams, search: Search, caller: Principal, among: dict[str, Any] | None = None
) -> Found:
    """Identity knows identifiers, scoring knows names and companies; one text is looked for in both.

    Both answer in the order of ids, so the first of both together are the page, and its last id is where both
    go on: nobody is left out or told twice. Only while scoring has not heard of a merge yet does it name
    somebody by an id that is another's by now.
    """
    after = from_id_cursor(search.cursor) or ""  # refused here: of a service it would look as if that had failed
    query = {"q": search.q, "limit": search.limit} | ({} if search.cursor is None else {"cursor": search.cursor})
    paths = {"identity": "/v1/people", "scoring": "/v1/scoring/people"}
    running = {
        name: upstreams.ask(name, "GET", path, caller, params=query, timeout_seconds=SECONDS)
        if among is None
        else upstreams.ask(name, "POST", path + ":among", caller, params=query, json=among, timeout_seconds=SECONDS)
        for name, path in paths.items()
    }
    pages, degraded = await gathered(running)
    if "identity" in degraded:
        raise Unavailable("identity cannot be reached", remedy="Try again in a moment")
    known = {item["person_id"]: item for item in pages["identity"]["items"]}
    everybody = sorted({*known, *(item["person_id"] for item in pages.get("scoring", NO_PAGE)["items"])})
    chosen = everybody[: search.limit]
    has_more = len(everybody) > search.limit or any(page["next_cursor"] is not None for page in pages.values())
    named = await _identified(upstreams, [person_id for person_id in chosen if person_id not in known], caller)
    told = {person_id for person_id in chosen if person_id in known}
    others = [owner for owner in named if owner > after]  # who answers by an older id was told before
    items = [(known | named)[person_id] for person_id in sorted({*told, *others})]
    return Found(items, to_id_cursor(chosen[-1]) if chosen and has_more else None, degraded)


async def _identified(upstreams: Upstreams, person_ids: Sequence[str], caller: Principal) -> dict[str, dict[str, Any]]:
    """Identity's view of these people in their order; who was absorbed is told as the survivor, once."""
    if not person_ids:
        return {}
    answer = await upstreams.ask(
        "identity", "POST", "/v1/people:lookup", caller, json={"person_ids": list(person_ids)}, timeout_seconds=SECONDS
    )
    by_id = {item["person_id"]: item for item in answer["items"]}
    owners = dict.fromkeys(answer["current"].get(person_id, person_id) for person_id in person_ids)
    return {owner: by_id[owner] for owner in owners if owner in by_id}
