"""Three NATS nodes with the configuration that is kept: one may be killed at any moment, and nothing acknowledged is
lost; one that is told to go hands over first.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from chassis.bus.broker import Broker
from chassis.bus.inspection import messages
from chassis.keys import generate_key_pair
from deployment.kubernetes.broker import routes
from deployment.kubernetes.files import FOLDER
from tests.support.eventually import eventually
from tests.support.manifests import made_up_secrets
from tests.support.nats import server_binary
from tests.support.nats_nodes import NatsNodes
from tests.support.process import ServiceProcess

pytestmark = [pytest.mark.slow, pytest.mark.platform, pytest.mark.timeout(300)]
AFTER = 100  # captures acknowledged after a node is gone: by then others lead


@pytest.fixture
def secrets() -> dict[str, str]:
    return made_up_secrets()


@pytest.fixture
def nodes(secrets: dict[str, str]) -> Iterator[NatsNodes]:
    config = (FOLDER / "base" / "nats" / "nats.conf").read_text()
    password = secrets["NATS_CLUSTER_PASSWORD"]
    known = {name: value.replace("$(NATS_CLUSTER_PASSWORD)", password) for name, value in routes(3).items()}
    with NatsNodes(config, secrets | known) as started:
        yield started


class Sender:
    """Sends captures one after the other and remembers which were acknowledged."""

    def __init__(self, gateway: ServiceProcess, key: str) -> None:
        self.acknowledged: list[str] = []
        self.refused = 0
        self._client = httpx.AsyncClient(base_url=gateway.url, auth=(key, ""), timeout=30)
        self._task = asyncio.create_task(self._send())

    async def more(self, count: int) -> None:
        """Wait until so many more were acknowledged."""
        wanted = len(self.acknowledged) + count

        def are_there() -> bool:
            assert len(self.acknowledged) >= wanted, f"{len(self.acknowledged)} of {wanted}, {self.refused} refused"
            return True

        await eventually(are_there, within=60)

    async def stop(self) -> None:
        """Send no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._client.aclose()

    async def _send(self) -> None:
        number = 0
        while True:
            number += 1
            body = {"anonymousId": f"a-{number % 7}", "event": "Seen", "messageId": f"m-{number}"}
            try:
                answer = await self._client.post("/v1/track", json=body)
            except httpx.HTTPError:
                self.refused += 1
                continue
            if answer.status_code == 200:
                self.acknowledged.append(f"m-{number}")
            else:
                self.refused += 1
                await asyncio.sleep(0.05)


async def test_a_killed_node_costs_nothing_that_was_acknowledged(
    nodes: NatsNodes, secrets: dict[str, str], tmp_path: Path
) -> None:
    async with _gateway(nodes, secrets, tmp_path) as gateway:
        sender = Sender(gateway, secrets["BOOTSTRAP_WRITE_KEY"])
        await sender.more(AFTER)
        leader = await _leader(nodes, "CAPTURE")
        nodes.kill(leader)
        await sender.more(AFTER)
        nodes.start(leader)
        nodes.until_healthy()
        # it has all of it again: another may go, and it is asked to answer in that one's place
        second = next(name for name in nodes.names if name != leader)
        nodes.kill(second)
        await sender.more(AFTER)
        await sender.stop()
        kept = await _captures(nodes, leader, secrets)
    assert set(sender.acknowledged) <= kept
    assert len(sender.acknowledged) >= 3 * AFTER


async def test_a_node_that_is_told_to_go_hands_over_first(
    nodes: NatsNodes, secrets: dict[str, str], tmp_path: Path
) -> None:
    async with _gateway(nodes, secrets, tmp_path) as gateway:
        sender = Sender(gateway, secrets["BOOTSTRAP_WRITE_KEY"])
        await sender.more(AFTER)
        leader = await _leader(nodes, "CAPTURE")
        pid_file = nodes.folder(leader) / "jetstream.pid"
        # as the preStop hook does
        told = await asyncio.create_subprocess_exec(server_binary(), "--signal", f"ldm={pid_file}")
        assert await told.wait() == 0
        assert await asyncio.to_thread(nodes.wait, leader) == 0
        await sender.more(AFTER)
        await sender.stop()
        kept = await _captures(nodes, next(name for name in nodes.names if name != leader), secrets)
    assert set(sender.acknowledged) <= kept


async def test_a_process_goes_on_with_another_node(nodes: NatsNodes, secrets: dict[str, str]) -> None:
    first = nodes.names[0]
    url = nodes.url(first, "identity", secrets["IDENTITY_NATS_PASSWORD"])
    broker = Broker.open(url, "identity", inbox_prefix="_INBOX_identity", writes=("IDENTITY", "DEAD"), replicas=3)
    try:
        await broker.connected()
        await broker.ensure_streams(["IDENTITY", "DEAD"], replicas=3)
        await eventually(lambda: broker.is_ready, within=20)
        nodes.kill(first)
        await eventually(lambda: not broker.is_ready, within=20)
        await eventually(lambda: broker.is_ready, within=20)
    finally:
        await broker.close()


async def test_who_does_not_know_the_password_is_no_node(nodes: NatsNodes) -> None:
    stranger, *others = nodes.names
    nodes.kill(stranger)
    wrong = {name: value.replace("$(NATS_CLUSTER_PASSWORD)", "wrong") for name, value in routes(3).items()}
    nodes.start(stranger, variables=wrong | {"NATS_CLUSTER_PASSWORD": "wrong"})
    await eventually(lambda: any("authentication error" in nodes.log(name) for name in others), within=15)
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{nodes.monitor(stranger)}/healthz")).status_code == 503


@contextlib.asynccontextmanager
async def _gateway(nodes: NatsNodes, secrets: dict[str, str], folder: Path) -> AsyncIterator[ServiceProcess]:
    private, public = generate_key_pair()
    settings = {
        "DATABASE_URL": f"sqlite:///{folder / 'gateway.db'}",
        "NATS_URL": nodes.url(nodes.names[0], "gateway", secrets["GATEWAY_NATS_PASSWORD"]),
        "NATS_REPLICAS": "3",
        "LANES": "4",
        "TOKEN_PRIVATE_KEY": private,
        "TOKEN_PUBLIC_KEY": public,
        "BOOTSTRAP_WRITE_KEY": secrets["BOOTSTRAP_WRITE_KEY"],
    }
    environment = {f"GATEWAY_{name}": value for name, value in settings.items()}
    async with ServiceProcess("gateway.main", "GATEWAY_", environment, folder / "gateway.log") as gateway:
        yield gateway


async def _leader(nodes: NatsNodes, stream: str) -> str:
    """The node that leads `stream`; all three have it."""
    asked = {"streams": "true", "accounts": "true", "config": "true"}
    async with httpx.AsyncClient() as client:
        answer = (await client.get(f"{nodes.monitor(nodes.names[0])}/jsz", params=asked)).json()
    details = [one for account in answer["account_details"] for one in account.get("stream_detail", [])]
    (found,) = [one for one in details if one["name"] == stream]
    assert found["config"]["num_replicas"] == 3
    leader: str = found["cluster"]["leader"]
    return leader


async def _captures(nodes: NatsNodes, name: str, secrets: dict[str, str]) -> set[str]:
    """The message ids that a node's stream has."""
    broker = Broker.open(
        nodes.url(name, "observer", secrets["OBSERVER_NATS_PASSWORD"]), "tests", inbox_prefix="_INBOX_tests"
    )
    try:
        await broker.connected()
        found = [message.body.decode() async for message in messages(broker, "CAPTURE")]
    finally:
        await broker.close()
    return {number for body in found for number in re.findall(r'"(m-\d+)"', body)}
