"""One trace per capture: over HTTP, outbox, NATS, handler, and into what the handler says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chassis.bus.broker import Broker
from chassis.telemetry import is_sampled
from tests.chassis.app.bus_words import a_signal, stored
from tests.chassis.app.echo import EchoSettings, create_service
from tests.support.eventually import eventually
from tests.support.service import RunningService, running

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
UNSAMPLED = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-00"}


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Takes the finished spans."""
    return InMemorySpanExporter()


@pytest_asyncio.fixture
async def traced(settings: EchoSettings, exporter: InMemorySpanExporter) -> AsyncIterator[RunningService]:
    """The miniature service, showing its spans."""
    async with running(create_service(settings.model_copy(update={"sample_ratio": 1.0}), exporter=exporter)) as service:
        yield service


async def said_headers(outside: Broker, count: int = 1) -> list[dict[str, str]]:
    """The headers of what the service said, once there are `count`."""

    async def said() -> list[dict[str, str]] | None:
        messages = await stored(outside, "ECHO")
        return [message.headers for message in messages] if len(messages) == count else None

    headers = await eventually(said)
    assert headers is not None
    return headers


def trace_of(headers: dict[str, str]) -> str:
    """The trace id in `headers`."""
    return headers["traceparent"].split("-")[1]


async def test_a_request_s_trace_reaches_what_it_says(
    traced: RunningService, outside: Broker, exporter: InMemorySpanExporter
) -> None:
    await traced.client.post("/v1/echoes", json={"text": "hello"}, headers=SAMPLED)
    assert trace_of((await said_headers(outside))[0]) == TRACE
    names = {
        span.name
        for span in exporter.get_finished_spans()
        if span.context is not None and f"{span.context.trace_id:032x}" == TRACE
    }
    assert names == {"POST /v1/echoes", "say echo.signal.echoed.v1"}


async def test_a_message_s_trace_reaches_what_it_brings_about(
    traced: RunningService, outside: Broker, exporter: InMemorySpanExporter
) -> None:
    other = "00-" + "ab" * 16 + "-b7ad6b7169203331-01"
    await outside.publish_batch(
        [
            a_signal("one", headers=SAMPLED),
            a_signal("two", headers={"traceparent": other}),
            a_signal("three", headers=UNSAMPLED),
        ]
    )
    headers = await said_headers(outside, 3)
    assert [trace_of(one) for one in headers[:2]] == [TRACE, "ab" * 16]
    assert "traceparent" not in headers[2]
    assert headers[0]["traceparent"] != SAMPLED["traceparent"]
    spans = exporter.get_finished_spans()
    assert sum(span.name == "hear signal.flag.given.v1" for span in spans) == 2


@pytest.mark.parametrize("headers", [UNSAMPLED, {}], ids=["unsampled", "none"])
async def test_a_message_that_is_not_traced_begins_no_trace(
    traced: RunningService, outside: Broker, exporter: InMemorySpanExporter, headers: dict[str, str]
) -> None:
    await outside.publish_batch([a_signal("quiet", headers=headers)])
    assert "traceparent" not in (await said_headers(outside))[0]
    assert exporter.get_finished_spans() == ()


async def test_a_failed_request_names_the_trace_that_was_asked_in(
    traced: RunningService, exporter: InMemorySpanExporter
) -> None:
    answer = await traced.client.get("/v1/mistakes", headers=SAMPLED)
    assert answer.json()["trace_id"] == TRACE
    (span,) = exporter.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ZeroDivisionError"
    assert "jane" not in span.to_json()


@pytest.mark.parametrize("header", ["", "nonsense", "00-" + "0" * 50 + "zz", SAMPLED["traceparent"] + "x"])
def test_what_is_no_traceparent_is_not_sampled(header: str) -> None:
    assert not is_sampled({"traceparent": header})
    assert is_sampled(SAMPLED)
    assert not is_sampled(UNSAMPLED)
