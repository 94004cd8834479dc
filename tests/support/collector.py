"""An OpenTelemetry collector of the test's own: takes spans by OTLP over HTTP and keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """One span as it was told."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str


@dataclass
class Collector:
    """What was told so far. `endpoint` is for OTEL_EXPORTER_OTLP_ENDPOINT."""

    endpoint: str
    spans: list[Span] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        told = ExportTraceServiceRequest.FromString(await request.read())
        for resource in told.resource_spans:
            service = next(one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.append(
                        Span(span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), service, span.name)
                    )
        return web.Response(body=b"", content_type="application/x-protobuf")

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of one trace."""
        return [span for span in self.spans if span.trace_id == trace_id]


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A collector on a free port of loopback."""
    collector = Collector("")
    app = web.Application(client_max_size=16 * 2**20)
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()
        await asyncio.sleep(0)  # lets the transports close
