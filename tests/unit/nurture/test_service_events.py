"""Nurture on a real NATS and both stores: what identity, scoring and lifecycle say goes in, chosen treatments come
out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from chassis.bus.broker import Broker
from contracts.events.nurture import TreatmentSelected
from services.nurture.main import create_service
from services.nurture.settings import NurtureSettings
from tests.chassis.app.bus_words import stored
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.support.people import merged, per
from tests.support.service import PUBLIC_KEY, RunningService, running, tell
from tests.unit.nurture.builders import created, profile_said, score_said, scores, stage_entered

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


@pytest_asyncio.fixture
async def broker(nats_server: NatsServer) -> AsyncIterator[Broker]:
    broker = await Broker.connect(nats_server.url, "tester")
    await broker.ensure_streams(["IDENTITY", "SCORING", "LIFECYCLE", "NURTURE"])
    yield broker
    await broker.close()


@pytest_asyncio.fixture
async def nurture(store_url: str, nats_server: NatsServer) -> AsyncIterator[RunningService]:
    settings = NurtureSettings(database_url=store_url, nats_url=nats_server.url, token_public_key=PUBLIC_KEY)
    async with running(create_service(settings)) as nurture:
        yield nurture


async def said(broker: Broker) -> list[TreatmentSelected]:
    messages = [
        message
        for message in await stored(broker, "NURTURE")
        if message.headers["ce-type"] == TreatmentSelected.wire_name
    ]
    return [TreatmentSelected.from_wire(message.headers, message.body) for message in messages]


async def brief(nurture: RunningService, number: int) -> dict[str, Any]:
    answer = await nurture.client.post("/v1/nurture/people:lookup", json={"person_ids": [per(number)]})
    found: dict[str, Any] = next(iter(answer.json()["items"]), {})
    return found


async def test_a_lead_that_walks_is_offered_something_at_each_step(broker: Broker, nurture: RunningService) -> None:
    await tell(broker, created(1))
    await tell(broker, profile_said(1, NOW, {"email": "ines@harbour.example"}), score_said(1, NOW, "B3"))
    walk = [
        stage_entered(1, stage, NOW + timedelta(minutes=step), scores=scores("B3", NOW))
        for step, stage in enumerate(("known", "engaged", "mql"))
    ]
    await tell(broker, *walk, walk[0])

    async def three() -> list[TreatmentSelected]:
        found = await said(broker)
        assert len(found) == 3
        return found

    found = await eventually(three, within=15)
    assert [event.buying_stage for event in found] == ["awareness", "consideration", "decision"]
    assert [event.meta.causation_id for event in found] == [stage.meta.event_id for stage in walk]
    assert len({event.selection_id for event in found}) == 3


async def test_an_absorbed_id_answers_with_the_survivor(broker: Broker, nurture: RunningService) -> None:
    await tell(broker, created(1), created(2), merged((1, 2), 2))

    async def absorbed() -> None:
        assert (await brief(nurture, 2)).get("person_id") == per(1)

    await eventually(absorbed, within=15)


async def test_two_pages_that_ask_at_once_get_one_answer(broker: Broker, nurture: RunningService) -> None:
    await tell(broker, created(1))

    async def known() -> None:
        assert await brief(nurture, 1)

    await eventually(known, within=15)
    answers = await asyncio.gather(
        *(nurture.client.post("/v1/treatments:select", json={"person_id": per(1)}) for _ in range(8))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["selection_id"] for answer in answers}) == 1
    assert [answer.json()["is_reused"] for answer in answers].count(False) == 1

    async def told_once() -> None:
        assert len(await said(broker)) == 1

    await eventually(told_once, within=15)


async def test_an_external_id_that_is_sent_twice_at_once_makes_one_treatment(nurture: RunningService) -> None:
    content = {"headline": "How others did it", "text": "They tell.", "url": "/customers"}
    body = {"name": "A story", "channel": "web", "purpose": "educational", "content": content, "external_id": "cms-1"}
    answers = await asyncio.gather(
        *(nurture.client.post("/v1/treatments", json=body | {"priority": priority}) for priority in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 200, 201]
    assert len({answer.json()["treatment_id"] for answer in answers}) == 1
    assert sorted(answer.json()["revision"] for answer in answers) == [1, 2, 3, 4, 5, 6]
