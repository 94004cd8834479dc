"""The gateway as a process: real clients, kill -9 of NATS and of itself, and the live tail over two replicas."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from segment.analytics.client import Client

from chassis.bus.broker import Broker
from chassis.bus.inspection import messages
from chassis.web.auth import generate_key_pair
from contracts.events.gateway import InteractionReceived
from tests.support.eventually import eventually
from tests.support.nats import NatsServer

ROOT = Path(__file__).resolve().parents[2]
API_KEY, WRITE_KEY = "rk_first_key_of_all_there_are", "wk_first_key_of_all"
PRIVATE_KEY, PUBLIC_KEY = generate_key_pair()
AS_CALLER = {"authorization": f"Bearer {API_KEY}"}
AS_SITE = {"authorization": f"Bearer {WRITE_KEY}"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(540)]


class GatewayProcess:
    """One gateway process."""

    def __init__(self, nats_url: str, database: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._environment = {
            "GATEWAY_PORT": str(port),
            "GATEWAY_NATS_URL": nats_url,
            "GATEWAY_DATABASE_URL": f"sqlite:///{database}",
            "GATEWAY_TOKEN_PRIVATE_KEY": PRIVATE_KEY,
            "GATEWAY_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
            "GATEWAY_BOOTSTRAP_API_KEY": API_KEY,
            "GATEWAY_BOOTSTRAP_WRITE_KEY": WRITE_KEY,
        }
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self._launch()
        await eventually(self.is_ready, within=60)

    def _launch(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gateway.main"], cwd=ROOT, env=os.environ | self._environment
        )

    async def is_ready(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def end(self, number: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(timeout=120)


@contextmanager
def processes() -> Iterator[list[GatewayProcess]]:
    started: list[GatewayProcess] = []
    try:
        yield started
    finally:
        for process in started:
            if process._process is not None and process._process.poll() is None:
                process.end(signal.SIGKILL)


@asynccontextmanager
async def gateways(nats_url: str, database: Path, count: int = 1) -> AsyncIterator[list[GatewayProcess]]:
    with processes() as started:
        for _ in range(count):
            started.append(GatewayProcess(nats_url, database))
            await started[-1].start()
        yield started


async def on_stream(nats_url: str) -> list[InteractionReceived]:
    broker = await Broker.connect(nats_url, "reader")
    found = [message async for message in messages(broker, "CAPTURE")]
    await broker.close()
    return [InteractionReceived.from_wire(message.headers, message.body) for message in found]


async def test_the_python_sdk_is_content(nats_server: NatsServer, tmp_path: Path) -> None:
    async with gateways(nats_server.url, tmp_path / "g.db") as (gateway,):
        complaints: list[Any] = []
        client = Client(
            WRITE_KEY,
            host=gateway.url,
            on_error=lambda error, items: complaints.append((error, items)),
            max_retries=1,
            gzip=True,
        )
        client.identify("u-1", {"email": "ada@example.com", "company": {"name": "Acme"}})
        client.track("u-1", "Demo Requested", {"seats": 40})
        client.page("u-1", "Docs", "Pricing")
        client.group("u-1", "acme", {"domain": "acme.test"})
        client.alias("anon-1", "u-1")
        await asyncio.to_thread(client.shutdown)
        assert complaints == []
        captured = await on_stream(nats_server.url)
    assert [event.interaction.kind.value for event in captured] == ["identify", "track", "page", "group", "alias"]
    assert captured[0].identifiers[1].value == "ada@example.com"


async def test_nothing_acknowledged_is_lost_when_nats_and_the_gateway_are_killed(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    """Senders go on through kill -9 of NATS and of the gateway, repeating what was not acknowledged, as SDKs do."""
    async with gateways(nats_server.url, tmp_path / "g.db") as (gateway,), aiohttp.ClientSession() as session:
        acknowledged: set[str] = set()
        stopping = asyncio.Event()

        async def send(sender: int) -> None:
            number = 0
            while not stopping.is_set():
                message_id = f"{sender}-{number}"
                body = {"userId": f"u-{sender}", "event": "Seen", "messageId": message_id}
                try:
                    async with session.post(f"{gateway.url}/v1/track", json=body, headers=AS_SITE) as answer:
                        assert answer.status in (200, 503), await answer.text()
                        is_taken = answer.status == 200
                except aiohttp.ClientError:
                    is_taken = False
                if is_taken:
                    acknowledged.add(message_id)
                    number += 1

        async def grown(by: int = 50) -> None:
            before = len(acknowledged)
            await eventually(lambda: len(acknowledged) >= before + by, within=60)

        senders = [asyncio.create_task(send(sender)) for sender in range(8)]
        await grown()
        nats_server.kill()
        nats_server.start()
        await grown()
        gateway.end(signal.SIGKILL)
        await gateway.start()
        await grown()
        stopping.set()
        await asyncio.gather(*senders)
        captured = await on_stream(nats_server.url)
    ids = [event.interaction.message_id for event in captured]
    assert acknowledged <= set(ids)
    by_message = {event.interaction.message_id: event.meta.event_id for event in captured}
    # repeats carry one id
    assert all(event.meta.event_id == by_message[event.interaction.message_id] for event in captured)


async def test_a_form_survives_kill_9_of_both(nats_server: NatsServer, tmp_path: Path) -> None:
    async with gateways(nats_server.url, tmp_path / "g.db") as (gateway,), aiohttp.ClientSession() as session:
        nats_server.kill()

        async def posted() -> int:
            async with session.post(f"{gateway.url}/v1/forms/default", data={"email": "kept@example.com"}) as answer:
                return answer.status

        assert await posted() == 202
        async with session.post(
            f"{gateway.url}/v1/track", json={"userId": "u", "event": "e"}, headers=AS_SITE
        ) as answer:
            assert (answer.status, int(answer.headers["Retry-After"]) >= 1) == (503, True)
        gateway.end(signal.SIGKILL)
        nats_server.start()
        await gateway.start()

        async def drained() -> bool:
            return [event.identifiers[0].value for event in await on_stream(nats_server.url)] == ["kept@example.com"]

        await eventually(drained, within=20)


async def test_the_tail_shows_captures_and_rejects_of_every_replica(nats_server: NatsServer, tmp_path: Path) -> None:
    async with gateways(nats_server.url, tmp_path / "g.db", 2) as (one, other), aiohttp.ClientSession() as session:
        async with session.get(f"{one.url}/v1/sources/src_default/tail", headers=AS_CALLER) as tail:
            assert tail.headers["content-type"].startswith("text/event-stream")
            assert await tail.content.readuntil(b"\n") == b": watching\n"
            body = {"batch": [{"type": "track", "event": "Seen", "userId": "u"}, {"type": "track", "userId": "u"}]}
            async with session.post(f"{other.url}/v1/batch", json=body, headers=AS_SITE) as answer:
                assert len((await answer.json())["rejected"]) == 1
            seen = {}
            for _ in range(2):
                event = (await asyncio.wait_for(tail.content.readuntil(b"\n\n"), 60)).decode()
                kind, data = event.removeprefix("event: ").rstrip().split("\ndata: ")
                seen[kind] = json.loads(data)
        assert seen["capture"]["interaction"]["name"] == "Seen"
        assert (seen["reject"]["field"], seen["reject"]["source_id"]) == ("event", "src_default")
        assert one.end(signal.SIGTERM) == 0


async def test_the_documents_need_no_other_host(nats_server: NatsServer, tmp_path: Path) -> None:
    async with gateways(nats_server.url, tmp_path / "g.db") as (gateway,), aiohttp.ClientSession() as session:
        async with session.get(f"{gateway.url}/docs") as answer:
            page = await answer.text()
        assert "http://" not in page
        assert "https://" not in page
        for name in ("swagger-ui.css", "swagger-ui-bundle.js", "favicon.png"):
            assert f"/docs/{name}" in page
            async with session.get(f"{gateway.url}/docs/{name}") as answer:
                assert answer.status == 200
        async with session.get(f"{gateway.url}/openapi.json") as answer:
            paths = (await answer.json())["paths"]
        assert {
            "/v1/track",
            "/v1/b",
            "/beacon/v1/batch",
            "/v1/forms/{form_id}",
            "/v1/people/{person_id}",
            "/v1/sources/{source_id}/tail",
        } <= paths.keys()
