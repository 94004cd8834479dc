"""A real server, a connection to it, the streams the tests write to, and consumers that are stopped after the test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chassis.bus.broker import Broker
from tests.chassis.bus.readers import Readers
from tests.support.nats import NatsServer


@pytest.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    connection = await Broker.connect(nats_server.url, "test")
    await connection.ensure_streams(["CAPTURE", "IDENTITY", "DEAD"])
    yield connection
    await connection.close()


@pytest.fixture
async def readers(broker: Broker) -> AsyncIterator[Readers]:
    consumers = Readers(broker)
    yield consumers
    await consumers.stop()
