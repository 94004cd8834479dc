"""What each service adds to people: asked once for all people of a page."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.errors import Problem
from chassis.web.auth import Principal
from gateway.proxy import AnsweredBadly, Upstreams

SECONDS = 2.0
NO_PAGE: dict[str, Any] = {"items": [], "next_cursor": None, "current": {}}


@dataclass(frozen=True, slots=True)
class ViewPart:
    """What one service adds to a person: asked for up to 200 at once.

    `fields` maps ours to theirs; with `under` all they know stands under that name.
    `knows_past`: it can be asked as of a moment.
    """

    upstream: str
    lookup: str
    fields: Mapping[str, str]
    under: str | None = None
    knows_past: bool = False

    def read(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """What their item adds to ours."""
        if self.under is not None:
            return {self.under: {name: value for name, value in item.items() if name != "person_id"}}
        return {ours: item.get(theirs) for ours, theirs in self.fields.items()}


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


PARTS: tuple[ViewPart, ...] = (
    ViewPart(
        "scoring", "/v1/scoring/people:lookup", _same("name", "profile", "scores", "latest_fact_at"), knows_past=True
    ),
    ViewPart("lifecycle", "/v1/lifecycle/people:lookup", {}, under="lifecycle", knows_past=True),
    ViewPart("routing", "/v1/routing/people:lookup", _same("owner", "referral")),
    ViewPart("nurture", "/v1/nurture/people:lookup", _same("buying_stage", "treatment")),
    ViewPart("metrics", "/v1/metrics/people:lookup", _same("first_touch", "last_touch", "revenue")),
)


async def added(
    upstreams: Upstreams, person_ids: Sequence[str], caller: Principal, as_of: datetime | None
) -> tuple[dict[str, Any], list[str]]:
    """What the parts know of these people, by id; and the parts that did not answer."""
    if not person_ids:
        return {}, []
    running = {part.upstream: _ask(upstreams, part, person_ids, caller, as_of) for part in PARTS}
    answers, degraded = await gathered(running)
    known: dict[str, Any] = {}
    for part in PARTS:
        answer = answers.get(part.upstream, NO_PAGE)
        by_id = {item["person_id"]: item for item in answer["items"]}
        for asked in person_ids:
            item = by_id.get(answer["current"].get(asked, asked))  # a service may have heard of a merge before another
            if item is not None:
                known.setdefault(asked, {}).update(part.read(item))
    return known, degraded


async def gathered(running: Mapping[str, Coroutine[Any, Any, Any]]) -> tuple[dict[str, Any], list[str]]:
    """The answers, and who did not give one. What identity refuses is refused: it
    alone knows what can be a name of somebody.
    """
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


def composed(person: Mapping[str, Any], known: Mapping[str, Any], degraded: Sequence[str]) -> dict[str, Any]:
    """One person of identity's with what the parts know."""
    return {**person, **known.get(person["person_id"], {}), "degraded": list(degraded)}


async def _ask(
    upstreams: Upstreams, part: ViewPart, person_ids: Sequence[str], caller: Principal, as_of: datetime | None
) -> Any:
    body: dict[str, Any] = {"person_ids": list(person_ids)}
    if as_of is not None and part.knows_past:
        body["as_of"] = as_of.isoformat()
    return await upstreams.ask(part.upstream, "POST", part.lookup, caller, json=body, timeout_seconds=SECONDS)
