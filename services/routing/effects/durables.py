"""The consumer on ALERTS that holds a rep's place: made before the rep comes, because reps may make none themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.runtime import Runtime
from services.routing.domain.credentials import STREAM, alerts_of, durable_of
from services.routing.store.reps import keyholders

log = structlog.get_logger(__name__)

_TRIES = 3
_PAUSE_SECONDS = 0.2
_RETRY_SECONDS = 5.0
_ACK_WAIT_SECONDS = 30


async def ensure_durable(broker: Broker, rep_id: str) -> None:
    """The consumer is there afterwards, with the place it held if it was there before. Raises BrokerUnavailable."""
    for attempt in range(1, _TRIES + 1):
        try:
            await _create(broker, rep_id)
            return
        except BrokerUnavailable:
            if attempt == _TRIES:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)


@asynccontextmanager
async def kept_durables(runtime: Runtime) -> AsyncIterator[None]:
    """Makes the consumers of all who have a key, in the background: a NATS that lost its store gets them back at the next start."""
    task = asyncio.create_task(_restore(runtime), name="routing: consumers of reps")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _restore(runtime: Runtime) -> None:
    async with runtime.database.read() as session:
        missing = await keyholders(session)
    while missing:
        try:
            await ensure_durable(runtime.broker, missing[-1])
            missing.pop()
        except (BrokerUnavailable, ApiRefused) as error:
            log.warning("durable.delayed", rep_id=missing[-1], reason=str(error))
            await asyncio.sleep(_RETRY_SECONDS)


async def _create(broker: Broker, rep_id: str) -> None:
    durable, subjects = durable_of(rep_id), alerts_of(rep_id)
    config = {
        "durable_name": durable,
        "name": durable,
        "description": "referral alerts of one rep",
        "filter_subject": subjects,
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": _ACK_WAIT_SECONDS * 1_000_000_000,
        "max_deliver": -1,
    }
    await broker.request(f"CONSUMER.CREATE.{STREAM}.{durable}.{subjects}", {"stream_name": STREAM, "config": config})
