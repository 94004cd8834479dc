"""Nurture as a running service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from services.nurture.main import create_service
from services.nurture.settings import NurtureSettings
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, RunningService, running
from tests.unit.nurture.world import Clock, FreshToken


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def nurture(nats_server: NatsServer, tmp_path: Path, clock: Clock) -> AsyncIterator[RunningService]:
    settings = NurtureSettings(
        database_url=f"sqlite:///{tmp_path / 'store.db'}", nats_url=nats_server.url, token_public_key=PUBLIC_KEY
    )
    async with running(replace(create_service(settings), clock=clock)) as nurture:
        yield nurture


@pytest_asyncio.fixture
async def client(nurture: RunningService, clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(nurture.app), base_url="http://service", auth=FreshToken(clock)
    ) as client:
        yield client
