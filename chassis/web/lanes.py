"""In how many lanes this process speaks and hears now: asked by whoever changes it."""

from __future__ import annotations

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from chassis.clock import wall_clock
from chassis.web.routes import runtime_of

router = APIRouter(include_in_schema=False)


@router.get("/lanesz")
async def lanes(request: Request) -> Response:
    """`said`: with how many all is said that is under way; `waiting_seconds`: the age of the oldest event that is not
    on the stream yet, 0 when all are.
    """
    runtime = runtime_of(request)
    waiting = await runtime.relay.backlog() if runtime.relay is not None else None
    oldest = waiting.oldest if waiting is not None else None
    answer = {
        "said": runtime.lanes.settled_said,
        "heard": runtime.lanes.plan.heard,
        "known": runtime.lanes.plan.known,
        "waiting_seconds": 0.0 if oldest is None else max(0.0, (wall_clock() - oldest).total_seconds()),
    }
    return Response(orjson.dumps(answer), media_type="application/json")
