"""A batch of messages becomes one transaction: parse all, claim, hand over in runs, write what was said, commit, wake the relay."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from opentelemetry.trace import Span, SpanKind
from pydantic import ValidationError

from chassis.bus.errors import Unparseable
from chassis.context import Context
from chassis.message import Received
from chassis.runtime import Runtime
from chassis.store import inbox
from chassis.subscriptions import Subscription
from chassis.telemetry import carried_trace, is_sampled, link_to, trace_headers
from contracts.envelope import Event

_MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that could be read, and who is to take it."""

    event: Event
    received: Received
    subscription: Subscription


class Processor:
    """Applies the messages of one durable consumer. `consumer` is its name in the inbox."""

    def __init__(self, runtime: Runtime, consumer: str, subscriptions: Sequence[Subscription]) -> None:
        self._runtime = runtime
        self._consumer = consumer
        self._takers = {event_type.wire_name: (event_type, taker) for taker in subscriptions for event_type in taker.event_types}

    async def handle(self, batch: Sequence[Received]) -> None:
        """Applies `batch`, each message at most once. Raises Unparseable before anything is begun, or whatever a handler raised."""
        heard = self._read(batch)
        if not heard:
            return
        with self._traced(heard) as traces:
            async with self._runtime.writing(traces) as context:
                for subscription, run in groupby(await self._claim(context, heard), key=lambda one: one.subscription):
                    await self._hand_over(subscription, [one.event for one in run], context)

    def _read(self, batch: Sequence[Received]) -> list[Heard]:
        heard, reasons = [], {}
        for received in batch:
            try:
                one = self._parse(received)
            except ValueError as error:
                reasons[received.sequence] = _reason(error)
                continue
            if one is not None:
                heard.append(one)
        if reasons:
            raise Unparseable(reasons)
        return heard

    def _parse(self, received: Received) -> Heard | None:
        wire_name = received.subject.rpartition(".")[0]
        taker = self._takers.get(wire_name)
        if taker is None:
            return None  # the durable still filters for what an older release of this service heard
        event_type, subscription = taker
        if received.headers.get("ce-type", wire_name) != wire_name:
            raise ValueError(f"the header ce-type says {received.headers['ce-type']}, the subject {wire_name}")
        return Heard(event_type.from_wire(received.headers, received.body), received, subscription)

    async def _claim(self, context: Context, heard: Sequence[Heard]) -> list[Heard]:
        unseen = await inbox.claim(context.session, self._consumer, {one.event.meta.event_id for one in heard})
        fresh = []
        for one in heard:
            if one.event.meta.event_id in unseen:
                unseen.discard(one.event.meta.event_id)  # the same message may be in the batch twice
                fresh.append(one)
        if len(fresh) < len(heard):
            self._runtime.metrics.duplicates_skipped(heard[0].received.stream, len(heard) - len(fresh))
        return fresh

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
        """The trace headers for what each message brings about, by its id. Spans are built for sampled messages only."""
        sampled = [one for one in heard if is_sampled(one.received.headers)]
        if len(heard) == 1:
            with self._runtime.telemetry.span(_name(heard[0]), SpanKind.CONSUMER, carried_trace(heard[0].received.headers)):
                yield {heard[0].event.meta.event_id: trace_headers()}
        elif not sampled:
            yield {one.event.meta.event_id: carried_trace(one.received.headers) for one in heard}
        else:
            with self._batch_span(sampled) as spans:
                forwarded = {one.event.meta.event_id: carried_trace(one.received.headers) for one in heard}
                yield forwarded | {event_id: trace_headers(span) for event_id, span in spans.items()}

    @contextmanager
    def _batch_span(self, sampled: Sequence[Heard]) -> Iterator[dict[str, Span]]:
        # the batch belongs to the first sampled trace and is linked to the others; each of them gets a span of its own besides
        telemetry = self._runtime.telemetry
        links = [link_to(one.received.headers) for one in sampled[1:]]
        with telemetry.span(f"batch {self._consumer}", SpanKind.CONSUMER, carried_trace(sampled[0].received.headers), links):
            spans = {one.event.meta.event_id: telemetry.start(_name(one), SpanKind.CONSUMER, carried_trace(one.received.headers)) for one in sampled}
            try:
                yield spans
            finally:
                for span in spans.values():
                    span.end()


def _name(one: Heard) -> str:
    return f"hear {one.event.wire_name}"


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    # the input is left out: it may be a person's
    lines = [f"{'.'.join(map(str, item['loc'])) or 'body'}: {item['msg']}" for item in error.errors(include_input=False, include_url=False)]
    return "; ".join(lines[:_MOST_REASONS])
