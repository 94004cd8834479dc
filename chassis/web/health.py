"""What orchestrators and Prometheus ask: is the process alive, does its work move, how is it doing."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from chassis.condition import ask_store, condition_of, facts_of
from chassis.errors import NOT_READY, TYPE_PREFIX
from chassis.exposition import Exposition
from chassis.logs import masked_text
from chassis.metrics import CONTENT_TYPE
from chassis.readiness import LONGEST_ERROR, Finding, judge
from chassis.runtime import Runtime
from chassis.web.problems import MEDIA_TYPE
from chassis.web.routes import runtime_of

router = APIRouter(include_in_schema=False)
metrics_router = APIRouter(include_in_schema=False)
"""Apart, as metrics are answered on one port only: the inner one where there is one, and never to the public."""
public_router = APIRouter(include_in_schema=False)
"""For a port that strangers reach: whether it is ready. What is in the way, with the words of drivers and servers, is
told on the inner port, and by `GET /v1/status` to those who may know.
"""


@router.get("/healthz")
async def is_alive(_request: Request) -> Response:
    """The process answers; that is all this says."""
    return Response(b'{"status":"alive"}', media_type="application/json")


@router.get("/readyz")
async def is_ready(request: Request) -> Response:
    """200 when its work moves, with `notes` of what was set aside; else 503 that names what does not, since when, and
    why.
    """
    runtime = runtime_of(request)
    findings = judge(await facts_of(runtime), runtime.settings.stuck_seconds)
    missing, notes = [one for one in findings if not one.is_note], _told([one for one in findings if one.is_note])
    if missing:
        return not_ready(request, missing, notes)
    return Response(
        orjson.dumps({"status": "ready"} | ({"notes": notes} if notes else {})), media_type="application/json"
    )


@router.get("/readyz/traffic")
async def takes_traffic(request: Request) -> Response:
    """200 as long as it can take what is sent to it, although its own work may stand still: what load balancers ask."""
    runtime = runtime_of(request)
    refusal = await runtime.why_no_traffic() if runtime.why_no_traffic is not None else await _why_no_answers(runtime)
    if refusal:
        return not_ready(request, [Finding("traffic", refusal)])
    return Response(b'{"status":"ready"}', media_type="application/json")


public_router.get("/healthz")(is_alive)


@public_router.get("/readyz")
async def is_ready_to_all(request: Request) -> Response:
    """As `/readyz`, and no word of why."""
    return without_reasons(await is_ready(request))


@public_router.get("/readyz/traffic")
async def takes_traffic_of_all(request: Request) -> Response:
    """As `/readyz/traffic`, and no word of why."""
    return without_reasons(await takes_traffic(request))


def without_reasons(answer: Response) -> Response:
    """The same yes or no."""
    if answer.status_code == 200:
        return Response(b'{"status":"ready"}', media_type="application/json")
    return Response(b'{"status":"not ready"}', answer.status_code, {"Retry-After": "1"}, "application/json")


def not_ready(request: Request, missing: Sequence[Finding], notes: Sequence[dict[str, str]] = ()) -> Response:
    """503 that names what is missing."""
    problem = {
        "type": TYPE_PREFIX + NOT_READY,
        "title": "Not ready",
        "status": 503,
        "detail": "not ready: " + "; ".join(map(str, missing)),
        "instance": request.url.path,
        "errors": _told(missing),
        "notes": notes,
    }
    return Response(orjson.dumps(problem), 503, {"Retry-After": "1"}, MEDIA_TYPE)


@metrics_router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The measures, for Prometheus."""
    runtime = runtime_of(request)
    told = Exposition(runtime.name, await condition_of(runtime), runtime.own_figures)
    return Response(runtime.metrics.render(told), media_type=CONTENT_TYPE)


async def _why_no_answers(runtime: Runtime) -> str:
    # all that a service answers comes from its store, and what it is told goes there
    if runtime.is_stopping:
        return "the process is about to end"
    kept, error = await ask_store(runtime)
    return "" if kept is not None else f"its store does not answer: {masked_text(error)[:LONGEST_ERROR]}"


def _told(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [
        {"field": one.part, "reason": one.says} | ({"remedy": one.remedy} if one.remedy else {}) for one in findings
    ]
