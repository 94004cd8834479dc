"""How much there is of what: figures that only the store, the bus and the disk know, looked up when somebody asks.

Each question has a bound on its rows and one on its time, and what does not answer is missing from the answer: whoever
asks how a process is must hear of it just then.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select

from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.clock import wall_clock
from chassis.runtime import Runtime
from chassis.store import dead_letters, outbox, refused_events, timers
from chassis.store.database import Database
from chassis.store.session import Session

MOST_COUNTED: Final = 10_000
"""Where this many are found there may be more: the exact figure would say no more and cost no bounded time."""
_PATIENCE_SECONDS: Final = 0.7
_BUS_SECONDS: Final = 0.5


class StreamFigures(NamedTuple):
    """One stream: what it holds, and how many messages were ever stored in it (they may have gone since)."""

    messages: int
    size_bytes: int
    appended: int


class Disk(NamedTuple):
    """The disk that a store's file is on, in bytes."""

    free: int
    size: int


@dataclass(frozen=True, slots=True)
class StoreFigures:
    """What a store holds. Counts end at MOST_COUNTED; `own` are the service's figures, by the name of their metric."""

    outbox_events: int = 0
    outbox_age_seconds: float = 0.0
    refused_events: int = 0
    dead_letters: int = 0
    timers_failing: int = 0
    timers_overdue: int = 0
    timers_late_seconds: float = 0.0
    size_bytes: int = 0
    own: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BusFigures:
    """What the bus holds of what this process reads and writes. `lag` by (stream, durable): what is not applied yet,
    None where nobody can say it.
    """

    lag: Mapping[tuple[str, str], int | None] = field(default_factory=dict)
    streams: Mapping[str, StreamFigures] = field(default_factory=dict)
    used_bytes: int | None = None
    limit_bytes: int | None = None  # None: nobody set one


@dataclass(frozen=True, slots=True)
class ProcessFigures:
    """All that could be found. `store` is None when the store did not answer, `disk` where it is no file of ours."""

    store: StoreFigures | None
    bus: BusFigures
    disk: Disk | None = None


async def look(runtime: Runtime) -> ProcessFigures:
    """The figures of now, within a second."""
    store, bus = await asyncio.gather(_of_store(runtime), _of_bus(runtime))
    return ProcessFigures(store, bus, disk_of(runtime.database))


def disk_of(database: Database) -> Disk | None:
    """The disk that a store's file is on; None on PostgreSQL, and where the file has gone."""
    if database.path is None:
        return None
    try:
        usage = shutil.disk_usage(database.path.parent)
    except OSError:
        return None
    return Disk(usage.free, usage.total)


async def _of_store(runtime: Runtime) -> StoreFigures | None:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            waiting = await runtime.relay.backlog() if runtime.relay is not None else outbox.Backlog(0, None)
            # in a thread: some of these read rows that no index counts
            async with runtime.database.read() as session:
                return await _found(session, runtime, waiting)
    except TimeoutError:
        return None
    except Exception as error:
        if runtime.database.is_transient(error):
            return None
        raise


async def _found(session: Session, runtime: Runtime, waiting: outbox.Backlog) -> StoreFigures:
    now = wall_clock()
    kinds = runtime.timers.kinds if runtime.timers is not None else ()
    overdue = await timers.overdue(session, runtime.clock(), kinds, MOST_COUNTED)
    own = {figure.name: await figure.count(session) for figure in runtime.own_figures}
    return StoreFigures(
        outbox_events=waiting.count,
        outbox_age_seconds=0.0 if waiting.oldest is None else max(0.0, (now - waiting.oldest).total_seconds()),
        refused_events=await refused_events.count(session),
        dead_letters=await dead_letters.waiting(session, MOST_COUNTED),
        timers_failing=sum(count for _, count in await timers.failing(session)),
        timers_overdue=overdue.many,
        timers_late_seconds=overdue.late_seconds,
        size_bytes=await _size_of(session, runtime.database),
        own=own,
    )


async def _size_of(session: Session, database: Database) -> int:
    if database.path is None:
        return int(await session.scalar(select(func.pg_database_size(func.current_database()))) or 0)
    log = database.path.with_name(f"{database.path.name}-wal")
    return sum(path.stat().st_size for path in (database.path, log) if path.exists())


async def _of_bus(runtime: Runtime) -> BusFigures:
    broker = runtime.broker
    # of the lanes that are read here now: another process may have taken over what this one saw before
    lanes = [(consumer.spec.stream, consumer.spec.durable) for consumer in runtime.consumers]
    if not broker.is_connected:
        return BusFigures(lag=dict.fromkeys(lanes))
    told = await asyncio.gather(
        *(_asked(broker, f"CONSUMER.INFO.{stream}.{durable}") for stream, durable in lanes),
        *(_asked(broker, f"STREAM.INFO.{name}") for name in runtime.told_streams),
    )
    lag = {
        lane: None if answer is None else answer["num_pending"] + answer["num_ack_pending"]
        for lane, answer in zip(lanes, told, strict=False)
    }
    streams = _streams(runtime.told_streams, told[len(lanes) :])
    return BusFigures(lag=lag, streams=streams, **_usage(broker))


async def _asked(broker: Broker, subject: str) -> dict[str, Any] | None:
    try:
        return await broker.request(subject, within=_BUS_SECONDS)
    except (BrokerUnavailable, ApiRefused):
        return None  # what is amiss with NATS is told by readiness


def _streams(names: Sequence[str], told: Sequence[dict[str, Any] | None]) -> dict[str, StreamFigures]:
    states = {name: answer["state"] for name, answer in zip(names, told, strict=True) if answer is not None}
    return {name: StreamFigures(state["messages"], state["bytes"], state["last_seq"]) for name, state in states.items()}


def _usage(broker: Broker) -> dict[str, int | None]:
    limit = broker.account.get("limits", {}).get("max_storage", 0)
    return {"used_bytes": broker.account.get("storage"), "limit_bytes": limit if limit > 0 else None}
