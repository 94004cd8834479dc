"""What orchestrators and Prometheus ask: is the process alive, does its work move, how is it doing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from chassis.clock import wall_clock
from chassis.metrics import CONTENT_TYPE
from chassis.progress import describe
from chassis.readiness import Facts, Finding, Kept, Work, judge
from chassis.runtime import Check, Runtime
from chassis.store import outbox, refused_events, timers
from chassis.web.problems import MEDIA_TYPE
from chassis.web.routes import runtime_of

_PATIENCE_SECONDS = 0.8
"""A probe that waits longer than a second is given up by most orchestrators, and then nobody learns the reason."""

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def is_alive() -> Response:
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
    if not missing:
        return Response(
            orjson.dumps({"status": "ready"} | ({"notes": notes} if notes else {})), media_type="application/json"
        )
    problem = {
        "type": "urn:rapport:problem:not-ready",
        "title": "Not ready",
        "status": 503,
        "detail": "not ready: " + "; ".join(map(str, missing)),
        "instance": request.url.path,
        "errors": _told(missing),
        "notes": notes,
    }
    return Response(orjson.dumps(problem), 503, {"Retry-After": "1"}, MEDIA_TYPE)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The measures, for Prometheus."""
    runtime = runtime_of(request)
    kept = (await _ask_store(runtime))[0]
    if kept is None:
        runtime.metrics.outbox_aged(-1.0)  # not known; an alert on the age must not fall silent because the store does
    else:
        runtime.metrics.outbox_aged(kept.oldest_seconds)
        runtime.metrics.set_aside(kept.refused, sum(count for _, count in kept.failing))
    return Response(runtime.metrics.render(), media_type=CONTENT_TYPE)


async def facts_of(runtime: Runtime) -> Facts:
    """What the parts of this process say of themselves now; within a second, also when the store hangs."""
    kept, error = await _ask_store(runtime)
    found = await asyncio.gather(*(_ask(check) for check in runtime.checks)) if kept is not None else ()
    broker = runtime.broker
    return Facts(
        kept=kept,
        store_error=error,
        nats_error=None if broker.is_ready else broker.why_not_ready,
        works=_works(runtime),
        found=[finding for part in found for finding in part],
        is_stopping=runtime.is_stopping,
    )


def _works(runtime: Runtime) -> list[Work]:
    works = [
        Work("relay", one.what, one.seconds, one.last_error)
        for one in (runtime.relay.standstills if runtime.relay is not None else ())
    ]
    for consumer in runtime.consumers:
        progress, part = consumer.progress, f"lane {consumer.spec.stream}/{consumer.spec.lane}"
        error = consumer.refusal or progress.last_error
        works.append(Work(part, "the same messages have been tried", progress.stuck_seconds, error, consumer.is_ready))
        starvation = consumer.starvation
        works.append(Work(part, "nothing has been delivered", starvation.stuck_seconds, starvation.last_error))
    if runtime.timers is not None:
        progress = runtime.timers.progress
        works.append(Work("timers", "what is due has not been fired", progress.stuck_seconds, progress.last_error))
    return works


async def _ask_store(runtime: Runtime) -> tuple[Kept | None, str]:
    # migrations need no question of their own: the service does not listen before they are in
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            waiting = await runtime.relay.backlog() if runtime.relay is not None else outbox.Backlog(0, None)
            async with runtime.database.glance() as session:
                set_aside, failing = await refused_events.count(session), await timers.failing(session)
    except TimeoutError:
        return None, f"no answer within {_PATIENCE_SECONDS} s"
    except Exception as error:
        if runtime.database.is_transient(error):
            return None, describe(error)
        raise
    oldest = 0.0 if waiting.oldest is None else max(0.0, (wall_clock() - waiting.oldest).total_seconds())
    return Kept(waiting.count, oldest, set_aside, failing), ""


async def _ask(check: Check) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await check()
    except Exception:  # it needs the store; that this does not answer is found where the store is asked
        return ()


def _told(findings: Sequence[Finding]) -> list[dict[str, str]]:
    return [
        {"field": one.part, "reason": one.says} | ({"remedy": one.remedy} if one.remedy else {}) for one in findings
    ]
