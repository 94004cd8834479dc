"""A gateway in this process, on a real NATS and a SQLite file, with services behind it that a test plays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
from aiohttp import web
from fastapi import FastAPI

from chassis.bus.inspection import messages
from chassis.clock import wall_clock
from chassis.runtime import Runtime
from chassis.web.auth import Principal, TokenVerifier, generate_key_pair, read_public_keys
from contracts.events.gateway import InteractionReceived
from gateway.main import create_service
from gateway.middleware import GatewayState
from gateway.routes import UPSTREAMS
from gateway.settings import GatewaySettings
from tests.support.service import has_joined
from tests.support.stores import prepare

API_KEY = "rk_first_key_of_all_there_are"
WRITE_KEY = "test_write_key_web"
PRIVATE_KEY, PUBLIC_KEY = generate_key_pair()


def gateway_settings(nats_url: str, database: Path, **others: Any) -> GatewaySettings:
    given = {
        "nats_url": nats_url,
        "database_url": f"sqlite:///{database}",
        "token_private_key": PRIVATE_KEY,
        "token_public_key": PUBLIC_KEY,
        "bootstrap_api_key": API_KEY,
        "bootstrap_write_key": WRITE_KEY,
        "capture_prefixes": ("/capture", "ingest/"),
        **{f"{name}_url": "http://127.0.0.1:9" for name in UPSTREAMS},
    }
    return GatewaySettings(**(given | others))


@dataclass
class Door:
    """A running gateway and a client of it."""

    app: FastAPI
    client: httpx.AsyncClient

    @property
    def runtime(self) -> Runtime[GatewayState]:
        runtime: Runtime[GatewayState] = self.app.state.runtime
        return runtime

    async def send(self, path: str, body: Any, **options: Any) -> httpx.Response:
        """A capture with the bootstrap write key; `body` is sent as JSON unless it is bytes."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.client.post(path, content=content, **({"auth": (WRITE_KEY, "")} | options))

    async def api(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A call with the bootstrap API key."""
        headers = {"authorization": f"Bearer {API_KEY}"} | options.pop("headers", {})
        return await self.client.request(method, path, headers=headers, **options)

    async def key(self, *roles: str, rep_id: str | None = None) -> dict[str, Any]:
        """A new API key: `api_key`, `key_id`."""
        wish = {"subject": "ana@acme.test", "roles": list(roles), "rep_id": rep_id}
        made: dict[str, Any] = (await self.api("POST", "/v1/keys", json=wish)).json()
        return made

    async def captured(self) -> list[InteractionReceived]:
        """Everything on the stream, oldest first."""
        found = [message async for message in messages(self.runtime.broker, "CAPTURE")]
        return [InteractionReceived.from_wire(message.headers, message.body) for message in found]


@asynccontextmanager
async def open_door(settings: GatewaySettings, *, joined: bool = True) -> AsyncIterator[Door]:
    """A gateway whose lifespan is entered.

    NATS has to be there, unless it need not have `joined` it when the block begins.
    """
    await prepare(settings.database_url, "gateway.migrations")
    app = create_service(settings).app()
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client,
    ):
        if joined:
            await has_joined(app.state.runtime)
        yield Door(app, client)


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class PlayedService:
    """A service that a test plays: `answers` by method and path; what was asked is kept, with who the inner token says
    asked.
    """

    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    callers: list[Principal] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.callers.append(
            TokenVerifier(read_public_keys(PUBLIC_KEY), wall_clock).principal_of_header(
                request.headers.get("Authorization")
            )
        )
        self.asked.append((request.method, request.path_qs, await request.read()))
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        play = self.answers.get((request.method, request.path))
        return await play(request) if play is not None else web.json_response({"detail": "not played"}, status=404)

    def says(self, method: str, path: str, body: Any, status: int = 200) -> None:
        """Answer `method path` with JSON."""

        async def play(_request: web.Request) -> web.StreamResponse:
            return web.json_response(body, status=status)

        self.answers[method, path] = play


@asynccontextmanager
async def played(knows_nobody: str | None = None) -> AsyncIterator[PlayedService]:
    """A service to be played; one that `knows_nobody` under its name answers look-ups with nobody until it is told
    otherwise.
    """
    service = PlayedService()
    if knows_nobody is not None:
        service.says("POST", f"/v1/{knows_nobody}/people:lookup", {"items": [], "current": {}})
    app = web.Application(client_max_size=20_000_000)
    app.router.add_route("*", "/{path:.*}", service.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)  # a service that is slow on purpose is not waited for
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()
