"""Identity as a running service, beside a broker to tell it something and to hear what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from chassis.app import Service
from chassis.bus.broker import Broker
from services.identity.main import create_service
from services.identity.settings import IdentitySettings
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, running


@pytest.fixture
def service(store_url: str, nats_server: NatsServer) -> Service:
    return create_service(
        IdentitySettings(database_url=store_url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY)
    )


@pytest_asyncio.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    broker = await Broker.connect(nats_server.url, "gateway")
    await broker.ensure_streams(["CAPTURE", "IDENTITY"])
    yield broker
    await broker.close()


@pytest_asyncio.fixture
async def client(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with running(service) as identity:
        yield identity.client
