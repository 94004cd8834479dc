"""A small TCP balancer on loopback: connections go in turn to those who say that they are ready."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx

_LOOK_SECONDS = 0.1
_PIECE = 64 * 1024


class Balancer:
    """In front of `urls`; asks each `/readyz` several times a second, as a platform would."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = list(urls)
        self._ready: set[str] = set()
        self._turns = itertools.count()
        self.url = ""

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[None]:
        """Inside the block it takes connections at `url`."""
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        looks = [asyncio.create_task(self._look(url)) for url in self._urls]
        try:
            yield
        finally:
            for look in looks:
                look.cancel()
            await asyncio.gather(*looks, return_exceptions=True)
            server.close()

    def is_ready(self, url: str) -> bool:
        """Whether it gets connections."""
        return url in self._ready

    async def _look(self, url: str) -> None:
        async with httpx.AsyncClient(timeout=2) as client:
            while True:
                try:
                    is_ready = (await client.get(f"{url}/readyz")).status_code == 200
                except httpx.HTTPError:
                    is_ready = False
                (self._ready.add if is_ready else self._ready.discard)(url)
                await asyncio.sleep(_LOOK_SECONDS)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await self._connection()
        if there is None:
            writer.close()
            return
        await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        first = next(self._turns)
        in_turn = [self._urls[(first + number) % len(self._urls)] for number in range(len(self._urls))]
        for url in sorted(in_turn, key=lambda one: one not in self._ready):
            with contextlib.suppress(OSError):
                address = urlsplit(url)
                return await asyncio.open_connection(address.hostname, address.port)
        return None


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
