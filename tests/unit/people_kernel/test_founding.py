"""Processes of a deciding service that begin together on an empty store: one founds the rulebook, and all begin."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from sqlalchemy import text

from services.lifecycle.main import create_service
from services.lifecycle.settings import LifecycleSettings
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, running
from tests.support.stores import prepare


async def test_the_first_rulebook_is_founded_once(postgres_url: str, nats_server: NatsServer) -> None:
    settings = LifecycleSettings(database_url=postgres_url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY)
    await prepare(postgres_url, "services.lifecycle.migrations")
    async with AsyncExitStack() as stack:
        services = await asyncio.gather(
            *(stack.enter_async_context(running(create_service(settings), joined=False)) for _ in range(4))
        )
        async with services[0].runtime.database.read() as session:
            versions = list(await session.execute(text("SELECT version, state FROM rulebook")))
    assert [tuple(row) for row in versions] == [(1, "active")]
