"""With what its own user may do on the bus the gateway reads events for webhooks, and touches nobody's consumers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from chassis.bus.broker import Broker
from chassis.bus.callout.claims import Issuer, new_issuer_seed
from chassis.bus.errors import BrokerUnavailable
from contracts.examples import EXAMPLES
from deployment.nats_config import BUS_USERS, NatsPlan, access, static_users
from gateway.domain.webhooks.event_types import subjects_of
from gateway.webhooks.stream_reader import StreamReader, Wanted
from tests.support.nats import NatsServer
from tests.support.service import tell

PASSWORDS = {name: f"{name}-word" for name in static_users()}


@pytest_asyncio.fixture
async def gateway() -> AsyncIterator[Broker]:
    """Its line, on a server that has one example of every event."""
    plan = NatsPlan(4222, 8222, Path("/var"), PASSWORDS, Issuer(new_issuer_seed()).public_key)
    with NatsServer(access(plan)) as server:
        for user in BUS_USERS:
            broker = await line(server, user.name)
            await broker.ensure_streams([owner.upper() for owner in user.says if owner != "alerts"])
            await tell(broker, *(event for event in EXAMPLES if event.owner == user.says[0]))
            await broker.close()
        broker = await line(server, "gateway")
        yield broker
        await broker.close()


async def line(server: NatsServer, name: str) -> Broker:
    url = server.url.replace("nats://", f"nats://{name}:{PASSWORDS[name]}@")
    return await Broker.connect(url, name, inbox_prefix=f"_INBOX_{name}", answer_seconds=1)


async def test_the_gateway_reads_every_event_there_is(gateway: Broker) -> None:
    reader, found = StreamReader(gateway), []
    for stream, subjects in subjects_of(["*"]).items():
        extent = (await reader.extents([stream]))[stream]
        passage = await reader.read(Wanted(stream, subjects, 0, extent.last, 100))
        found += [message.subject.rpartition(".")[0] for message in passage.found]
    assert sorted(found) == sorted(event.wire_name for event in EXAMPLES)


@pytest.mark.parametrize(
    "call", ["CONSUMER.CREATE.LIFECYCLE.mine", "CONSUMER.INFO.CAPTURE.identity", "STREAM.PURGE.IDENTITY"]
)
async def test_and_gets_at_nothing_that_services_wait_for(gateway: Broker, call: str) -> None:
    with pytest.raises(BrokerUnavailable, match="no answer"):
        await gateway.request(call, {"stream_name": "LIFECYCLE", "config": {"name": "mine"}}, within=0.3)
