"""Receipts of all services that decide, merged: each is asked for a page after the same
place, and the newest of all pages make one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from chassis.errors import Problem, Unavailable
from chassis.web.auth import Principal
from chassis.web.fields import Moment
from contracts.values import Receipt
from gateway.people.parts import SECONDS
from gateway.people.views import Decider, ReceiptsPage
from gateway.proxy import AnsweredBadly, Upstreams
from people_kernel.api.pages import from_cursor, to_cursor
from people_kernel.errors import PersonNotFound
from people_kernel.store.people import Place

DECIDERS: tuple[Decider, ...] = get_args(Decider)
_RECEIPTS: TypeAdapter[list[Receipt]] = TypeAdapter(list[Receipt])


class Page(BaseModel):
    """Which receipts."""

    model_config = ConfigDict(extra="forbid")

    as_of: Moment | None = Field(
        default=None, description="What had been decided by that moment", examples=["2026-03-01T08:00:00Z"]
    )
    owner: Decider | None = Field(default=None, description="Only those of this service")
    cursor: str | None = Field(default=None, max_length=1_000, description="`next_cursor` of the page before")
    limit: int = Field(default=50, ge=1, le=200, description="At most so many items")


@dataclass(frozen=True, slots=True)
class ServicePage:
    """One service's receipts after a place, newest first. `has_more`: it holds older ones."""

    receipts: Sequence[Receipt]
    has_more: bool


def merged(shelves: Sequence[ServicePage], limit: int) -> tuple[list[Receipt], str | None]:
    """The newest `limit` receipts of all shelves, and the cursor of what follows.

    A shelf is whole or `limit` long, so nothing that belongs among the newest is missing from it.
    """
    everything = sorted((receipt for shelf in shelves for receipt in shelf.receipts), key=_place, reverse=True)
    items = everything[:limit]
    has_more = len(everything) > limit or any(shelf.has_more for shelf in shelves)
    return items, to_cursor(*_place(items[-1])) if items and has_more else None


async def read(upstreams: Upstreams, person_id: str, page: Page, caller: Principal) -> ReceiptsPage:
    """One page. Raises PersonNotFound, or the problem of a service when nobody could answer."""
    from_cursor(page.cursor)  # refused here: each service would refuse it, and that would look as if it had failed
    owners = DECIDERS if page.owner is None else (page.owner,)
    outcomes = dict(
        zip(
            owners,
            await asyncio.gather(*(_shelf(upstreams, owner, person_id, page, caller) for owner in owners)),
            strict=True,
        )
    )
    shelves = [outcome for outcome in outcomes.values() if isinstance(outcome, ServicePage)]
    failed = {owner: outcome for owner, outcome in outcomes.items() if isinstance(outcome, Exception)}
    if not shelves:
        for problem in failed.values():
            raise problem
        raise PersonNotFound(f"Nothing was ever decided about {person_id}", field="path.person_id")
    items, cursor = merged(shelves, page.limit)
    return ReceiptsPage(items=items, next_cursor=cursor, degraded=list(failed))


async def _shelf(
    upstreams: Upstreams, owner: str, person_id: str, page: Page, caller: Principal
) -> ServicePage | Problem | None:
    """What one service answers; None: it never heard of them."""
    query = page.model_dump(mode="json", exclude_none=True, exclude={"owner"})
    try:
        answer = await upstreams.ask(
            owner, "GET", f"/v1/{owner}/people/{person_id}/receipts", caller, params=query, timeout_seconds=SECONDS
        )
    except AnsweredBadly as bad:
        return None if bad.status == 404 else Unavailable(f"{owner} could not answer", remedy="Try again in a moment")
    except Problem as problem:
        return problem
    return ServicePage(_RECEIPTS.validate_python(answer["items"]), answer["next_cursor"] is not None)


def _place(receipt: Receipt) -> Place:
    return receipt.at, receipt.receipt_id
