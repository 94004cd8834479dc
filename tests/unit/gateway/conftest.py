"""A gateway for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.support.nats import NatsServer
from tests.unit.gateway.running import Door, PlayedService, gateway_settings, open_door, played


@pytest_asyncio.fixture
async def identity() -> AsyncIterator[PlayedService]:
    async with played() as service:
        yield service


@pytest_asyncio.fixture
async def scoring() -> AsyncIterator[PlayedService]:
    async with played() as service:
        yield service


@pytest_asyncio.fixture
async def door(nats_server: NatsServer, tmp_path: Path, identity: PlayedService, scoring: PlayedService) -> AsyncIterator[Door]:
    settings = gateway_settings(nats_server.url, tmp_path / "gateway.db", identity_url=identity.url, scoring_url=scoring.url)
    async with open_door(settings) as opened:
        yield opened
