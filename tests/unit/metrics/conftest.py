"""Metrics running, on both kinds of store."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from chassis.bus.broker import Broker
from services.metrics.main import create_service
from services.metrics.settings import MetricsSettings
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, RunningService, running


@pytest_asyncio.fixture
async def metrics(store_url: str, nats_server: NatsServer) -> AsyncIterator[RunningService]:
    settings = MetricsSettings(
        database_url=store_url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY, time_zone="Europe/Berlin"
    )
    async with running(create_service(settings)) as service:
        yield service


@pytest_asyncio.fixture
async def broker(metrics: RunningService, nats_server: NatsServer) -> AsyncIterator[Broker]:
    broker = await Broker.connect(nats_server.url, "identity")
    yield broker
    await broker.close()


@pytest.fixture
def client(metrics: RunningService) -> httpx.AsyncClient:
    return metrics.client
