"""A world for each test, on both stores."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from chassis.store.database import Database
from tests.support.stores import prepare
from tests.unit.routing.world import World, with_rulebook


@pytest_asyncio.fixture
async def world(store_url: str) -> AsyncIterator[World]:
    """Routing's store with the default rulebook, and nobody in it."""
    await prepare(store_url, "services.routing.migrations")
    async with Database(store_url) as database:
        await with_rulebook(database)
        yield World(database)
