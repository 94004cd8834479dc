"""The client for asking other services."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.trace import SpanKind

from chassis.telemetry import Telemetry
from chassis.web import http_client
from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess
from tests.support.service import PUBLIC_KEY, token


@pytest.mark.slow
async def test_the_trace_goes_along_over_a_real_connection(nats_server: NatsServer, tmp_path: Path) -> None:
    environment = {
        "ECHO_DATABASE_URL": f"sqlite:///{tmp_path / 'store.db'}",
        "ECHO_NATS_URL": nats_server.url,
        "ECHO_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
    }
    headers = {"authorization": f"Bearer {token()}"}
    async with (
        ServiceProcess("tests.chassis.app.echo", "ECHO_", environment, tmp_path / "log") as process,
        http_client(process.url, headers=headers) as client,
    ):
        with Telemetry("asking", 0.0).span("ask", SpanKind.CLIENT) as span:
            answer = await client.get("/v1/echoes/never")
    assert answer.json()["trace_id"] == f"{span.get_span_context().trace_id:032x}"
