"""What orchestrators and Prometheus ask: is the process alive, can it work, how is it doing."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response

from chassis.errors import Unavailable
from chassis.metrics import CONTENT_TYPE
from chassis.routes import runtime_of
from chassis.runtime import Runtime

_PATIENCE_SECONDS = 2.0

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def is_alive() -> Response:
    """The process answers; that is all this says."""
    return Response(b'{"status":"alive"}', media_type="application/json")


@router.get("/readyz")
async def is_ready(request: Request) -> Response:
    """200 when store and NATS answer and the migrations are in; else 503 that names what is not ready."""
    runtime = runtime_of(request)
    missing = await what_is_missing(runtime)
    if missing:
        raise Unavailable(f"not ready: {', '.join(missing)}")
    return Response(b'{"status":"ready"}', media_type="application/json")


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """The measures, for Prometheus."""
    runtime = runtime_of(request)
    runtime.metrics.outbox_aged(await _outbox_age(runtime))
    return Response(runtime.metrics.render(), media_type=CONTENT_TYPE)


async def what_is_missing(runtime: Runtime) -> list[str]:
    """What this service needs and has not now: `store`, `nats`, the lanes it should be reading; `stopping` when it is about to stop."""
    missing = []
    if not await _store_answers(runtime):
        missing.append("store")
    if not runtime.broker.is_ready:
        missing.append("nats")
    missing += [f"{consumer.spec.stream} lane {consumer.spec.lane}" for consumer in runtime.consumers if not consumer.is_ready]
    if runtime.is_stopping:
        missing.append("stopping")
    return missing


async def _store_answers(runtime: Runtime) -> bool:
    # migrations need no question of their own: the service does not listen before they are in
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), runtime.database.glance() as session:
            await session.execute(text("SELECT 1 FROM outbox LIMIT 1"))
    except Exception as error:
        if isinstance(error, TimeoutError) or runtime.database.is_transient(error):
            return False
        raise
    return True


async def _outbox_age(runtime: Runtime) -> float:
    if runtime.relay is None:
        return 0.0
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await runtime.relay.age_seconds()
    except Exception as error:
        if isinstance(error, TimeoutError) or runtime.database.is_transient(error):
            return -1.0  # not known; an alert on the age must not fall silent because the store does
        raise
