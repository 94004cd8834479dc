"""Scoring as a running service: a real NATS, a real store, and a client of its API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
import pytest_asyncio

from chassis.app import Service
from chassis.bus.broker import Broker
from chassis.context import Context
from chassis.store.database import Database
from services.scoring.main import create_service
from services.scoring.rulebooks import REGISTRY
from services.scoring.settings import ScoringSettings
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, RunningService, running
from tests.support.stores import prepare


@pytest.fixture
def settings(store_url: str, nats_server: NatsServer) -> ScoringSettings:
    return ScoringSettings(database_url=store_url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY)


@pytest.fixture
def service(settings: ScoringSettings) -> Service:
    return create_service(settings)


@pytest_asyncio.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    broker = await Broker.connect(nats_server.url, "identity")
    await broker.ensure_streams(["IDENTITY", "SCORING"])
    yield broker
    await broker.close()


@pytest_asyncio.fixture
async def scoring(service: Service) -> AsyncIterator[RunningService]:
    async with running(service) as scoring:
        yield scoring


@pytest.fixture
def client(scoring: RunningService) -> httpx.AsyncClient:
    return scoring.client


@pytest_asyncio.fixture
async def store(store_url: str) -> AsyncIterator[Database]:
    await prepare(store_url, "services.scoring.migrations")
    database = Database(store_url)
    async with database.begin() as session:
        context = Context(session, datetime.now(UTC))
        await REGISTRY.add_draft(context, REGISTRY.default.read_text(), "tester")
        await REGISTRY.activate(context, 1, "tester")
    yield database
    await database.close()
