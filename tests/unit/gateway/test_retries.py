"""A service that restarts is waited for; what may not be asked twice is asked again only where nothing was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from embedded.up import free_ports
from gateway.retries import Retries


class RestartedService:
    """Listens on a port, or not; `cuts` so many connections before it answers."""

    def __init__(self) -> None:
        [self.port] = free_ports(1)
        self.requests = 0
        self.cuts = 0

    @asynccontextmanager
    async def up(self, after: float = 0.0) -> AsyncIterator[None]:
        starting = asyncio.create_task(self._start(after))
        try:
            yield
        finally:
            (await starting).close()

    async def _start(self, after: float) -> asyncio.Server:
        await asyncio.sleep(after)
        return await asyncio.start_server(self._answer, "127.0.0.1", self.port)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        if self.requests > self.cuts:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        writer.close()


@asynccontextmanager
async def asking(service: RestartedService) -> AsyncIterator[Callable[[aiohttp.ClientTimeout], Awaitable[str]]]:
    async with aiohttp.ClientSession() as session:

        async def attempt(limit: aiohttp.ClientTimeout) -> str:
            # POST: aiohttp asks by itself again what was GET
            async with session.post(f"http://127.0.0.1:{service.port}/", timeout=limit) as answer:
                return await answer.text()

        yield attempt


@pytest.mark.parametrize("may_repeat", [True, False])
async def test_a_service_that_is_not_back_yet_is_waited_for_whatever_was_asked(may_repeat: bool) -> None:
    service = RestartedService()
    async with service.up(after=0.4), asking(service) as attempt:
        assert await Retries(30).ask("identity", attempt, lambda: may_repeat, 30) == "ok"


async def test_a_connection_that_was_cut_is_tried_again_where_that_does_no_harm() -> None:
    service = RestartedService()
    service.cuts = 1
    async with service.up(), asking(service) as attempt:
        await asyncio.sleep(0.05)
        assert await Retries(30).ask("identity", attempt, lambda: True, 30) == "ok"
        assert service.requests == 2
        service.requests = 0
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await Retries(30).ask("identity", attempt, lambda: False, 30)
        assert service.requests == 1


async def test_for_a_service_that_stays_down_nobody_waits_after_the_first_and_all_do_again_once_it_was_back() -> None:
    service, retries = RestartedService(), Retries(0.3)
    attempts = 0

    async with asking(service) as attempt:

        async def counted(limit: aiohttp.ClientTimeout) -> str:
            nonlocal attempts
            attempts += 1
            return await attempt(limit)

        async def tries() -> int:
            nonlocal attempts
            attempts = 0
            with pytest.raises(aiohttp.ClientConnectorError):
                await retries.ask("identity", counted, lambda: True, 30)
            return attempts

        assert await tries() > 1
        assert await tries() == 1
        async with service.up():
            await asyncio.sleep(0.05)
            assert await retries.ask("identity", counted, lambda: True, 30) == "ok"
        assert await tries() > 1
