"""Lists of those whom a caller may see. The leads drive the list, and not the base: so many are looked through at
once, and where there are more the list goes on with the next part of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.web.auth import Principal
from chassis.web.cursors import read_cursor, write_cursor
from gateway.access.rights import leads
from gateway.proxy import Upstreams

_PARTS = 5  # looked through for one page, before a short page says where to go on
_SECONDS = 5.0
AskPart = Callable[[Sequence[str], str | None], Awaitable[dict[str, Any]]]
"""A page of the list among these people, after a cursor of that list."""


@dataclass(frozen=True, slots=True)
class PlaceInLeads:
    """Where a page ended: in the part of the leads after one id, up to another, and there at a cursor."""

    after: str = ""
    until: str | None = None
    inner: str | None = None

    @classmethod
    def read(cls, cursor: str | None) -> PlaceInLeads:
        """Raises BadInput for what is no cursor of ours."""
        if cursor is None:
            return cls()
        after, until, inner = read_cursor(cursor, 3)
        return cls(after, until or None, inner or None)

    def written(self) -> str:
        """As the caller is given it."""
        return write_cursor(self.after, self.until or "", self.inner or "")


async def page_of_leads(
    upstreams: Upstreams, caller: Principal, cursor: str | None, ask_part: AskPart
) -> dict[str, Any]:
    """A page of what `ask_part` knows of the caller's leads, with a cursor of our own."""
    place = PlaceInLeads.read(cursor)
    for _ in range(_PARTS):
        part = await leads(upstreams, caller, place.after, place.until)
        nobody: dict[str, Any] = {"items": [], "next_cursor": None}
        page = await ask_part(part.person_ids, place.inner) if part.person_ids else nobody
        if page["next_cursor"] is not None:
            return {**page, "next_cursor": PlaceInLeads(place.after, part.until, page["next_cursor"]).written()}
        if part.until is None:
            return page
        place = PlaceInLeads(part.until)
        if page["items"]:
            break
    return {**page, "next_cursor": place.written()}


def part_of(
    upstreams: Upstreams, service: str, path: str, query: Sequence[tuple[str, str]], caller: Principal
) -> AskPart:
    """Asks the list at `path` of a service, among the people of a part."""

    async def ask(person_ids: Sequence[str], cursor: str | None) -> dict[str, Any]:
        params = [*query, *([] if cursor is None else [("cursor", cursor)])]
        answer: dict[str, Any] = await upstreams.ask(
            service,
            "POST",
            path + ":among",
            caller,
            params=params,
            json={"person_ids": list(person_ids)},
            timeout_seconds=_SECONDS,
        )
        return answer

    return ask
