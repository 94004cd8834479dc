"""Whoever receives webhooks: a real HTTP server that checks what comes with the library that receivers use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from standardwebhooks import Webhook


@dataclass
class Receiver:
    """`secret` is what it checks with; `says` what it answers: a status, or a handler of its own."""

    url: str = ""
    secret: str = ""
    says: int | Callable[[web.Request], Awaitable[web.StreamResponse]] = 204
    headers: dict[str, str] = field(default_factory=dict)
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [head["webhook-id"] for head in self.heads]

    @property
    def events(self) -> list[dict[str, Any]]:
        """What came, each checked by its signature."""
        return [Webhook(self.secret).verify(body, head) for head, body in zip(self.heads, self.bodies, strict=True)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.heads.append({name.lower(): value for name, value in request.headers.items()})
        self.bodies.append(await request.read())
        assert orjson.loads(self.bodies[-1])["id"] == self.ids[-1]
        if isinstance(self.says, int):
            return web.Response(status=self.says, headers=self.headers, text="heard" if self.says == 200 else None)
        return await self.says(request)


@asynccontextmanager
async def receiving(port: int = 0) -> AsyncIterator[Receiver]:
    """A receiver on loopback, on the same port if one is given."""
    receiver = Receiver()
    app = web.Application(client_max_size=5_000_000)
    app.router.add_post("/hook", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()
