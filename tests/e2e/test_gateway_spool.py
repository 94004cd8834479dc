"""A gateway whose forms do not get onto the stream: it says so, tells how many wait, and goes on taking them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from chassis.bus.broker import Broker
from chassis.bus.streams import stream_config
from gateway.routes import UPSTREAMS
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess, free_port
from tests.unit.gateway.running import API_KEY, PRIVATE_KEY, PUBLIC_KEY, WRITE_KEY

pytestmark = pytest.mark.slow


async def test_a_spool_that_does_not_empty_is_told_while_forms_are_still_taken(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    inner = f"http://127.0.0.1:{(inner_port := free_port())}"
    environment = {
        "GATEWAY_DATABASE_URL": f"sqlite:///{tmp_path / 'gateway.db'}",
        "GATEWAY_NATS_URL": nats_server.url,
        "GATEWAY_INNER_PORT": str(inner_port),
        "GATEWAY_STUCK_SECONDS": "1",
        "GATEWAY_TOKEN_PRIVATE_KEY": PRIVATE_KEY,
        "GATEWAY_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        "GATEWAY_BOOTSTRAP_API_KEY": API_KEY,
        "GATEWAY_BOOTSTRAP_WRITE_KEY": WRITE_KEY,
        **{f"GATEWAY_{name.upper()}_URL": "http://127.0.0.1:9" for name in UPSTREAMS},
    }
    outside = await Broker.connect(nats_server.url, "outside")
    async with (
        ServiceProcess("gateway.main", "GATEWAY_", environment, tmp_path / "log") as process,
        httpx.AsyncClient(base_url=process.url, timeout=30) as client,
    ):
        await outside.request("STREAM.UPDATE.CAPTURE", stream_config("CAPTURE", 1) | {"max_bytes": 1})
        for number in range(3):
            kept = await client.post("/v1/forms/default", data={"email": f"kept-{number}@b.co"})
            assert kept.status_code == 202

        async def is_told() -> bool:
            answer = await client.get(f"{inner}/readyz")
            told = {error["field"]: error["reason"] for error in answer.json().get("errors", ())}
            return "3 events wait" in told.get("relay", "")

        await eventually(is_told, within=30)
        assert (await client.get("/readyz/traffic")).status_code == 200
        metrics = (await client.get(f"{inner}/metrics")).text
        assert 'rapport_outbox_events{service="gateway"} 3.0' in metrics
        assert 'rapport_ready{service="gateway"} 0.0' in metrics

        await outside.request("STREAM.UPDATE.CAPTURE", stream_config("CAPTURE", 1))

        async def is_empty() -> bool:
            ready = (await client.get("/readyz")).status_code == 200
            return (
                ready and 'rapport_outbox_events{service="gateway"} 0.0' in (await client.get(f"{inner}/metrics")).text
            )

        await eventually(is_empty, within=30)
    await outside.close()
