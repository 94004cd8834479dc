"""A batch of messages, or due timers, becomes one transaction.

Parse all, claim, hand over in runs, write what was said, commit, wake the relay.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from opentelemetry.trace import Span, SpanKind
from pydantic import ValidationError
from structlog.contextvars import bound_contextvars

from chassis.bus.dead_letters import origin_of, replayed_for
from chassis.bus.durables import ConsumerSpec, Opening
from chassis.bus.errors import Unparseable
from chassis.clock import wall_clock
from chassis.context import Context
from chassis.message import Mark, Received, StreamState
from chassis.runtime import Runtime
from chassis.store import dead_letters, inbox, timers
from chassis.store.dead_letters import Letter
from chassis.store.floors import open_floors
from chassis.store.inbox import Arrival, InboxReading
from chassis.store.session import Session
from chassis.subscriptions import Subscription, TimerSubscription
from chassis.telemetry import carried_trace, is_sampled, link_to, trace_headers, trace_onward
from contracts.envelope import Event

_MOST_REASONS = 5


class Heard(NamedTuple):
    """A message that could be read, and who is to take it. A tuple, as one is made for each message."""

    event: Event
    received: Received
    subscription: Subscription

    @property
    def arrival(self) -> Arrival:
        """What the inbox asks of it."""
        return Arrival(
            self.event.meta.event_id, lane_in(self.received.subject), self.received.mark, self.event.every_lane
        )


class Processor:
    """Applies the messages of one lane (an `Applier`), each at most once, however often and from wherever it comes."""

    def __init__(self, runtime: Runtime, spec: ConsumerSpec, subscriptions: Sequence[Subscription]) -> None:
        self._runtime = runtime
        self._spec = spec
        self._reading = InboxReading(spec.stream, spec.lanes, ())
        self._takers = {
            event_type.wire_name: (event_type, taker) for taker in subscriptions for event_type in taker.event_types
        }

    async def open(self, stream: StreamState) -> Opening:
        """The lane numbers to hear, and their lowest floor.

        Once opened, the numbers stay: batches in hand came under them.
        """
        async with self._runtime.database.begin() as session:
            floors = await open_floors(session, stream, self._spec.lanes, self._runtime.lanes.plan.known)
            before = await inbox.consumers_before(session)
        heard = self._reading.heard or self._spec.heard(len(floors))
        self._reading = replace(self._reading, heard=heard, before=before)
        return Opening(heard, min([floors[lane] for lane in heard], default=None))

    async def apply(self, batch: Sequence[Received]) -> None:
        """Applies `batch`. Raises Unparseable before anything is begun, or whatever a handler raised."""
        heard = await self._read(
            [received for received in batch if replayed_for(received) in (None, self._runtime.name)]
        )
        last = max(batch, key=_sequence).mark
        with self._traced(heard) as traces:
            async with self._runtime.writing(traces) as context:
                for subscription, run in groupby(
                    await self._claim(context, heard, last), key=lambda one: one.subscription
                ):
                    await self._hand_over(subscription, [one.event for one in run], context)

    async def set_aside(self, dead: Sequence[tuple[Received, str]]) -> None:
        """Notes what died.

        The ids are claimed too: what is sent again under one of them is not tried a second time, but for its replay.
        """
        arrivals = [
            _unread(message) for message, _ in dead if "ce-id" in message.headers and replayed_for(message) is None
        ]
        async with self._runtime.database.begin() as session:
            known = {arrival.place.sequence for arrival in arrivals} - await inbox.remember(
                session, self._reading, arrivals
            )
            letters = [
                _letter(message, reason)._replace(is_settled=message.sequence in known) for message, reason in dead
            ]
            await dead_letters.set_aside(session, letters, wall_clock())

    async def _read(self, batch: Sequence[Received]) -> list[Heard]:
        heard, unread = [], {}
        for received in batch:
            try:
                one = self._parse(received)
            except ValueError as error:
                unread[received.sequence] = (received, _reason(error))
                continue
            if one is not None:
                heard.append(one)
        if unread and (reasons := await self._not_noted(unread)):
            raise Unparseable(reasons)
        return heard

    async def _not_noted(self, unread: Mapping[int, tuple[Received, str]]) -> dict[int, str]:
        # what was set aside and comes again, because it was not acknowledged, gets no second
        # letter; a replay that cannot be read does
        origins = {
            sequence: str(origin_of(received))
            for sequence, (received, _) in unread.items()
            if replayed_for(received) is None
        }
        async with self._runtime.database.read() as session:
            noted = await dead_letters.noted(session, set(origins.values()))
        return {sequence: reason for sequence, (_, reason) in unread.items() if origins.get(sequence) not in noted}

    def _parse(self, received: Received) -> Heard | None:
        wire_name = received.subject.rpartition(".")[0]
        taker = self._takers.get(wire_name)
        if taker is None:
            return None  # the durable still filters for what an older release of this service heard
        event_type, subscription = taker
        if received.headers.get("ce-type", wire_name) != wire_name:
            raise ValueError(f"the header ce-type says {received.headers['ce-type']}, the subject {wire_name}")
        return Heard(event_type.from_wire(received.headers, received.body), received, subscription)

    async def _claim(self, context: Context, heard: Sequence[Heard], last: Mark) -> list[Heard]:
        replays = [one for one in heard if replayed_for(one.received) is not None]
        arrivals = [one.arrival for one in heard if not replays or replayed_for(one.received) is None]
        fresh = await inbox.claim(context.session, self._reading, arrivals, last)
        fresh |= {one.received.sequence for one in replays if await self._takes_replay(context.session, one)}
        if len(fresh) == len(heard):
            return list(heard)
        self._runtime.metrics.duplicates_skipped(self._spec.stream, len(heard) - len(fresh))
        return [one for one in heard if one.received.sequence in fresh]

    async def _takes_replay(self, session: Session, one: Heard) -> bool:
        """Applied before, the replay counts: its note is turned in the same transaction."""
        now, origin = wall_clock(), origin_of(one.received)
        if origin.is_noted:  # no note: we died between letter and note, the message came again, and then it went well
            return await dead_letters.take_replay(session, str(origin), now)
        if await inbox.knows(session, self._reading, one.event.meta.event_id):
            return False
        return await dead_letters.take_unnoted_replay(
            session, _letter(one.received, "given up before this was noted"), now
        )

    async def _hand_over(self, subscription: Subscription, events: Sequence[Any], context: Context) -> None:
        began = time.perf_counter()
        try:
            await subscription.handler(events, context)
        except Exception as error:
            self._runtime.metrics.run_failed(subscription.name, error)
            raise
        self._runtime.metrics.run_handled(subscription.name, len(events), time.perf_counter() - began)

    @contextmanager
    def _traced(self, heard: Sequence[Heard]) -> Iterator[Mapping[str, Mapping[str, str]]]:
        """The trace headers for what each message brings about, by its id.

        Spans are built for sampled messages only.
        """
        sampled = [one for one in heard if is_sampled(one.received.headers)]
        if not heard:
            yield {}
        elif len(heard) == 1:
            with self._alone(heard[0], is_sampled=bool(sampled)):
                yield {heard[0].event.meta.event_id: trace_onward()}
        elif not sampled:
            yield {one.event.meta.event_id: {} for one in heard}
        else:
            with self._batch_span(sampled) as spans:
                forwarded = {one.event.meta.event_id: carried_trace(one.received.headers) for one in heard}
                yield forwarded | {event_id: trace_headers(span) for event_id, span in spans.items()}

    @contextmanager
    def _alone(self, one: Heard, *, is_sampled: bool) -> Iterator[None]:
        meta = one.event.meta
        with bound_contextvars(correlation=meta.correlation_id):
            if not is_sampled:
                yield
                return
            with self._runtime.telemetry.span(_name(one), SpanKind.CONSUMER, carried_trace(one.received.headers)):
                yield

    @contextmanager
    def _batch_span(self, sampled: Sequence[Heard]) -> Iterator[dict[str, Span]]:
        # the batch belongs to the first sampled trace and is linked to the others;
        # each of them gets a span of its own besides
        telemetry = self._runtime.telemetry
        links = [link_to(one.received.headers) for one in sampled[1:]]
        with telemetry.span(
            f"batch {self._spec.durable}", SpanKind.CONSUMER, carried_trace(sampled[0].received.headers), links
        ):
            spans = {
                one.event.meta.event_id: telemetry.start(
                    _name(one), SpanKind.CONSUMER, carried_trace(one.received.headers)
                )
                for one in sampled
            }
            try:
                yield spans
            finally:
                for span in spans.values():
                    span.end()


_sequence = attrgetter("sequence")


def lane_in(subject: str) -> int:
    """The lane number in `subject`; 0 when there is none."""
    lane = subject.rpartition(".")[2]
    return int(lane) if lane.isascii() and lane.isdigit() else 0


def _letter(message: Received, reason: str) -> Letter:
    return Letter(str(origin_of(message)), message.headers.get("ce-id", ""), message.subject, reason)


def _unread(message: Received) -> Arrival:
    return Arrival(message.headers["ce-id"], lane_in(message.subject), message.mark)


def _name(one: Heard) -> str:
    return f"hear {one.event.wire_name}"


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    # the input is left out: it may be a person's
    lines = [
        f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False)
    ]
    return "; ".join(lines[:_MOST_REASONS])


class TimerFiring:
    """What the clock (`chassis.store.timer_clock`) calls when timers are due."""

    def __init__(self, runtime: Runtime, subscriptions: Sequence[TimerSubscription]) -> None:
        self._runtime = runtime
        self._handlers = {subscription.kind: subscription.handler for subscription in subscriptions}

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of timers that this service has handlers for."""
        return frozenset(self._handlers)

    async def fire(self, now: datetime, limit: int) -> int:
        """Handles up to `limit` timers that are due at `now`, each in the transaction that removes it.

        Answers how many there were.
        """
        with self._runtime.telemetry.span("fire timers", SpanKind.INTERNAL):
            async with self._runtime.writing(now=now) as context:
                due = await timers.take_due(context.session, now, self.kinds, limit)
                for kind, run in groupby(due, key=lambda timer: timer.kind):
                    began = time.perf_counter()
                    handed = list(run)
                    await self._handlers[kind](handed, context)
                    self._runtime.metrics.run_handled(f"timer {kind}", len(handed), time.perf_counter() - began)
        for timer in due:
            self._runtime.metrics.timer_fired(timer.kind, (now - timer.due_at).total_seconds())
        return len(due)
