"""What a caller may see who does not see everybody, asked of routing, which knows who has whom.

One question decides one request, and nothing is remembered: whoever is given another's lead sees it in the next one.
Without an answer nobody is shown anything.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.errors import Forbidden, NotFound, Unavailable
from chassis.web.auth import Principal
from gateway.access.policy import About, Operation, is_limited
from gateway.proxy import AnsweredBadly, Upstreams
from people_kernel.errors import PersonNotFound

AT_ONCE = 1_000
"""So many leads are looked through at once; a list of more comes in such parts."""
_SECONDS = 2.0
_ID = re.compile(r"\w{1,64}", re.ASCII)


class DealNotFound(NotFound):
    """There is no such opportunity, or it is of somebody whom the caller may not see."""

    slug = "opportunity-not-found"


@dataclass(frozen=True, slots=True)
class Leads:
    """A part of the people whom a caller sees, in the order of their ids. `until`: where it ends; None: nobody
    follows.
    """

    person_ids: Sequence[str]
    until: str | None


async def leads(upstreams: Upstreams, caller: Principal, after: str, until: str | None = None) -> Leads:
    """The next part after an id. Raises Unavailable, TimedOut."""
    asked = {"after": after, "until": until, "limit": AT_ONCE}
    answer = await _told(upstreams, "leads", caller, asked)
    return Leads(answer["person_ids"], answer["until"])


async def seen(upstreams: Upstreams, caller: Principal, kind: str, ids: Collection[str]) -> frozenset[str]:
    """Those of these that the caller may see; `kind` is person_ids, account_ids or rep_ids. Raises Unavailable,
    TimedOut.
    """
    asked = [one for one in dict.fromkeys(ids) if _ID.fullmatch(one)]
    found: set[str] = set()
    for at in range(0, len(asked), AT_ONCE):
        part = {kind: asked[at : at + AT_ONCE]}
        answer = await _told(upstreams, "check", caller, part)
        found.update(answer[kind])
    return frozenset(found)


async def refuse_unseen(
    upstreams: Upstreams, caller: Principal, operation: Operation, person_ids: Collection[str]
) -> None:
    """Raises PersonNotFound for the first whom the caller may not see, whether they are there or not."""
    if not is_limited(caller, operation):
        return
    visible = await seen(upstreams, caller, "person_ids", person_ids)
    for person_id in person_ids:
        if person_id not in visible:
            raise PersonNotFound(f"There is no person {person_id}")


async def refuse_unseen_deal(upstreams: Upstreams, caller: Principal, opportunity_id: str) -> None:
    """Raises DealNotFound unless the caller may see whose deal it is."""
    missing = DealNotFound(f"There is no opportunity {opportunity_id}")
    if not _ID.fullmatch(opportunity_id):
        raise missing
    try:
        path = f"/v1/opportunities/{opportunity_id}"
        deal = await upstreams.ask("lifecycle", "GET", path, caller, timeout_seconds=_SECONDS)
    except AnsweredBadly as bad:
        raise missing from bad
    if not await seen(upstreams, caller, "person_ids", [deal["person_id"]]):
        raise missing


async def refuse_unseen_accounts(
    upstreams: Upstreams, caller: Principal, operation: Operation, account_ids: Collection[str]
) -> None:
    """Raises Forbidden unless all of them are the caller's or their teams': which accounts there are everybody sees."""
    if not is_limited(caller, operation):
        return
    visible = await seen(upstreams, caller, "account_ids", account_ids)
    for account_id in account_ids:
        if account_id not in visible:
            raise Forbidden(
                f"{account_id} is no account of yours or of your teams", remedy="Ask a manager to change whose it is"
            )


async def refuse_unled_rep(upstreams: Upstreams, caller: Principal, operation: Operation, rep_id: str) -> None:
    """Raises Forbidden unless the rep is the caller, or of a team that they lead: which reps there are everybody
    sees.
    """
    assert operation.about is About.REP
    if rep_id == caller.rep_id or not is_limited(caller, operation):
        return
    if rep_id not in await seen(upstreams, caller, "rep_ids", [rep_id]):
        raise Forbidden(f"{rep_id} is in no team of yours", remedy="Ask an administrator for a key with their team")


async def _told(upstreams: Upstreams, question: str, caller: Principal, asked: dict[str, Any]) -> Any:
    path = f"/v1/routing/rights:{question}"
    try:
        return await upstreams.ask("routing", "POST", path, caller, json=asked, timeout_seconds=_SECONDS)
    except AnsweredBadly as bad:  # a routing of before that does not know the question: nobody is shown anything
        raise Unavailable("routing cannot say whom you may see", remedy="Try again in a moment") from bad
