"""Traces: one per capture, from the gateway's answer to the last service's, carried by W3C headers over HTTP and NATS.

Spans leave only when `OTEL_EXPORTER_OTLP_ENDPOINT` is set. A trace that is not sampled costs nothing on the bus: no
span is built for its messages, and they carry no trace. A message without a trace begins none; the `correlation` of
what a service does for it alone stands in its logs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import getrandbits
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

TRACE_HEADERS = ("traceparent", "tracestate")
_PROPAGATOR = TraceContextTextMapPropagator()
_EMPTY = Context()
_LOW_64_BITS = (1 << 64) - 1
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


class Telemetry:
    """The tracer of one service.

    `exporter` takes finished spans at once; it is for tests, production names an endpoint.
    """

    def __init__(self, service: str, sample_ratio: float, exporter: SpanExporter | None = None) -> None:
        self._bound = round(sample_ratio * (1 << 64))
        self._ids = RandomIdGenerator()
        self._provider = TracerProvider(
            # `_unrecorded` has decided before the SDK is asked: its own no costs as much as half a request
            sampler=ALWAYS_ON,
            resource=Resource.create({"service.name": service, "service.namespace": "rapport"}),
            shutdown_on_exit=False,  # the lifespan shuts it down
        )
        if exporter is not None:
            self._provider.add_span_processor(SimpleSpanProcessor(exporter))
        elif _endpoint_is_named():
            self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("rapport.chassis")

    @contextmanager
    def span(
        self,
        name: str,
        kind: SpanKind,
        parent: Mapping[str, str] | None = None,
        links: Sequence[Link] = (),
        is_recorded: bool | None = None,
    ) -> Iterator[Span]:
        """A span that is current inside the block; `parent` are trace headers (absent: a trace begins).

        An error marks it and goes on.

        `is_recorded`: a trace that begins was drawn already (`draw`).
        """
        span = self._unrecorded(parent, is_recorded) or self._tracer.start_span(
            name, context=_context_of(parent), kind=kind, links=links
        )
        token = otel_context.attach(trace.set_span_in_context(span))
        try:
            yield span
        except Exception as error:
            mark_failed(span, error)
            raise
        finally:
            otel_context.detach(token)
            span.end()

    def start(self, name: str, kind: SpanKind, parent: Mapping[str, str]) -> Span:
        """A span that is not made current; the caller ends it."""
        return self._tracer.start_span(name, context=_context_of(parent), kind=kind)

    def draw(self) -> bool:
        """Whether a trace that begins now is to be recorded."""
        return getrandbits(64) < self._bound

    def _unrecorded(self, parent: Mapping[str, str] | None, is_recorded: bool | None) -> Span | None:
        """A span that only carries ids, when this trace is not to be recorded: as the parent decided, or, where a trace
        begins, by its id.
        """
        sender = _sender(parent.get("traceparent", "")) if parent else None
        if sender is not None:
            return None if sender.trace_flags.sampled else NonRecordingSpan(sender)
        trace_id = self._ids.generate_trace_id()
        if is_recorded if is_recorded is not None else trace_id & _LOW_64_BITS < self._bound:
            return None
        return NonRecordingSpan(SpanContext(trace_id, self._ids.generate_span_id(), is_remote=False))

    def close(self) -> None:
        """Hand over what was not exported yet."""
        self._provider.shutdown()


def trace_headers(span: Span | None = None) -> dict[str, str]:
    """The headers that make somebody else's work part of this trace: of `span`, or of what is running now.

    Empty outside any trace.
    """
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, None if span is None else trace.set_span_in_context(span, _EMPTY))
    return carrier


def trace_onward(span: Span | None = None) -> dict[str, str]:
    """`trace_headers` for a message: empty also when the trace is not recorded, as whoever hears a message without a
    trace begins none.
    """
    context = (trace.get_current_span() if span is None else span).get_span_context()
    return trace_headers(span) if context.is_valid and context.trace_flags.sampled else {}


def carried_trace(headers: Mapping[str, str]) -> dict[str, str]:
    """The trace headers among `headers`, as they came."""
    return {name: headers[name] for name in TRACE_HEADERS if name in headers}


def is_sampled(headers: Mapping[str, str]) -> bool:
    """Whether the sender decided to record this trace; asked for each message."""
    traceparent = headers.get("traceparent")
    sender = None if traceparent is None else _sender(traceparent)
    return sender is not None and sender.trace_flags.sampled


def link_to(headers: Mapping[str, str]) -> Link:
    """A link to the trace that `headers` carry, for work done for several traces at once."""
    return Link(trace.get_current_span(_context_of(headers)).get_span_context())


def current_ids() -> tuple[str, str] | None:
    """(trace id, span id) of what is running now, in hexadecimal; None outside any trace."""
    span_context = trace.get_current_span().get_span_context()
    if not span_context.is_valid:
        return None
    return trace.format_trace_id(span_context.trace_id), trace.format_span_id(span_context.span_id)


def mark_failed(span: Span, error: BaseException) -> None:
    """Records the class of `error`, not its text: that may quote a person's data."""
    if span.is_recording():
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR)


def _sender(traceparent: str) -> SpanContext | None:
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    trace_id, span_id, flags = match.groups()
    sender = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return sender if sender.is_valid else None


def _context_of(headers: Mapping[str, str] | None) -> Context:
    return _EMPTY if not headers else _PROPAGATOR.extract(headers, context=_EMPTY)


def _endpoint_is_named() -> bool:
    names: Any = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return any(os.environ.get(name) for name in names)
