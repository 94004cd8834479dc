"""The real gateway in front of a market, without its port: captures come in as HTTP requests and end on the stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx

from gateway.main import create_service
from gateway.settings import GatewaySettings
from tests.support.market.suite import Clock
from tests.support.service import PRIVATE_KEY, PUBLIC_KEY

API_KEY, WRITE_KEY = "rk_of_the_market_of_everybody", "wk_of_the_market"
HEADERS = {"authorization": f"Bearer {API_KEY}"}


@asynccontextmanager
async def open_door(nats_url: str, folder: Path, begin: datetime) -> AsyncIterator[tuple[Clock, httpx.AsyncClient]]:
    """A gateway with a clock of its own, and a client that nobody has let in yet."""
    settings = GatewaySettings(
        nats_url=nats_url,
        database_url=f"sqlite:///{folder / 'gateway.db'}",
        token_private_key=PRIVATE_KEY,
        token_public_key=PUBLIC_KEY,
        bootstrap_api_key=API_KEY,
        bootstrap_write_key=WRITE_KEY,
    )
    clock = Clock(begin)
    app = replace(create_service(settings), clock=clock).app()
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as client,
    ):
        yield clock, client
