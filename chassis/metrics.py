"""What is counted while work is done: rate, errors and duration per route and per handler, messages, events, timers.

What stands in a store or on the bus is not counted here but looked up when somebody asks (`chassis.figures`). Each app
has a registry of its own. Labels are route templates, handler names, streams and classes of errors, never paths, ids
or what people told us; so there are as many series as the code has parts, whatever is sent.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

Measure = TypeVar("Measure", Counter, Histogram)

CONTENT_TYPE = CONTENT_TYPE_LATEST
UNMATCHED: Final = "unmatched"
"""The route of what no route takes."""
_METHOD_NOT_ALLOWED: Final = 405
_ANSWER: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_FAST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SLOW: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a series beside each counter and histogram that nobody asks for


class Metrics:
    """The measures of one service."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self._service = service
        self._children: dict[tuple[Any, ...], Any] = {}
        self._exchanges: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._make_those_of_requests()
        self._make_those_of_messages()
        self._make_those_of_handlers()

    def _make_those_of_requests(self) -> None:
        self._requests = self._counter("rapport_http_requests_total", "Requests answered", "method", "route", "status")
        self._answers = self._histogram(
            "rapport_http_request_duration_seconds", "Time to answer a request", _ANSWER, "method", "route"
        )

    def _make_those_of_messages(self) -> None:
        lane = ("stream", "consumer")
        self._batches = self._histogram(
            "rapport_batch_duration_seconds", "Time to handle a batch, with its transaction", _FAST, *lane
        )
        self._messages = self._counter("rapport_messages_total", "Messages handled in batches", *lane)
        self._failed_batches = self._counter(
            "rapport_batch_failures_total", "Tries of a batch that failed", *lane, "error"
        )
        self._dead = self._counter("rapport_dead_letters_total", "Messages given up", *lane)
        self._duplicates = self._counter(
            "rapport_duplicates_total", "Messages that came again and changed nothing", "stream"
        )

    def _make_those_of_handlers(self) -> None:
        self._handlers = self._histogram(
            "rapport_handler_duration_seconds", "Time a handler took for a run of events or timers", _FAST, "handler"
        )
        self._events = self._counter("rapport_handler_events_total", "Events and timers given to a handler", "handler")
        self._failures = self._counter(
            "rapport_handler_failures_total", "Runs of events that a handler failed on", "handler", "error"
        )
        self._lateness = self._histogram(
            "rapport_timer_lateness_seconds", "How long after its due time a timer fired", _SLOW, "kind"
        )
        self._said = self._counter("rapport_events_said_total", "Events put into the outbox", "event")

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered. `route` is the template."""
        exchange = self._exchanges.get((method, route, status))
        if exchange is None:
            exchange = self._exchange(method, route, status)
        exchange[0].inc()
        exchange[1].observe(seconds)

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

    def timer_fired(self, kind: str, late_seconds: float) -> None:
        """A timer fired this late."""
        self._of(self._lateness, kind).observe(max(late_seconds, 0.0))

    def event_said(self, wire_name: str) -> None:
        """An event went into the outbox."""
        self._of(self._said, wire_name).inc()

    def render(self, *looked_up: Collector) -> bytes:
        """All of it in Prometheus's text format, and behind it what `looked_up` have found."""
        pages = [self.registry]
        if looked_up:
            pages.append(CollectorRegistry())
            for collector in looked_up:
                pages[-1].register(collector)
        return b"".join(generate_latest(page) for page in pages)

    def _exchange(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        # a method that a route does not take is no series of the route's: there are more of those than of others
        where = UNMATCHED if status == _METHOD_NOT_ALLOWED else route
        exchange = (
            self._requests.labels(self._service, method, where, str(status)),
            self._answers.labels(self._service, method, where),
        )
        self._exchanges[method, route, status] = exchange
        return exchange

    def _of(self, metric: Measure, *labels: str) -> Measure:
        """The part of a metric with these labels: looking it up by its labels costs more than observing does."""
        key = (metric, *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = metric.labels(self._service, *labels)
        return child

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, ("service", *labels), buckets=buckets, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, ("service", *labels), registry=self.registry)
