"""A service serves before NATS is there, and joins when it comes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chassis.bus.broker import Broker
from chassis.store import outbox
from chassis.store.database import Database
from tests.chassis.app.bus_words import a_signal, echoes, ids_on
from tests.chassis.app.echo import EchoSettings, create_service
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, RunningService, running


@pytest.fixture
def absent() -> Iterator[NatsServer]:
    """A NATS that is not there yet."""
    server = NatsServer()
    yield server
    server.stop()


def settings(store_url: str, server: NatsServer) -> EchoSettings:
    return EchoSettings(database_url=store_url, nats_url=server.url, token_public_key=PUBLIC_KEY)


async def why_not_ready(service: RunningService) -> str:
    answer = await service.client.get("/readyz")
    return "" if answer.status_code == 200 else str(answer.json()["detail"])


async def test_a_service_that_starts_without_nats_answers_from_its_store_and_works_when_nats_comes(
    store_url: str, absent: NatsServer
) -> None:
    async with running(create_service(settings(store_url, absent)), joined=False) as service:
        assert (await service.client.get("/healthz")).status_code == 200
        assert "not connected to NATS" in await why_not_ready(service)
        assert (await service.client.post("/v1/echoes", json={"text": "said early"})).status_code == 201
        assert (await service.client.get("/v1/echoes/said early")).status_code == 200

        absent.start()
        await eventually(lambda: is_ready(service), within=15)
        outside = await Broker.connect(absent.url, "outside")
        await outside.publish_batch([a_signal("heard late")])
        await eventually(lambda: has_echoed(service, ["said early", "heard late"]), within=15)
        await eventually(lambda: has_said(outside, 2), within=15)
        await outside.close()


async def is_ready(service: RunningService) -> bool:
    return not await why_not_ready(service)


async def has_echoed(service: RunningService, texts: list[str]) -> bool:
    return await echoes(service.runtime.database) == texts


async def has_said(outside: Broker, count: int) -> bool:
    return len(await ids_on(outside, "ECHO")) == count


async def test_a_stream_that_cannot_be_laid_is_named_and_laid_as_soon_as_it_can(
    store_url: str, absent: NatsServer
) -> None:
    absent.start()
    other = await Broker.connect(absent.url, "other")
    await other.request("STREAM.CREATE.SQUATTER", {"name": "SQUATTER", "subjects": ["echo.>"], "storage": "file"})
    async with running(create_service(settings(store_url, absent)), joined=False) as service:

        async def names_what_is_in_the_way() -> bool:
            return "overlap" in await why_not_ready(service)

        await eventually(names_what_is_in_the_way, within=10)
        await other.request("STREAM.DELETE.SQUATTER")
        await eventually(lambda: is_ready(service), within=15)
    await other.close()


async def test_a_service_that_never_met_nats_ends_in_order(store_url: str, absent: NatsServer) -> None:
    async with running(create_service(settings(store_url, absent)), joined=False) as service:
        assert (await service.client.post("/v1/echoes", json={"text": "kept"})).status_code == 201
    async with Database(store_url) as database, database.read() as session:
        assert (await outbox.backlog(session)).count == 1  # for the next start
