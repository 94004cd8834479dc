"""A gateway that starts while NATS is away, as a process: it listens, answers what it knows, and keeps forms."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from chassis.bus.broker import Broker
from chassis.bus.inspection import messages
from contracts.events.gateway import InteractionReceived
from gateway.routes import UPSTREAMS
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess, free_port
from tests.unit.gateway.running import API_KEY, PRIVATE_KEY, PUBLIC_KEY, WRITE_KEY

pytestmark = pytest.mark.slow
BEARER = {"authorization": f"Bearer {API_KEY}"}


async def test_a_gateway_that_starts_while_nats_is_away_serves_and_keeps_forms_until_it_comes(tmp_path: Path) -> None:
    nats = NatsServer()
    inner_port = free_port()
    environment = {
        "GATEWAY_DATABASE_URL": f"sqlite:///{tmp_path / 'gateway.db'}",
        "GATEWAY_NATS_URL": nats.url,
        "GATEWAY_INNER_PORT": str(inner_port),
        "GATEWAY_TOKEN_PRIVATE_KEY": PRIVATE_KEY,
        "GATEWAY_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        "GATEWAY_BOOTSTRAP_API_KEY": API_KEY,
        "GATEWAY_BOOTSTRAP_WRITE_KEY": WRITE_KEY,
        **{f"GATEWAY_{name.upper()}_URL": "http://127.0.0.1:9" for name in UPSTREAMS},
    }
    process = ServiceProcess("gateway.main", "GATEWAY_", environment, tmp_path / "log")
    process.spawn()
    try:
        async with httpx.AsyncClient(base_url=process.url, timeout=20) as client:
            await eventually(lambda: takes_traffic(f"http://127.0.0.1:{inner_port}"), within=40)
            told = await client.get("/readyz")
            assert (told.status_code, told.json()) == (503, {"status": "not ready"})
            ready = await client.get(f"http://127.0.0.1:{inner_port}/readyz")
            assert (ready.status_code, [error["field"] for error in ready.json()["errors"]]) == (503, ["nats"])
            assert (await client.get("/readyz/traffic")).status_code == 200
            assert (await client.get("/v1/sources", headers=BEARER)).status_code == 200
            kept = await client.post("/v1/forms/default", data={"email": "early@b.co"})
            assert kept.status_code == 202
            refused = await client.post("/v1/track", json={"event": "e", "userId": "u"}, auth=(WRITE_KEY, ""))
            assert (refused.status_code, "retry-after" in refused.headers) == (503, True)

            process.kill()  # and what it kept outlives it
            process.spawn()
            await eventually(lambda: takes_traffic(process.url), within=40)
            nats.start()

            async def is_ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await eventually(is_ready, within=30)
            outside = await Broker.connect(nats.url, "outside")
            await eventually(lambda: captured(outside), within=20)
            assert await captured(outside) == ["early@b.co"]
            await outside.close()
    finally:
        process.kill()
        nats.stop()


async def takes_traffic(url: str) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            return (await client.get(f"{url}/readyz/traffic")).status_code == 200
        except httpx.ConnectError:
            return False


async def captured(broker: Broker) -> list[str]:
    found = [message async for message in messages(broker, "CAPTURE") if not message.subject.startswith("probe.")]
    return [InteractionReceived.from_wire(one.headers, one.body).identifiers[0].value for one in found]
