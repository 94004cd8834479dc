"""A service run inside a test: its lifespan entered, and a client that is let in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import structlog
from fastapi import FastAPI

from chassis.app import Service
from chassis.bus.broker import Broker
from chassis.bus.inspection import messages
from chassis.logs import mask, render_json
from chassis.message import OutMessage, Received
from chassis.runtime import Runtime
from chassis.store import outbox
from chassis.web.auth import Principal, generate_key_pair, issue_token, read_private_key
from contracts.envelope import Event, whole_headers
from tests.support.eventually import eventually
from tests.support.stores import prepare

PRIVATE_KEY, PUBLIC_KEY = generate_key_pair()
"""The key pair of this test run: `token_public_key=PUBLIC_KEY` in a service's settings lets `token()` in."""
TESTER = Principal("tester", frozenset({"marketing", "sales", "manager", "agent", "ops", "admin"}))


@dataclass(frozen=True)
class RunningService:
    """A running service: ask it by `client`, look into it by `runtime`."""

    app: FastAPI
    runtime: Runtime[Any]
    client: httpx.AsyncClient


def token(
    principal: Principal = TESTER, *, now: datetime | None = None, private_key: str = PRIVATE_KEY, ttl_seconds: int = 60
) -> str:
    """A token as the gateway would sign it."""
    return issue_token(read_private_key(private_key), principal, now or datetime.now(UTC), ttl_seconds)


@asynccontextmanager
async def running(
    service: Service, principal: Principal = TESTER, *, joined: bool = True
) -> AsyncIterator[RunningService]:
    """Runs `service` inside the block and drains it afterwards. The client's token lives for an hour.

    NATS has to be there, unless the service need not have `joined` it when the block begins.
    """
    log_plainly()
    await prepare(service.settings.database_url, service.migrations)
    app = service.app()
    transport = httpx.ASGITransport(app)
    headers = {"authorization": f"Bearer {token(principal, ttl_seconds=3600)}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service", headers=headers) as client,
    ):
        if joined:
            await has_joined(app.state.runtime)
        yield RunningService(app, app.state.runtime, client)


async def has_joined(runtime: Runtime) -> None:
    """Returns when the service's streams are laid and take writes, and its lanes are being opened."""

    def nothing_is_in_the_way() -> bool:
        assert not runtime.broker.why_not_ready, runtime.broker.why_not_ready
        return True

    await eventually(nothing_is_in_the_way, within=20.0)


async def published(service: RunningService, stream: str) -> list[Received]:
    """All that the service has said on `stream`, once nothing waits in its outbox any more."""

    async def is_published() -> bool:
        async with service.runtime.database.read() as session:
            return (await outbox.backlog(session)).count == 0

    await eventually(is_published, within=10)
    return [
        message._replace(headers=whole_headers(message.subject, message.headers))
        async for message in messages(service.runtime.broker, stream)
    ]


def log_plainly() -> None:
    """Logs of services that run inside a test, unless something configured them."""
    # structlog's default draws each traceback with all locals, which takes seconds
    if not structlog.is_configured():
        structlog.configure(
            processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info, mask, render_json]
        )


async def tell(broker: Broker, *events: Event) -> None:
    """Publishes events as their owners would, on one lane."""
    await broker.publish_batch([OutMessage(event.subjects(1)[0], event.headers(), event.body()) for event in events])
