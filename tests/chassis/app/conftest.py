"""The miniature service, with a real NATS and both kinds of store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chassis.bus.broker import Broker
from tests.chassis.app.echo import EchoSettings, create_service
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, RunningService, running


@pytest.fixture
def settings(store_url: str, nats_server: NatsServer) -> EchoSettings:
    """What the service needs to run here."""
    return EchoSettings(database_url=store_url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY)


@pytest_asyncio.fixture
async def service(settings: EchoSettings) -> AsyncIterator[RunningService]:
    """The miniature service, running."""
    async with running(create_service(settings)) as service:
        yield service


@pytest_asyncio.fixture
async def outside(nats_server: NatsServer) -> AsyncIterator[Broker]:
    """A connection of somebody else's."""
    broker = await Broker.connect(nats_server.url, "outside")
    await broker.ensure_streams(["SIGNAL", "ECHO"])
    yield broker
    await broker.close()
