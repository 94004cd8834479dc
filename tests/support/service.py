"""A service run inside a test: its lifespan entered, and a client that is let in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import structlog
from fastapi import FastAPI

from chassis.app import Runtime, Service
from chassis.auth import Principal, generate_key_pair, issue_token, read_private_key
from chassis.logs import mask, render_json

PRIVATE_KEY, PUBLIC_KEY = generate_key_pair()
"""The key pair of this test run: `token_public_key=PUBLIC_KEY` in a service's settings lets `token()` in."""
TESTER = Principal("tester", frozenset({"marketing", "sales", "manager", "agent", "ops", "admin"}))


@dataclass(frozen=True)
class RunningService:
    """A running service: ask it by `client`, look into it by `runtime`."""

    app: FastAPI
    runtime: Runtime
    client: httpx.AsyncClient


def token(principal: Principal = TESTER, *, now: datetime | None = None, private_key: str = PRIVATE_KEY, ttl_seconds: int = 60) -> str:
    """A token as the gateway would sign it."""
    return issue_token(read_private_key(private_key), principal, now or datetime.now(UTC), ttl_seconds)


@asynccontextmanager
async def running(service: Service, principal: Principal = TESTER) -> AsyncIterator[RunningService]:
    """Runs `service` inside the block and drains it afterwards. The client's token lives for an hour."""
    _log_plainly()
    app = service.app()
    transport = httpx.ASGITransport(app)
    headers = {"authorization": f"Bearer {token(principal, ttl_seconds=3600)}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service", headers=headers) as client,
    ):
        yield RunningService(app, app.state.runtime, client)


def _log_plainly() -> None:
    # structlog's default draws each traceback with all locals, which takes seconds
    if not structlog.is_configured():
        structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info, mask, render_json])
