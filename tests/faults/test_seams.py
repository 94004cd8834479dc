"""Kill a real process once at each of the five seams: nothing is lost, and nothing is applied twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from chassis.bus.broker import Broker
from chassis.store.database import Database
from tests.chassis.app.bus_words import a_signal, echoes, stored
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.process import ServiceProcess
from tests.support.service import PUBLIC_KEY

pytestmark = pytest.mark.slow


@pytest_asyncio.fixture
async def echo(store_url: str, nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    """The miniature service as a process, with its fuses in."""
    fuses = tmp_path / "fuses"
    fuses.mkdir()
    environment = {
        "DATABASE_URL": store_url,
        "NATS_URL": nats_server.url,
        "TOKEN_PUBLIC_KEY": PUBLIC_KEY,
        "FUSES": str(fuses),
    }
    async with ServiceProcess(
        "tests.chassis.app.echo",
        "ECHO_",
        {f"ECHO_{name}": value for name, value in environment.items()},
        tmp_path / "log",
    ) as process:
        yield process


@pytest_asyncio.fixture
async def store(echo: ServiceProcess, store_url: str) -> AsyncIterator[Database]:
    """A look into the service's store."""
    database = Database(store_url)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def outside(nats_server: NatsServer, echo: ServiceProcess) -> AsyncIterator[Broker]:
    """A look at the bus."""
    broker = await Broker.connect(nats_server.url, "outside")
    yield broker
    await broker.close()


async def said_ids(outside: Broker) -> list[str]:
    """The ids of what was said, as often as it was."""
    return [message.headers["ce-id"] for message in await stored(outside, "ECHO")]


async def unpublished(store: Database) -> int:
    """How many events wait in the outbox."""
    async with store.read() as session:
        return int(await session.scalar(text("SELECT count(*) FROM outbox")) or 0)


async def test_seam_api_to_store(echo: ServiceProcess, store: Database, outside: Broker) -> None:
    """Killed before the commit: the caller is not answered, nothing happened, and asking again makes it happen once."""
    async with echo.client() as client:
        with pytest.raises(httpx.TransportError):
            await client.post("/v1/echoes", json={"text": "die before commit"})
        echo.wait()
        assert await echoes(store) == []
        await echo.start()
        assert (await client.post("/v1/echoes", json={"text": "die before commit"})).status_code == 201
    assert await echoes(store) == ["die before commit"]
    assert len(await eventually(lambda: said_ids(outside))) == 1


async def test_seam_store_to_relay(
    echo: ServiceProcess, store: Database, nats_server: NatsServer, outside: Broker
) -> None:
    """Killed after the commit and before the relay could publish: the next start publishes."""
    nats_server.kill()
    async with echo.client() as client:
        assert (await client.post("/v1/echoes", json={"text": "committed"})).status_code == 201
    echo.kill()
    assert await unpublished(store) == 1
    nats_server.start()
    await eventually(lambda: outside.is_ready)
    assert await said_ids(outside) == []
    await echo.start()
    assert len(await eventually(lambda: said_ids(outside))) == 1
    assert await echoes(store) == ["committed"]


async def test_seam_relay_to_nats(echo: ServiceProcess, store: Database, outside: Broker) -> None:
    """Killed after the broker had it and before the store knew: it is published again under the same id."""
    async with echo.client() as client:
        for number in range(20):  # the window is a tenth of a second wide; a slow machine may miss it
            heard = await said_ids(outside)
            await client.post("/v1/echoes", json={"text": f"told {number}"})
            while len(await said_ids(outside)) == len(heard):
                pass
            echo.kill()
            if await unpublished(store):
                break
            await echo.start()
        else:
            pytest.fail("the relay was never caught before it marked")
    once = await said_ids(outside)
    await echo.start()

    async def all_marked() -> bool:
        return await unpublished(store) == 0

    await eventually(all_marked)
    twice = await said_ids(outside)
    assert len(twice) > len(once)
    assert set(twice) == set(once)


async def test_seam_nats_to_consumer(
    echo: ServiceProcess, store: Database, nats_server: NatsServer, outside: Broker
) -> None:
    """Both killed while a delivered batch is in a handler's hands: it comes again, in order, and is applied once."""
    texts = ["first", "hold on", "last"]
    await outside.publish_batch([a_signal(text) for text in texts])
    fuse = Path(echo.environment["ECHO_FUSES"]) / "hold on"
    await eventually(fuse.exists)
    nats_server.kill()
    echo.kill()
    assert "hold on" not in await echoes(store)
    nats_server.start()
    await echo.start()

    async def all_applied() -> bool:
        return await echoes(store) == texts

    await eventually(all_applied, within=15.0)

    async def all_said() -> bool:
        return len(set(await said_ids(outside))) == 3

    await eventually(all_said)


async def test_seam_consumer_to_store(echo: ServiceProcess, store: Database, outside: Broker) -> None:
    """Killed after the commit and before the acknowledgement: the message comes again and changes nothing."""
    await outside.publish_batch([a_signal("before"), a_signal("die after commit")])
    echo.wait()
    assert await echoes(store) == ["before", "die after commit"]
    await echo.start()
    await outside.publish_batch([a_signal("after")])

    async def last_came() -> bool:
        return "after" in await echoes(store)

    await eventually(last_came, within=15.0)
    assert await echoes(store) == ["before", "die after commit", "after"]

    async def all_said() -> bool:
        return len(set(await said_ids(outside))) == 3

    await eventually(all_said)


async def test_killed_again_and_again_under_load_it_loses_and_doubles_nothing(
    echo: ServiceProcess, store: Database, outside: Broker
) -> None:
    texts = [f"signal {number}" for number in range(3000)]
    for round_number in range(5):
        await outside.publish_batch([a_signal(text) for text in texts[round_number * 600 : (round_number + 1) * 600]])
        applied = len(await echoes(store))

        async def gets_on(before: int = applied) -> bool:
            return len(await echoes(store)) > before

        await eventually(gets_on, within=15.0)
        echo.kill()
        await echo.start()

    async def all_applied() -> bool:
        return len(await echoes(store)) >= len(texts)

    await eventually(all_applied, within=30.0)
    assert sorted(await echoes(store)) == sorted(texts)

    async def all_said() -> bool:
        return len(set(await said_ids(outside))) == len(texts)

    await eventually(all_said, within=30.0)
