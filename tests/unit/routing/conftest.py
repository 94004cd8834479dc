"""A world for each test, on both stores; and routing as a running service, beside a broker to tell it something."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chassis.app import Service
from chassis.bus.broker import Broker
from chassis.store.database import Database
from services.routing.main import create_service
from services.routing.settings import RoutingSettings
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY
from tests.support.stores import prepare
from tests.unit.routing.world import World, with_rulebook


@pytest_asyncio.fixture
async def world(store_url: str) -> AsyncIterator[World]:
    """Routing's store with the default rulebook, and nobody in it."""
    await prepare(store_url, "services.routing.migrations")
    async with Database(store_url) as database:
        await with_rulebook(database)
        yield World(database)


@pytest.fixture
def service(store_url: str, nats_server: NatsServer) -> Service:
    return create_service(
        RoutingSettings(database_url=store_url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY)
    )


@pytest_asyncio.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    broker = await Broker.connect(nats_server.url, "lifecycle")
    await broker.ensure_streams(["LIFECYCLE", "IDENTITY", "ROUTING", "ALERTS"])
    yield broker
    await broker.close()
