"""A process that may not lay its streams, or whose loop has ended, says so: it looks well and does nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess
from tests.support.service import PUBLIC_KEY, RunningService

RIGHTS = """
authorization {{ users = [
 {{ user: echo, password: secret, permissions: {{ publish: {{ allow: [">"], deny: [{denied}] }}, subscribe: [">"] }} }}
] }}
"""
NO_STREAMS, ALL = RIGHTS.format(denied='"$JS.API.STREAM.CREATE.ECHO"'), RIGHTS.format(denied='"nothing"')


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """One kind of store is enough here."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest_asyncio.fixture
async def process(store_url: str, tmp_path: Path) -> AsyncIterator[tuple[ServiceProcess, NatsServer]]:
    """The miniature service as a process whose user on NATS may not lay a stream."""
    with NatsServer(NO_STREAMS) as nats:
        environment = {
            "ECHO_DATABASE_URL": store_url,
            "ECHO_NATS_URL": nats.url.replace("//", "//echo:secret@"),
            "ECHO_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        }
        process = ServiceProcess("tests.chassis.app.echo", "ECHO_", environment, tmp_path / "log")
        process.spawn()
        yield process, nats
        process.kill()


@pytest.mark.slow
async def test_a_process_that_may_not_lay_its_streams_says_so_and_goes_on_when_it_may(
    process: tuple[ServiceProcess, NatsServer],
) -> None:
    echo, nats = process
    async with echo.client() as client:

        async def why_not() -> str:
            try:
                answer = await client.get("/readyz")
            except httpx.HTTPError:
                return ""
            detail: str = answer.json().get("detail", "")
            return detail if "STREAM.CREATE.ECHO" in detail else ""

        assert "its streams are not laid yet" in await eventually(why_not, within=40)
        assert (await client.get("/readyz/traffic")).status_code == 200, "what it is told it can keep"
        assert (await client.post("/v1/echoes", json={"text": "kept"})).status_code == 201
        nats.kill()
        nats.configure(ALL)
        nats.start()

        async def is_ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(is_ready, within=30)


@pytest.mark.parametrize("part", ["relay", "timers", "bus"])
async def test_a_loop_that_has_ended_is_told(service: RunningService, part: str) -> None:
    async def missing() -> list[str]:
        answer = await service.client.get("/readyz")
        return [error["field"] for error in answer.json().get("errors", ())]

    async def none_is() -> bool:
        return await missing() == []

    await eventually(none_is)
    service.runtime.loops[part].cancel()

    async def is_told() -> bool:
        return part in await missing()

    await eventually(is_told)
