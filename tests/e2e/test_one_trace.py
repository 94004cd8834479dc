"""One trace shows the way of a lead from the capture to the alert, through every service that had a part in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.actors import Visitor, ago, hire
from tests.support.collector import Collector, Span, collecting
from tests.support.eventually import eventually
from tests.support.suite import running_suite

pytestmark = [pytest.mark.slow, pytest.mark.timeout(360)]

WAY = [
    ("gateway", "POST /v1/"),
    ("identity", "hear capture.interaction.received.v1"),
    ("scoring", "hear identity.interaction.recognized.v1"),
    ("lifecycle", "hear scoring.score.changed.v1"),
    ("routing", "hear lifecycle.stage.entered.v1"),
    ("routing", "say routing.alert.raised.v1"),
]
HOT = {"email": "mara.lindqvist@tidewater.example", "title": "VP Sales", "employees": 800}


async def test_one_trace_shows_the_way_from_capture_to_alert(tmp_path: Path) -> None:
    async with collecting() as collector:
        told_to = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "GATEWAY_SAMPLE_RATIO": "1",
        }
        with running_suite(tmp_path, environment=told_to) as suite:
            ana = await hire(suite, "Ana Ruiz")
            lead = Visitor(suite, "browser-1", suite.write_key, {})
            await lead.does("Demo Requested", ago(minutes=1), HOT)
            [alert] = await ana.next_alerts(1)
            _, trace_id, last_span_id, _ = (alert.headers or {})["traceparent"].split("-")

            def the_way_is_told() -> None:
                assert [step for step in WAY if not _is_told(step, collector, trace_id)] == []
                assert _is_one_tree(collector.trace(trace_id))
                assert last_span_id in {span.span_id for span in collector.trace(trace_id)}, "whoever hears it goes on"

            await eventually(the_way_is_told, within=30)


def _is_told(step: tuple[str, str], collector: Collector, trace_id: str) -> bool:
    service, name = step
    return any(span.service == service and span.name.startswith(name) for span in collector.trace(trace_id))


def _is_one_tree(spans: list[Span]) -> bool:
    """Every span but the first hangs on another of the same trace."""
    known = {span.span_id for span in spans}
    return [span.parent_id for span in spans if span.parent_id not in known] == [""]
