"""A gateway as a process, and strangers who mean it no good: two hundred slow connections, and three times what it can
carry. Whoever else comes is served, and nothing that was acknowledged is missing.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import nats
import orjson
import pytest
import pytest_asyncio

from bench.processes import resident_bytes
from contracts.rates import BODY_FREE_SECONDS, HEAD_SECONDS
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess
from tests.unit.gateway.running import API_KEY, PRIVATE_KEY, PUBLIC_KEY, WRITE_KEY

pytestmark = pytest.mark.slow
SHOP_KEY = "test_write_key_of_the_shop"
_HALF_HEAD = b"POST /v1/track HTTP/1.1\r\nHost: here\r\nX-Slow: "
_CHUNKS = b"POST /v1/track HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n"
_FORM = (
    b"POST /v1/forms/default HTTP/1.1\r\nHost: here\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 400000\r\n\r\nemail="
)
_SAYS_NOTHING = b""
_DRIPS = {_HALF_HEAD: b"a", _CHUNKS: b"1\r\na\r\n", _FORM: b"a", _SAYS_NOTHING: b""}


@pytest_asyncio.fixture
async def gateway(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    environment = {
        "GATEWAY_DATABASE_URL": f"sqlite:///{tmp_path / 'gateway.db'}",
        "GATEWAY_NATS_URL": nats_server.url,
        "GATEWAY_TOKEN_PRIVATE_KEY": PRIVATE_KEY,
        "GATEWAY_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        "GATEWAY_BOOTSTRAP_API_KEY": API_KEY,
        "GATEWAY_BOOTSTRAP_WRITE_KEY": WRITE_KEY,
        "GATEWAY_EVENTS_A_MINUTE": "60000",
    }
    async with ServiceProcess("gateway.main", "GATEWAY_", environment, tmp_path / "log") as process:
        wish = {"name": "shop", "kind": "server", "write_key": SHOP_KEY}
        async with httpx.AsyncClient(base_url=process.url) as client:
            made = await client.post("/v1/sources", json=wish, headers={"authorization": f"Bearer {API_KEY}"})
            assert made.status_code == 201
        yield process


async def a_slow_one(port: int, begins: bytes) -> bytes:
    """Says its first words, then a byte every two seconds; gives what it was told before it was hung up on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begins)

    async def drip() -> None:
        with suppress(ConnectionError):
            while True:
                await asyncio.sleep(2)
                writer.write(_DRIPS[begins])
                await writer.drain()

    dripping = asyncio.create_task(drip())
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        dripping.cancel()
        writer.close()


async def test_two_hundred_slow_connections_do_no_harm_and_are_let_go(gateway: ServiceProcess) -> None:
    kinds = list(_DRIPS) * 50
    began = time.monotonic()
    slow = [asyncio.create_task(a_slow_one(gateway.port, kind)) for kind in kinds]
    taken: list[float] = []
    async with httpx.AsyncClient(base_url=gateway.url, timeout=20) as client:
        while not all(one.done() for one in slow):
            assert time.monotonic() - began < max(HEAD_SECONDS, BODY_FREE_SECONDS) + 30, "some are held for ever"
            asked = time.monotonic()
            number = len(taken)
            event = {"anonymousId": f"a{number}", "event": "Looked", "messageId": f"m{number}"}
            answer = await client.post("/v1/track", json=event, auth=(WRITE_KEY, ""))
            taken.append(time.monotonic() - asked)
            assert answer.status_code == 200
            await asyncio.sleep(0.2)
    heard = await asyncio.gather(*slow)
    told = Counter((kind == _SAYS_NOTHING, words[:12]) for kind, words in zip(kinds, heard, strict=True))
    assert told == {(False, b"HTTP/1.1 408"): 150, (True, b""): 50}
    assert sorted(taken)[len(taken) // 2] < 1.0


async def test_three_times_what_can_be_carried_is_told_to_wait_and_others_are_served(
    gateway: ServiceProcess, nats_server: NatsServer
) -> None:
    """A hundred connections with large batches of a public key, far beyond its number and what waits at a time."""
    before, ends = resident_bytes(gateway.pid), time.monotonic() + 6
    statuses: Counter[int] = Counter()
    acknowledged: list[str] = []

    async def flood(client: httpx.AsyncClient, who: int) -> None:
        for number in range(10_000):
            if time.monotonic() > ends:
                return
            events = [
                {"type": "track", "event": "Flood", "anonymousId": f"f{who}", "messageId": f"f{who}-{number}-{one}"}
                for one in range(1_000)
            ]
            body = orjson.dumps({"writeKey": WRITE_KEY, "batch": events})
            answer = await client.post("/v1/batch", content=body)
            statuses[answer.status_code] += 1
            if answer.status_code == 200:
                acknowledged.extend(one["messageId"] for one in events)
            else:
                assert int(answer.headers["retry-after"]) >= 1

    async def buy(client: httpx.AsyncClient) -> list[int]:
        found: list[int] = []
        while time.monotonic() < ends:
            event = {"anonymousId": "c", "event": "Bought", "messageId": f"c{len(found)}"}
            found.append((await client.post("/v1/track", json=event, auth=(SHOP_KEY, ""))).status_code)
        return found

    limits = httpx.Limits(max_connections=200)
    async with (
        httpx.AsyncClient(base_url=gateway.url, timeout=60, limits=limits) as many,
        httpx.AsyncClient(base_url=gateway.url, timeout=60) as shop,
    ):
        flooding = [asyncio.create_task(flood(many, who)) for who in range(100)]
        bought = await buy(shop)
        most = resident_bytes(gateway.pid)
        await asyncio.gather(*flooding)
        assert bought
        assert set(bought) == {200}  # a hot key does not starve another
        assert set(statuses) <= {200, 429, 503}
        assert statuses[429], statuses
        assert most - before < 400 * 1024 * 1024

        async def is_normal() -> bool:
            asked = time.monotonic()
            event = {"anonymousId": "c", "event": "After"}
            answer = await shop.post("/v1/track", json=event, auth=(SHOP_KEY, ""))
            return answer.status_code == 200 and time.monotonic() - asked < 0.5

        await eventually(is_normal, within=30)
    stored = await stored_ids(nats_server)
    assert set(acknowledged) <= stored  # nothing that was acknowledged is missing


async def stored_ids(nats_server: NatsServer) -> set[str]:
    """The message ids of all that is on the stream."""
    client = await nats.connect(nats_server.url)
    try:
        stream = client.jetstream()
        ids: set[str] = set()
        left = (await stream.stream_info("CAPTURE")).state.messages
        subscription = await stream.subscribe("capture.>", ordered_consumer=True)
        for _ in range(left):
            message = await subscription.next_msg(timeout=10)
            ids.add(orjson.loads(message.data)["interaction"]["message_id"])
        return ids
    finally:
        await client.close()
