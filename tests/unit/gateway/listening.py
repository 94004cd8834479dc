"""A listener of server-sent events, on the application itself: the test client waits for the end of an answer, and
these have none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import FastAPI
from starlette.types import Message, Scope


@dataclass(frozen=True)
class Heard:
    """One event."""

    event_id: int
    name: str
    data: dict[str, Any]


@dataclass
class Listener:
    """What came so far; `events` gives them one by one. `takes` unset: it reads nothing more."""

    status: int = 0
    body: bytes = b""
    is_over: bool = False
    takes: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _read: int = 0

    async def send(self, message: Message) -> None:
        await self.takes.wait()
        async with self._changed:
            if message["type"] == "http.response.start":
                self.status = message["status"]
            else:
                self.body += message["body"]
                self.is_over = not message.get("more_body", False)
            self._changed.notify_all()

    async def begun(self) -> int:
        """The status, once the first bytes of the body are there too."""
        await self._until(lambda: bool(self.body))
        return self.status

    async def event(self) -> Heard:
        """The next event."""
        await self._until(lambda: len(self._blocks()) > self._read)
        self._read += 1
        return self._blocks()[self._read - 1]

    async def told(self, text: bytes) -> None:
        """Until this came."""
        await self._until(lambda: text in self.body)

    async def over(self) -> None:
        """Until the answer has ended."""
        await self._until(lambda: self.is_over)

    async def _until(self, true: Any) -> None:
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(true)

    def _blocks(self) -> list[Heard]:
        heard = []
        for block in self.body.split(b"\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in block.decode().split("\n") if not line.startswith(":"))
            if "data" in lines and lines["event"] != "listening":
                heard.append(Heard(int(lines["id"]), lines["event"], orjson.loads(lines["data"])))
        return heard


@asynccontextmanager
async def listening(app: FastAPI, path: str, query: dict[str, Any], headers: dict[str, str]) -> AsyncIterator[Listener]:
    """Asks `path`, and hangs up at the end of the block."""
    listener, gone = Listener(), asyncio.Event()
    listener.takes.set()

    async def receive() -> Message:
        if not asked:
            asked.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    asked: list[bool] = []
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},  # as uvicorn says it
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": urlencode(query).encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("gateway.test", 80),
        "state": {},
    }
    task = asyncio.create_task(app(scope, receive, listener.send))
    try:
        yield listener
    finally:
        gone.set()
        listener.takes.set()
        _, unfinished = await asyncio.wait([task], timeout=30)
        for late in unfinished:
            late.cancel()
            with suppress(asyncio.CancelledError):
                await late
        assert not unfinished, "the answer went on after its reader was gone"
    task.result()
