"""A gateway behind real sockets, by the express lane and by uvicorn's own way side by side, and a client that writes
bytes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from chassis.message import OutMessage
from gateway.fast_path import CaptureProtocol
from tests.support.eventually import eventually
from tests.unit.gateway.running import WRITE_KEY, Door

BODY = (
    b'{"userId":"u","event":"Kept","messageId":"m1","timestamp":"2026-03-01T12:00:00Z","writeKey":"%b"}'
    % WRITE_KEY.encode()
)


def post(path: str, body: bytes, *headers: str, version: str = "1.1", length: int | None = None) -> bytes:
    """A POST as it goes over the wire."""
    lines = [f"POST {path} HTTP/{version}", "Host: gateway.test", *headers]
    if not any(line.lower().startswith("transfer-encoding") for line in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True)
class Said:
    """An answer; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    async def said(self) -> Said:
        """The next answer."""
        async with asyncio.timeout(80):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            return Said(
                int(head[0].split()[1]), headers, await self.reader.readexactly(int(headers.get("content-length", 0)))
            )

    async def ask(self, data: bytes) -> Said:
        self.write(data)
        return await self.said()

    async def is_closed(self) -> bool:
        """The other side hangs up, without a further word."""
        async with asyncio.timeout(80):
            return await self.reader.read() == b""


@dataclass
class Served:
    """A server in front of an application. `ways` counts what went the long way, by method and path."""

    server: uvicorn.Server
    task: asyncio.Task[None]
    ways: Counter[str]

    @property
    def port(self) -> int:
        port: int = self.server.servers[0].sockets[0].getsockname()[1]
        return port

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Line(reader, writer)
        finally:
            writer.close()

    async def ask(self, data: bytes) -> Said:
        async with self.line() as line:
            return await line.ask(data)


@asynccontextmanager
async def served(door: Door, *, express: bool = True) -> AsyncIterator[Served]:
    """The door's application, whose lifespan is entered already, on a port of its own."""
    ways: Counter[str] = Counter()

    class Watched(CaptureProtocol):
        def _start_asgi_task(self, cycle: Any, app: Any) -> None:
            ways[f"{cycle.scope['method']} {cycle.scope['path']}"] += 1
            super()._start_asgi_task(cycle, app)

    config = uvicorn.Config(
        door.app, port=0, http=Watched if express else "httptools", ws="none", lifespan="off", access_log=False,
        log_config=None,
        server_header=False, timeout_graceful_shutdown=3, proxy_headers=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    # not `serve`: it would take the signals of the test run
    task = asyncio.create_task(server._serve())
    await eventually(lambda: server.started)
    try:
        yield Served(server, task, ways)
    finally:
        server.should_exit = True
        await task


class Held:
    """A publisher that stores when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Sequence[OutMessage], Callable[[Exception | None], None]]] = []
        self.stored: list[bytes] = []

    async def publish(self, messages: Sequence[OutMessage]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.put(messages, lambda failure: done.set_exception(failure) if failure else done.set_result(None))
        await done

    def put(self, messages: Sequence[OutMessage], told: Callable[[Exception | None], None]) -> None:
        self.waiting.append((messages, told))

    def finish(self, failure: Exception | None = None) -> None:
        """The oldest that waits is stored, or fails."""
        messages, told = self.waiting.pop(0)
        self.stored += [message.body for message in messages] if failure is None else []
        told(failure)


def answered(door: Door) -> dict[tuple[str, str, str], int]:
    """How many requests were answered so far, by method, route and status."""
    samples = [sample for family in door.runtime.metrics.registry.collect() for sample in family.samples]
    return {
        (one.labels["method"], one.labels["route"], one.labels["status"]): int(one.value)
        for one in samples
        if one.name == "rapport_http_requests_total"
    }
