"""An event too large is found when it is said: what brought it about is set aside, and nothing that cannot be published
waits in the outbox.
"""

from __future__ import annotations

from sqlalchemy import text

from chassis.bus.broker import Broker
from contracts.limits import SAID_BYTES
from tests.chassis.app.bus_words import a_signal, echoes, stored
from tests.chassis.app.echo import TOO_LOUD
from tests.support.eventually import eventually
from tests.support.service import RunningService, published


async def test_the_cause_of_an_event_too_large_dies_and_the_others_go_on(
    service: RunningService, outside: Broker
) -> None:
    texts = ["one", "two", TOO_LOUD, "three", "four"]
    await outside.publish_batch([a_signal(text) for text in texts])

    async def one_dead() -> str:
        letters = await stored(outside, "DEAD")
        assert len(letters) == 1
        return letters[0].headers["dead-reason"]

    reason = await eventually(one_dead, within=15)
    assert "echo.signal.echoed.v1.0" in reason
    assert str(SAID_BYTES) in reason
    await eventually(lambda: have_come(service, 4))
    assert sorted(await echoes(service.runtime.database)) == ["four", "one", "three", "two"]
    assert len(await published(service, "ECHO")) == 4


async def have_come(service: RunningService, count: int) -> bool:
    return len(await echoes(service.runtime.database)) == count


async def test_who_asks_for_it_over_http_is_told_and_nothing_is_kept(service: RunningService, outside: Broker) -> None:
    answer = await service.client.post("/v1/echoes", json={"text": TOO_LOUD})
    assert answer.status_code == 422
    assert (answer.json()["type"], str(SAID_BYTES) in answer.json()["detail"]) == (
        "/problems/unpublishable",
        True,
    )
    assert await echoes(service.runtime.database) == []
    async with service.runtime.database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM outbox")) == 0
    assert await stored(outside, "ECHO") == []
