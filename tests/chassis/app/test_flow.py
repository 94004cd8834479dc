"""An event goes through inbox, handler, outbox and stream: once, whatever happens on the way."""

from __future__ import annotations

from chassis.bus.broker import Broker
from tests.chassis.app.bus_words import a_signal, echoes, ids_on, stored
from tests.chassis.app.echo import EchoSettings, create_service
from tests.support.eventually import eventually
from tests.support.service import RunningService, running


async def test_a_heard_event_is_applied_and_what_was_said_reaches_the_stream(
    service: RunningService, outside: Broker
) -> None:
    await outside.publish_batch([a_signal("hello")])

    async def said() -> list[str]:
        return [message.subject for message in await stored(outside, "ECHO")]

    assert await eventually(said) == ["echo.signal.echoed.v1.0"]
    assert await echoes(service.runtime.database) == ["hello"]
    headers = (await stored(outside, "ECHO"))[0].headers
    assert (headers["causation"], headers["correlation"]) == ("evt_hello", "evt_hello")


async def test_events_keep_their_order(service: RunningService, outside: Broker) -> None:
    texts = [f"signal {number}" for number in range(600)]
    await outside.publish_batch([a_signal(text) for text in texts])

    async def all_applied() -> bool:
        return len(await echoes(service.runtime.database)) == len(texts)

    await eventually(all_applied)
    assert await echoes(service.runtime.database) == texts


async def test_a_message_that_comes_again_changes_nothing(service: RunningService, outside: Broker) -> None:
    await outside.publish_batch([a_signal("once"), a_signal("once"), a_signal("other")])
    await outside.publish_batch([a_signal("once")])
    await outside.publish_batch([a_signal("last")])

    async def last_came() -> bool:
        return "last" in await echoes(service.runtime.database)

    await eventually(last_came)
    assert await echoes(service.runtime.database) == ["once", "other", "last"]


async def test_a_restart_applies_nothing_twice_and_forgets_nothing(settings: EchoSettings, outside: Broker) -> None:
    async with running(create_service(settings)) as first:
        await outside.publish_batch([a_signal(f"before {number}") for number in range(20)])

        async def all_came() -> bool:
            return len(await echoes(first.runtime.database)) == 20

        await eventually(all_came)
    await outside.publish_batch([a_signal(f"between {number}") for number in range(20)])
    async with running(create_service(settings)) as second:

        async def rest_came() -> bool:
            return len(await echoes(second.runtime.database)) == 40

        await eventually(rest_came)

        async def all_said() -> bool:
            return len(await ids_on(outside, "ECHO")) == 40

        await eventually(all_said)
        assert len(set(await echoes(second.runtime.database))) == 40


async def test_a_poisonous_event_dies_alone_and_leaves_no_trace(service: RunningService, outside: Broker) -> None:
    await outside.publish_batch([a_signal("good"), a_signal("poison"), a_signal("better")])

    async def dead() -> list[str]:
        return [message.headers["ce-id"] for message in await stored(outside, "DEAD")]

    assert await eventually(dead, within=15.0) == ["evt_poison"]

    async def rest_applied() -> bool:
        return await echoes(service.runtime.database) == ["good", "better"]

    await eventually(rest_applied)

    async def rest_said() -> bool:
        return len(await ids_on(outside, "ECHO")) == 2

    await eventually(rest_said)


async def test_what_cannot_be_read_dies_at_once_and_the_rest_goes_on(service: RunningService, outside: Broker) -> None:
    good = a_signal("good")
    torn = type(good)(good.subject, {**good.headers, "ce-id": "evt_torn"}, b'{"text": 5}')
    await outside.publish_batch([torn, good])

    async def dead() -> list[dict[str, str]]:
        return [message.headers for message in await stored(outside, "DEAD")]

    headers = (await eventually(dead))[0]
    assert headers["ce-id"] == "evt_torn"
    assert "text: Input should be a valid string" in headers["dead-reason"]

    async def rest_applied() -> bool:
        return await echoes(service.runtime.database) == ["good"]

    await eventually(rest_applied)


async def test_a_timer_fires_once_and_what_it_says_is_relayed(service: RunningService, outside: Broker) -> None:
    await outside.publish_batch([a_signal("later, please")])

    async def recalled() -> bool:
        return len(await ids_on(outside, "ECHO")) == 2

    await eventually(recalled)
    assert await echoes(service.runtime.database) == ["later, please", "recalled later, please"]
