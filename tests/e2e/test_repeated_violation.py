"""A violation in the data that repeats: it is not an outage.

The capture that brings it about dies, and the lane goes on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from sqlalchemy import text

from chassis.bus.broker import Broker
from chassis.message import OutMessage
from chassis.store.database import Database
from contracts.events.identity import InteractionRecognized
from services.identity.main import create_service
from services.identity.settings import IdentitySettings
from tests.chassis.app.bus_words import Stored, stored
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.service import PUBLIC_KEY, RunningService, running
from tests.unit.identity.world import a_capture

FORBIDDEN = "forbidden-visitor"


@pytest_asyncio.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    broker = await Broker.connect(nats_server.url, "gateway")
    await broker.ensure_streams(["CAPTURE", "IDENTITY", "DEAD"])
    yield broker
    await broker.close()


@pytest_asyncio.fixture
async def identity(store_url: str, nats_server: NatsServer) -> AsyncIterator[RunningService]:
    settings = IdentitySettings(database_url=store_url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY)
    async with running(create_service(settings)) as identity:
        await forbid(identity.runtime.database)
        yield identity


async def forbid(database: Database) -> None:
    """A constraint that no second try satisfies."""
    broken = f"CHECK (value <> '{FORBIDDEN}')"
    if database.dialect == "sqlite":
        raised = "SELECT RAISE(ABORT, 'CHECK constraint failed')"
        broken = (
            f"CREATE TRIGGER forbidding BEFORE INSERT ON fragment WHEN NEW.value = '{FORBIDDEN}' BEGIN {raised}; END"
        )
    async with database.begin() as session:
        await session.execute(
            text(broken if database.dialect == "sqlite" else f"ALTER TABLE fragment ADD CONSTRAINT forbidding {broken}")
        )


async def recognized(broker: Broker) -> int:
    return sum(
        message.headers["ce-type"] == InteractionRecognized.wire_name for message in await stored(broker, "IDENTITY")
    )


async def test_a_violation_that_repeats_is_isolated_and_dies_and_the_lane_goes_on(
    broker: Broker, identity: RunningService
) -> None:
    captures = [
        a_capture(number, anonymous_id=FORBIDDEN if number == 3 else f"visitor-{number}") for number in range(1, 8)
    ]
    await broker.publish_batch([OutMessage(one.subjects(1)[0], one.headers(), one.body()) for one in captures])

    async def one_dead() -> Stored:
        letters = await stored(broker, "DEAD")
        assert len(letters) == 1
        return letters[0]

    letter = await eventually(one_dead, within=20)
    assert "constraint" in letter.headers["dead-reason"]
    await eventually(lambda: all_but_one(broker), within=10)
    (consumer,) = identity.runtime.consumers
    await eventually(lambda: consumer.progress.stuck_seconds == 0)


async def all_but_one(broker: Broker) -> bool:
    return await recognized(broker) == 6
