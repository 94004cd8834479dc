"""A gateway that is killed in the midst of sending, and a receiver that fails: each event arrives, under one id."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from chassis.bus.broker import Broker
from gateway.routes import UPSTREAMS
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess
from tests.support.service import tell
from tests.unit.gateway.receiver import receiving
from tests.unit.gateway.running import API_KEY, PRIVATE_KEY, PUBLIC_KEY, WRITE_KEY
from tests.unit.gateway.test_webhooks import STAGE, STREAMS, again

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MANY = 60


async def test_kill_9_of_the_gateway_and_of_nats_loses_no_event_and_repeats_them_under_one_id(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    environment = {
        "GATEWAY_DATABASE_URL": f"sqlite:///{tmp_path / 'gateway.db'}",
        "GATEWAY_NATS_URL": nats_server.url,
        "GATEWAY_WEBHOOK_LOOPBACK": "true",
        "GATEWAY_TOKEN_PRIVATE_KEY": PRIVATE_KEY,
        "GATEWAY_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        "GATEWAY_BOOTSTRAP_API_KEY": API_KEY,
        "GATEWAY_BOOTSTRAP_WRITE_KEY": WRITE_KEY,
        **{f"GATEWAY_{name.upper()}_URL": "http://127.0.0.1:9" for name in UPSTREAMS},
    }
    line = await Broker.connect(nats_server.url, "services")
    await line.ensure_streams(STREAMS)
    counted = {"asked": 0}

    async def unwell(_request: web.Request) -> web.StreamResponse:
        counted["asked"] += 1
        await asyncio.sleep(0.05)
        return web.Response(status=503 if counted["asked"] % 5 == 0 else 204)

    async with (
        receiving() as receiver,
        ServiceProcess("gateway.main", "GATEWAY_", environment, tmp_path / "log") as gateway,
        httpx.AsyncClient(base_url=gateway.url, headers={"authorization": f"Bearer {API_KEY}"}, timeout=30) as client,
    ):
        receiver.says = unwell
        made = await client.post("/v1/webhooks", json={"url": receiver.url, "types": ["lifecycle.*"]})
        assert made.status_code == 201, made.text
        receiver.secret = made.json()["secret"]
        events = [again(STAGE, number) for number in range(MANY)]
        await tell(line, *events)
        await eventually(lambda: len(receiver.ids) >= 10, within=30)
        gateway.kill()
        nats_server.kill()
        nats_server.start()
        await gateway.start()

        async def all_came() -> bool:
            page = await client.get(f"/v1/webhooks/{made.json()['webhook_id']}/deliveries", params={"limit": 200})
            delivered = {row["event_id"] for row in page.json()["items"] if row["state"] == "delivered"}
            assert len(delivered) == MANY, f"{len(delivered)} of {MANY}"
            return True

        await eventually(all_came, within=120)
        assert set(receiver.ids) == {event.meta.event_id for event in events}
        assert len(receiver.events) >= MANY  # each checked by its signature
    await line.close()
