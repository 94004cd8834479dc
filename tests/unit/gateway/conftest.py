"""A gateway for each test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
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
async def lifecycle() -> AsyncIterator[PlayedService]:
    async with played(knows_nobody="lifecycle") as service:
        yield service


@pytest_asyncio.fixture
async def nurture() -> AsyncIterator[PlayedService]:
    async with played(knows_nobody="nurture") as service:
        yield service


@pytest_asyncio.fixture
async def routing() -> AsyncIterator[PlayedService]:
    async with played(knows_nobody="routing") as service:
        yield service


@pytest_asyncio.fixture
async def metrics() -> AsyncIterator[PlayedService]:
    async with played(knows_nobody="metrics") as service:
        yield service


@pytest.fixture
def services(
    identity: PlayedService,
    scoring: PlayedService,
    lifecycle: PlayedService,
    nurture: PlayedService,
    routing: PlayedService,
    metrics: PlayedService,
) -> dict[str, PlayedService]:
    return {
        "identity": identity,
        "scoring": scoring,
        "lifecycle": lifecycle,
        "nurture": nurture,
        "routing": routing,
        "metrics": metrics,
    }


@pytest_asyncio.fixture
async def door(nats_server: NatsServer, tmp_path: Path, services: dict[str, PlayedService]) -> AsyncIterator[Door]:
    urls = {f"{name}_url": service.url for name, service in services.items()}
    async with open_door(gateway_settings(nats_server.url, tmp_path / "gateway.db", **urls)) as opened:
        yield opened
