"""Whether the rep who listens is still one who may: routing knows."""

from __future__ import annotations

import structlog

from chassis.errors import Problem
from chassis.web.auth import Principal
from gateway.proxy import AnsweredBadly, Upstreams

log = structlog.get_logger(__name__)

_SECONDS = 0.5  # an alert waits for the answer


async def is_inactive(upstreams: Upstreams, caller: Principal, rep_id: str) -> bool:
    """Whether `rep_id` is the caller's own rep and became inactive; who leads them may listen all the same.

    One question of a few milliseconds: at the beginning, before alerts are told and in each quiet while. While routing
    is away nothing changes: it is the one who raises alerts.
    """
    if caller.rep_id != rep_id:
        return False
    try:
        rep = await upstreams.ask("routing", "GET", f"/v1/reps/{rep_id}", caller, timeout_seconds=_SECONDS)
    except AnsweredBadly:
        return False  # nobody of that name: no alert is theirs
    except Problem as problem:
        log.info("alerts.unchecked", reason=problem.slug)
        return False
    return not rep["is_active"]
