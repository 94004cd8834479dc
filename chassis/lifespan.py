"""A service's life: migrate, relay, fire timers, serve; and beside it connect, lay the streams and listen, as NATS may
come later than we do.

On the way out everything in the other order, nothing in hand lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from typing_extensions import TypeVar

from chassis.bus.broker import Broker
from chassis.bus.consumer import Consumer
from chassis.bus.durables import LANE, ConsumerSpec
from chassis.bus.retry_policy import RetryPolicy
from chassis.bus.streams import DEAD
from chassis.endings import end_tasks
from chassis.lanes import read_plan
from chassis.metrics import Metrics
from chassis.processor import Processor, TimerFiring
from chassis.runtime import Runtime
from chassis.settings import ServiceSettings
from chassis.shares import LaneShares
from chassis.store.database import Database
from chassis.store.preparation import prepare
from chassis.store.relay import Relay
from chassis.store.timer_clock import TimerClock
from chassis.stream_layout import NOT_LAID, StreamLayout, keep_laid, lay
from chassis.subscriptions import Subscription, TimerSubscription, stream_of
from chassis.telemetry import Telemetry

log = structlog.get_logger()

Held = TypeVar("Held", default=Any)
Extras = Callable[[Runtime], AbstractAsyncContextManager[Held]]
_RETRY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Parts:
    """What of a service matters for running it."""

    name: str
    settings: ServiceSettings
    migrations: str | None
    subscriptions: Sequence[Subscription]
    timers: Sequence[TimerSubscription]
    streams: tuple[str, ...]
    extras: Extras[Any] | None
    clock: Callable[[], datetime]


@asynccontextmanager
async def running(parts: Parts, metrics: Metrics, telemetry: Telemetry) -> AsyncIterator[Runtime]:
    """The service, running inside the block.

    A store that is not there yet is waited for; NATS may come later, and the broker is not ready before.

    Until then what is said waits in the outbox, and reads are answered from the store.
    """
    async with AsyncExitStack() as stack:
        stack.callback(telemetry.close)
        database = await _open_store(parts)
        stack.push_async_callback(database.close)
        broker = _open_broker(parts)
        stack.push_async_callback(broker.close)
        runtime: Runtime[Any] = Runtime(parts.name, parts.settings, database, broker, metrics, telemetry, parts.clock)
        runtime.told_streams = parts.streams
        await stack.enter_async_context(_lanes_followed(runtime))
        await stack.enter_async_context(_relaying(runtime))
        if parts.extras is not None:
            runtime.service = await stack.enter_async_context(parts.extras(runtime))
        await stack.enter_async_context(_timing(runtime, parts.timers))
        await stack.enter_async_context(_joining(runtime, parts))
        log.info("service.started", streams=parts.streams, lanes=runtime.lanes.said)
        try:
            yield runtime
        finally:
            runtime.is_stopping = True
    log.info("service.stopped")


async def _open_store(parts: Parts) -> Database:
    settings = parts.settings
    await prepare(settings.owner_url, parts.migrations, runs=settings.migrations == "run")
    return Database(settings.database_url, durability=settings.durability)


def _open_broker(parts: Parts) -> Broker:
    settings = parts.settings
    broker = Broker.open(
        settings.nats_url,
        parts.name,
        inbox_prefix=f"_INBOX_{parts.name}",
        writes=(*parts.streams, DEAD),
        replicas=settings.nats_replicas,
    )
    broker.obstacle = NOT_LAID
    return broker


@asynccontextmanager
async def _lanes_followed(runtime: Runtime) -> AsyncIterator[None]:
    """The file of lanes wins over the setting, from before the first message on."""
    path = runtime.settings.lanes_file
    if path is None:
        yield
        return
    if (plan := read_plan(path)) is not None:
        await runtime.lanes.change(plan)
    task = asyncio.create_task(runtime.lanes.follow(path), name=f"{runtime.name}: lanes")
    try:
        yield
    finally:
        task.cancel()


@asynccontextmanager
async def _joining(runtime: Runtime, parts: Parts) -> AsyncIterator[None]:
    """Lays the streams and listens, in the background, as soon as NATS is there."""
    leaving = asyncio.Event()
    runtime.loops["bus"] = task = asyncio.create_task(_join(runtime, parts, leaving), name=f"{runtime.name}: bus")
    try:
        yield
    finally:
        leaving.set()
        if runtime.broker.obstacle:
            task.cancel()  # it waits for NATS
        await asyncio.gather(task, return_exceptions=True)


async def _join(runtime: Runtime, parts: Parts, leaving: asyncio.Event) -> None:
    layout = _layout(parts)
    runtime.checks.append(layout.losses)
    while not leaving.is_set():
        try:
            await lay(runtime.broker, layout)
            runtime.lanes.changed.clear()
            async with _listening(runtime, parts.subscriptions), _kept(runtime, layout):
                runtime.broker.obstacle = ""
                log.info("bus.joined", lanes=runtime.lanes.plan.heard)
                await _first_of(leaving, runtime.lanes.changed)
        except Exception as error:  # a mistake of ours may not leave a process that looks well and hears nothing
            log.error("bus.failed", error=repr(error))
            runtime.broker.obstacle = f"it could not join the bus: {error!r}"
            await asyncio.sleep(_RETRY_SECONDS)


def _layout(parts: Parts) -> StreamLayout:
    settings, heard = parts.settings, _heard_streams(parts.subscriptions) - set(parts.streams)
    return StreamLayout((*parts.streams, DEAD), sorted(heard), settings.nats_replicas, settings.kept_days)


@asynccontextmanager
async def _kept(runtime: Runtime, layout: StreamLayout) -> AsyncIterator[None]:
    """The streams written here, laid anew when they are gone."""
    task = asyncio.create_task(keep_laid(runtime.broker, layout), name=f"{runtime.name}: streams")
    try:
        yield
    finally:
        await end_tasks(task)


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


@asynccontextmanager
async def _relaying(runtime: Runtime) -> AsyncIterator[None]:
    relay = Relay(runtime.database, runtime.broker.publish_batch)
    runtime.relay = relay
    runtime.loops["relay"] = task = asyncio.create_task(relay.run(), name=f"{runtime.name}: relay")
    try:
        yield
    finally:
        await _stop_within(runtime.settings.drain_seconds / 2, relay.stop(), task)


@asynccontextmanager
async def _timing(runtime: Runtime, subscriptions: Sequence[TimerSubscription]) -> AsyncIterator[None]:
    if not subscriptions:
        yield
        return
    firing = TimerFiring(runtime, subscriptions)
    clock = TimerClock(runtime.database, firing.kinds, firing.fire, clock=runtime.clock)
    runtime.wake_timers = clock.wake
    runtime.timers = clock
    runtime.loops["timers"] = task = asyncio.create_task(clock.run(), name=f"{runtime.name}: timers")
    try:
        yield
    finally:
        await _stop_within(runtime.settings.drain_seconds / 2, clock.stop(), task)


@asynccontextmanager
async def _listening(runtime: Runtime, subscriptions: Sequence[Subscription]) -> AsyncIterator[None]:
    consumers = [
        _consumer(runtime, spec, subscriptions)
        for spec in consumer_specs(runtime.name, runtime.settings, subscriptions, runtime.lanes.plan.heard)
    ]
    for consumer in consumers:
        await consumer.start()
    runtime.consumers = consumers
    shares = LaneShares(runtime, lambda spec: _consumer(runtime, spec, subscriptions))
    shares.start()
    try:
        yield
    finally:
        await shares.stop()
        await asyncio.gather(*(consumer.stop() for consumer in runtime.consumers))


def consumer_specs(
    service: str, settings: ServiceSettings, subscriptions: Sequence[Subscription], lanes: int = 0
) -> list[ConsumerSpec]:
    """One durable per stream heard and lane; the server lets one reader at a time have each. `lanes`: those of the
    settings unless given.
    """
    lanes = lanes or settings.lanes
    rest, linger = settings.rest_ms / 1000, settings.linger_ms / 1000
    return [
        ConsumerSpec(service, stream, _subjects(stream, subscriptions), lane, lanes, settings.batch_size, rest, linger)
        for stream in sorted(_heard_streams(subscriptions))
        for lane in range(lanes)
    ]


def _consumer(runtime: Runtime, spec: ConsumerSpec, subscriptions: Sequence[Subscription]) -> Consumer:
    patience = RetryPolicy(is_transient=runtime.database.is_transient, is_conflict=runtime.database.is_conflict)
    return Consumer(
        runtime.broker, spec, Processor(runtime, spec, subscriptions), patience=patience, observer=runtime.metrics
    )


def _subjects(stream: str, subscriptions: Sequence[Subscription]) -> tuple[str, ...]:
    wire_names = {
        event_type.wire_name
        for taker in subscriptions
        for event_type in taker.event_types
        if stream_of(event_type) == stream
    }
    return tuple(f"{wire_name}.{LANE}" for wire_name in sorted(wire_names))


def _heard_streams(subscriptions: Sequence[Subscription]) -> set[str]:
    return {stream_of(event_type) for taker in subscriptions for event_type in taker.event_types}


async def _stop_within(seconds: float, stopping: Coroutine[Any, Any, None], task: asyncio.Task[None]) -> None:
    # what is not relayed or fired in time stays in the store for the next start
    try:
        async with asyncio.timeout(seconds):
            await stopping
    except TimeoutError:
        log.warning("drain.abandoned", task=task.get_name())
    await end_tasks(task)
