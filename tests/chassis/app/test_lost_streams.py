"""Somebody takes a stream away under a running service: it is told, never taken for quiet, and work goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from chassis.bus.broker import Broker
from tests.chassis.app.bus_words import a_signal, echoes, ids_on
from tests.chassis.app.test_watching import measured
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess
from tests.support.service import PUBLIC_KEY, RunningService

pytestmark = pytest.mark.slow


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """One kind of store is enough here."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest_asyncio.fixture
async def process(store_url: str, nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    """The miniature service as a process that loses patience after a second."""
    environment = {
        "ECHO_DATABASE_URL": store_url,
        "ECHO_NATS_URL": nats_server.url,
        "ECHO_TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        "ECHO_STUCK_SECONDS": "1",
        "ECHO_FUSES": str(tmp_path),
    }
    async with ServiceProcess("tests.chassis.app.echo", "ECHO_", environment, tmp_path / "log") as process:
        yield process


async def unready(client: httpx.AsyncClient) -> dict[str, str]:
    answer = await client.get("/readyz")
    assert answer.status_code == 503, answer.text
    return {error["field"]: f"{error['reason']} {error.get('remedy', '')}" for error in answer.json()["errors"]}


async def is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz")).status_code == 200


async def test_a_stream_that_others_write_is_missed_by_name_and_its_lag_is_not_nothing(
    process: ServiceProcess, outside: Broker
) -> None:
    async with process.client() as client:
        await outside.publish_batch([a_signal("before"), a_signal("before too")])
        await eventually(lambda: said(outside, 2), within=15)
        await outside.request("STREAM.DELETE.SIGNAL")
        missing = await eventually(lambda: unready(client), within=15)
        assert "has not been reached for" in missing["lane SIGNAL/0"]
        assert "stream not found" in missing["lane SIGNAL/0"]
        assert "rapport_consumer_lag_messages{" not in (await client.get("/metrics")).text
        assert (await client.get("/v1/status")).json()["lag"] == {"SIGNAL": None}

        await outside.ensure_streams(["SIGNAL"])
        await eventually(lambda: is_ready(client), within=15)
        await outside.publish_batch([a_signal("afterwards")])
        await eventually(lambda: said(outside, 3), within=15)
        assert (await client.get("/v1/status")).json()["lag"] == {"SIGNAL": 0}


async def test_a_stream_that_it_writes_is_laid_anew_and_the_loss_is_noted(
    service: RunningService, outside: Broker
) -> None:
    await outside.request("STREAM.DELETE.ECHO")
    await outside.request("STREAM.DELETE.DEAD")

    async def noted() -> list[str]:
        answer = await service.client.get("/readyz")
        return sorted(note["field"] for note in answer.json()["notes"])

    found = await eventually(lambda: as_told(noted), within=15)
    assert found == ["stream DEAD", "stream ECHO"]
    await eventually(lambda: is_ready(service.client), within=15)
    assert (await service.client.post("/v1/echoes", json={"text": "said again"})).status_code == 201
    await eventually(lambda: said(outside, 1), within=15)
    assert await measured(service, "rapport_nats_ready") == 1


async def test_a_durable_that_is_taken_away_comes_back_by_itself(service: RunningService, outside: Broker) -> None:
    await outside.publish_batch([a_signal("one")])
    await eventually(lambda: has_echoed(service, ["one"]), within=15)
    await outside.request("CONSUMER.DELETE.SIGNAL.echo")
    await outside.publish_batch([a_signal("two")])
    await eventually(lambda: has_echoed(service, ["one", "two"]), within=15)


async def has_echoed(service: RunningService, texts: list[str]) -> bool:
    return await echoes(service.runtime.database) == texts


async def as_told(probe: object) -> list[str]:
    try:
        return await probe()  # type: ignore[operator,no-any-return]
    except KeyError as error:
        raise AssertionError("nothing is noted yet") from error


async def said(outside: Broker, count: int) -> bool:
    return len(await ids_on(outside, "ECHO")) == count
