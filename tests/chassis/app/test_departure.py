"""A process that gives notice: not ready, everything answered, each answer the last of its connection; then it ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess
from tests.support.service import PUBLIC_KEY

pytestmark = pytest.mark.slow


async def test_a_process_that_is_asked_to_end_serves_until_others_have_noticed(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    environment = {
        "ECHO_DATABASE_URL": f"sqlite:///{tmp_path / 'store.db'}",
        "ECHO_NATS_URL": nats_server.url,
        "ECHO_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        "ECHO_NOTICE_SECONDS": "3",
    }
    process = ServiceProcess("tests.chassis.app.echo", "ECHO_", environment, tmp_path / "log")
    async with process, process.client() as client:
        assert "connection" not in (await client.post("/v1/echoes", json={"text": "before"})).headers
        process.terminate()

        async def is_leaving() -> bool:
            return (await client.get("/readyz")).status_code == 503

        await eventually(is_leaving)
        refusal = await client.get("/readyz")
        assert [error["field"] for error in refusal.json()["errors"]] == ["stopping"]
        answer = await client.post("/v1/echoes", json={"text": "after"})
        assert (answer.status_code, answer.headers["connection"]) == (201, "close")
        assert await asyncio.to_thread(process.wait) == 0
        with pytest.raises(httpx.ConnectError):
            await client.get("/healthz")
