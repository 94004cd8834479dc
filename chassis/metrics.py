"""What Prometheus is told: rate, errors and duration per route and per handler; lag, outbox age, timer lateness, dead
letters.

Each app has a registry of its own. Labels are route templates, handler names and streams, never paths or ids.
"""

from __future__ import annotations

from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

Measure = TypeVar("Measure", Counter, Gauge, Histogram)

CONTENT_TYPE = CONTENT_TYPE_LATEST
_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SLOW = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0)


class Metrics:
    """The measures of one service."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self._service = service
        self._children: dict[tuple[Any, ...], Any] = {}
        self._requests = self._histogram(
            "rapport_http_request_seconds", "Time to answer a request", ("method", "route", "status"), _FAST
        )
        self._make_those_of_messages()
        self._make_those_of_stores()

    def _make_those_of_messages(self) -> None:
        self._batches = self._histogram(
            "rapport_batch_seconds", "Time to handle a batch, with its transaction", ("stream", "consumer"), _FAST
        )
        self._messages = self._counter("rapport_messages_total", "Messages handled in batches", ("stream", "consumer"))
        self._handlers = self._histogram(
            "rapport_handler_seconds", "Time a handler took for a run of events", ("handler",), _FAST
        )
        self._events = self._counter("rapport_events_total", "Events given to a handler", ("handler",))
        self._failures = self._counter(
            "rapport_handler_failures_total", "Runs of events that a handler failed on", ("handler", "error")
        )
        self._duplicates = self._counter(
            "rapport_duplicates_total", "Messages that came again and changed nothing", ("stream",)
        )
        self._dead = self._counter("rapport_dead_letters_total", "Messages given up", ("stream", "consumer"))
        self._failed_batches = self._counter(
            "rapport_batch_failures_total", "Tries of a batch that failed", ("stream", "consumer", "error")
        )
        self._lag = self._gauge("rapport_consumer_lag", "Messages that wait on the stream", ("stream", "consumer"))

    def _make_those_of_stores(self) -> None:
        self._outbox_age = self._gauge(
            "rapport_outbox_age_seconds", "Age of the oldest event that is not published yet", ()
        )
        self._refused = self._gauge(
            "rapport_outbox_refused", "Events that the broker refused and that were set aside", ()
        )
        self._failing = self._gauge("rapport_timers_failing", "Timers whose handler keeps failing", ())
        self._lateness = self._histogram(
            "rapport_timer_lateness_seconds", "How long after its due time a timer fired", ("kind",), _SLOW
        )
        self._said = self._counter("rapport_said_total", "Events put into the outbox", ("event",))

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered. `route` is the template."""
        self._of(self._requests, method, route, status).observe(seconds)

    def batch_handled(self, stream: str, consumer: str, size: int, seconds: float) -> None:
        """A batch was applied and committed. (This and the next three are `chassis.bus.observer.Observer`.)"""
        self._of(self._batches, stream, consumer).observe(seconds)
        self._of(self._messages, stream, consumer).inc(size)

    def batch_failed(self, stream: str, consumer: str, size: int, error: Exception) -> None:
        """A try of a batch ended in an error; its messages are tried again."""
        self._failed_batches.labels(self._service, stream, consumer, type(error).__name__).inc()

    def message_died(self, stream: str, consumer: str, subject: str, reason: str) -> None:
        """A message went to the dead letters. The reason is in its headers, not in a label."""
        self._dead.labels(self._service, stream, consumer).inc()

    def lag_seen(self, stream: str, consumer: str, pending: int) -> None:
        """How many messages wait behind those just taken."""
        self._of(self._lag, stream, consumer).set(pending)

    def run_handled(self, handler: str, size: int, seconds: float) -> None:
        """A handler took a run of events (or timers)."""
        self._of(self._handlers, handler).observe(seconds)
        self._of(self._events, handler).inc(size)

    def run_failed(self, handler: str, error: BaseException) -> None:
        """A handler raised."""
        self._failures.labels(self._service, handler, type(error).__name__).inc()

    def duplicates_skipped(self, stream: str, count: int) -> None:
        """Messages were redelivered, and the inbox knew them."""
        self._of(self._duplicates, stream).inc(count)

    def outbox_aged(self, seconds: float) -> None:
        """How old the oldest unpublished event is; 0 when all are published."""
        self._outbox_age.labels(self._service).set(seconds)

    def set_aside(self, refused: int, failing: int) -> None:
        """So many refused events and failing timers there are."""
        self._refused.labels(self._service).set(refused)
        self._failing.labels(self._service).set(failing)

    def timer_fired(self, kind: str, late_seconds: float) -> None:
        """A timer fired this late."""
        self._of(self._lateness, kind).observe(max(late_seconds, 0.0))

    def event_said(self, wire_name: str) -> None:
        """An event went into the outbox."""
        self._of(self._said, wire_name).inc()

    def render(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self.registry)

    def _of(self, metric: Measure, *labels: str | int) -> Measure:
        """The part of a metric with these labels: looking it up by its labels costs more than observing does."""
        key = (metric, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(self._service, *map(str, labels))
        return child

    def _histogram(self, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, ("service", *labels), buckets=buckets, registry=self.registry)

    def _counter(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return Counter(name, text, ("service", *labels), registry=self.registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(name, text, ("service", *labels), registry=self.registry)
