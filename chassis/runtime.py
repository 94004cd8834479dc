"""What a running service holds, and the one place where transactions are opened and what was said goes into the
outbox.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic

from opentelemetry.trace import SpanKind

from chassis.bus.batches import check_publishable
from chassis.bus.broker import Broker
from chassis.bus.consumer import Consumer
from chassis.bus.errors import PublishRefused, Unpublishable
from chassis.clock import wall_clock
from chassis.context import NOTHING, Context, Held
from chassis.lanes import LanePlan, Lanes
from chassis.message import OutMessage
from chassis.metrics import Metrics
from chassis.readiness import Finding
from chassis.settings import ServiceSettings
from chassis.store import outbox, timers
from chassis.store.database import Database
from chassis.store.outbox import Waiting
from chassis.store.relay import Relay
from chassis.store.session import Session
from chassis.store.timer_clock import TimerClock
from chassis.store.timers import Timer
from chassis.telemetry import Telemetry, is_sampled, trace_headers, trace_onward
from contracts.envelope import Event
from contracts.limits import SAID_BYTES

Check = Callable[[], Awaitable[Sequence[Finding]]]
"""What a service adds to its readiness (`runtime.checks.append(...)`): what it misses now,
or has set aside. It must answer quickly.
"""


@dataclass(frozen=True, slots=True)
class OwnFigure:
    """A figure of a service's own (`runtime.own_figures.append(...)`): a gauge `name`, told by metrics and status.

    `count` must be quick: it is asked by an index, or ends after so many rows.
    """

    name: str
    text: str
    count: Callable[[Session], Awaitable[int]]


def _nobody(_: datetime) -> None:
    """Stands in until the timers run."""


@dataclass(slots=True)
class Runtime(Generic[Held]):
    """One running service. `service` is what its composition root put there (`Service(extras=...)`)."""

    name: str
    settings: ServiceSettings
    database: Database
    broker: Broker
    metrics: Metrics
    telemetry: Telemetry
    clock: Callable[[], datetime] = wall_clock
    service: Held = None  # type: ignore[assignment]  # until its composition root put it there
    relay: Relay | None = None
    consumers: Sequence[Consumer] = ()
    wake_timers: Callable[[datetime], None] = field(default=_nobody)
    timers: TimerClock | None = None
    checks: list[Check] = field(default_factory=list)
    own_figures: list[OwnFigure] = field(default_factory=list)
    told_streams: Sequence[str] = ()  # whose size it tells: those it writes
    started_at: datetime = field(default_factory=wall_clock)
    why_no_traffic: Callable[[], Awaitable[str]] | None = None  # None: it takes what its store takes
    loops: dict[str, asyncio.Task[None]] = field(default_factory=dict)  # by part; each runs until the end
    is_stopping: bool = False
    lanes: Lanes = field(init=False)

    def __post_init__(self) -> None:
        self.lanes = Lanes(LanePlan.of(self.settings.lanes))

    @asynccontextmanager
    async def writing(
        self, traces: Mapping[str, Mapping[str, str]] = NOTHING, now: datetime | None = None
    ) -> AsyncIterator[Context[Held]]:
        """A context in a transaction: effects, outbox and timers commit together at exit, or not at all when the block
        raises.

        Raises Unpublishable at exit when something was said that the broker could never take.

        `now` is the clock's unless given.
        """
        with ExitStack() as effects, nullcontext(None) if self.relay is None else self.relay.ride() as ride:
            async with self.database.begin() as session:
                context = Context(session, now or self.clock(), self.service, traces)
                yield context
                lanes = effects.enter_context(self.lanes.saying())
                said = await self._write_effects(context, lanes)
                if ride is not None:
                    ride.said = said
                    await ride.write(session)
        due = [alarm.due_at for alarm in context.timers.values() if alarm is not None]
        if due:
            self.wake_timers(min(due))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Context[Held]]:
        """A context whose session never commits.

        Raises RuntimeError when something was said in it: it would be lost.
        """
        async with self.database.read() as session:
            context = Context(session, self.clock(), self.service)
            yield context
            if context.said or context.timers:
                raise RuntimeError("a reading context cannot say or set anything; take a Write")

    async def _write_effects(self, context: Context, lanes: int) -> Sequence[Waiting]:
        """Answers what goes to the relay."""
        messages = [
            (event.meta.event_id, message)
            for event in context.said
            for message in self._messages(event, context, lanes)
        ]
        self._refuse_unpublishable(messages)
        said = await outbox.append(context.session, messages) if messages else ()
        alarms = [
            Timer(kind, key, alarm.due_at, alarm.payload)
            for (kind, key), alarm in context.timers.items()
            if alarm is not None
        ]
        if alarms:
            await timers.set_timers(context.session, alarms)
        cancelled = [name for name, alarm in context.timers.items() if alarm is None]
        if cancelled:
            await timers.cancel_timers(context.session, cancelled)
        return said

    def _refuse_unpublishable(self, messages: Sequence[tuple[str, OutMessage]]) -> None:
        # here, where the cause is known and can be set aside; once committed, the
        # event would stand in the way of all others
        most = min(SAID_BYTES, self.broker.max_payload)
        for event_id, message in messages:
            try:
                check_publishable(message, most)
            except PublishRefused as refusal:
                raise Unpublishable(event_id, message.subject, str(refusal)) from None

    def _messages(self, event: Event, context: Context, lanes: int) -> list[OutMessage]:
        self.metrics.event_said(event.wire_name)
        trace = self._trace_onward(event, context.trace_of(event))
        body = event.body()
        return [OutMessage(subject, event.headers_on(subject) | trace, body) for subject in event.subjects(lanes)]

    def _trace_onward(self, event: Event, cause: Mapping[str, str] | None) -> dict[str, str]:
        carried = trace_onward() if cause is None else cause
        if not is_sampled(carried):
            return {}
        span = self.telemetry.start(f"say {event.wire_name}", SpanKind.PRODUCER, carried)
        span.end()
        return trace_headers(span)
