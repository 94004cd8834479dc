"""Publishing that returns when it is on disk, and fails within a known time when it is not."""

from __future__ import annotations

import asyncio

import pytest

from chassis.bus.broker import Broker
from chassis.bus.errors import ApiRefused, BrokerUnavailable, PublishRefused
from chassis.message import OutMessage
from tests.chassis.bus.builders import a_capture, bodies, captures, stream_state
from tests.support.eventually import eventually
from tests.support.nats import NatsServer


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("count", [1, 2, 8, 9, 500, 501, 1234])
async def test_what_was_published_is_in_the_stream_in_order(broker: Broker, count: int, whole: bool) -> None:
    await broker.publish_batch(captures(count), whole=whole)

    assert [int(body) for body in await bodies(broker, "CAPTURE")] == list(range(count))


async def test_headers_arrive_as_they_were_sent_and_the_batch_leaves_no_message_behind(broker: Broker) -> None:
    await broker.publish_batch([OutMessage("capture.x.0", {"ce-id": "größer", "n": str(n)}, b"") for n in range(2)])

    answer = await broker.request("STREAM.MSG.GET.CAPTURE", {"seq": 2})
    assert "hdrs" in answer["message"]
    assert (await stream_state(broker, "CAPTURE"))["messages"] == 2


async def test_messages_of_several_streams_go_each_to_its_own(broker: Broker) -> None:
    await broker.publish_batch(
        [
            *captures(3),
            OutMessage("identity.person.created.v1.0", {}, b"a"),
            OutMessage("identity.person.created.v1.0", {}, b"b"),
        ]
    )

    assert await bodies(broker, "CAPTURE") == [b"0", b"1", b"2"]
    assert await bodies(broker, "IDENTITY") == [b"a", b"b"]


async def test_many_publishers_at_once_lose_nothing_and_no_batch_is_mixed_up_with_another(broker: Broker) -> None:
    await asyncio.gather(*(broker.publish_batch(captures(50, start=50 * number)) for number in range(40)))

    found = [int(body) for body in await bodies(broker, "CAPTURE")]
    assert sorted(found) == list(range(2000))
    assert all(found[at : at + 50] == list(range(found[at], found[at] + 50)) for at in range(0, 2000, 50))


async def test_a_message_that_cannot_be_sent_is_refused_before_any_other_is_sent(broker: Broker) -> None:
    with pytest.raises(PublishRefused):
        await broker.publish_batch([a_capture(1), a_capture(2, size=broker.max_payload), a_capture(3)])

    assert await bodies(broker, "CAPTURE") == []


@pytest.mark.parametrize("count", [1, 2, 20])
async def test_a_stream_that_does_not_exist_is_unavailable(broker: Broker, count: int) -> None:
    with pytest.raises(BrokerUnavailable):
        await broker.publish_batch([OutMessage("nowhere.x", {}, b"")] * count)


async def test_publishing_without_a_server_fails_at_once_and_works_again_when_it_is_back(
    nats_server: NatsServer, broker: Broker
) -> None:
    nats_server.kill()
    await eventually(lambda: not broker.is_connected)
    with pytest.raises(BrokerUnavailable, match="not connected"):  # and not: no answer within 5 s
        await broker.publish_batch(captures(2))

    nats_server.start()
    await eventually(lambda: broker.is_ready)
    await broker.publish_batch(captures(2))
    assert await bodies(broker, "CAPTURE") == [b"0", b"1"]


async def test_who_waits_for_an_answer_when_the_server_dies_learns_it_then(
    nats_server: NatsServer, broker: Broker
) -> None:
    nats_server.pause()
    publishing = asyncio.create_task(broker.publish_batch(captures(2)))
    await asyncio.wait((publishing,), timeout=0.1)
    assert not publishing.done()
    nats_server.kill()

    with pytest.raises(BrokerUnavailable, match="connection to NATS was lost"):  # and not: no answer within 5 s
        await publishing


async def test_a_server_that_hangs_does_not_hang_the_publisher(nats_server: NatsServer, broker: Broker) -> None:
    impatient = await Broker.connect(nats_server.url, "impatient", answer_seconds=0.3)
    nats_server.pause()
    for count in (1, 2, 300):
        with pytest.raises(BrokerUnavailable, match=r"no answer .* within 0\.3 s"):
            await impatient.publish_batch(captures(count))

    nats_server.resume()
    await eventually(lambda: impatient.is_ready)
    await impatient.close()


async def test_readiness_follows_the_server(nats_server: NatsServer, broker: Broker) -> None:
    await eventually(lambda: broker.is_ready)
    nats_server.kill()
    await eventually(lambda: not broker.is_ready)
    nats_server.start()
    await eventually(lambda: broker.is_ready)
    nats_server.pause()
    await eventually(lambda: not broker.is_ready)
    nats_server.resume()
    await eventually(lambda: broker.is_ready)


async def test_connecting_waits_for_the_server() -> None:
    server = NatsServer()
    connecting = asyncio.create_task(Broker.connect(server.url, "early"))
    await asyncio.wait((connecting,), timeout=0.3)
    assert not connecting.done()

    server.start()
    connection = await connecting
    await eventually(lambda: connection.is_ready)
    await connection.close()
    server.stop()


async def test_closing_without_a_server_and_twice_is_quiet(nats_server: NatsServer) -> None:
    connection = await Broker.connect(nats_server.url, "closing")
    nats_server.kill()
    await connection.close()
    await connection.close()
    assert not connection.is_ready


async def test_a_stream_made_otherwise_is_brought_to_the_present_configuration(broker: Broker) -> None:
    await broker.request(
        "STREAM.CREATE.SCORING",
        {"name": "SCORING", "subjects": ["scoring.>"], "storage": "file", "max_age": 60_000_000_000},
    )

    await broker.ensure_streams(["SCORING"])
    await broker.ensure_streams(["SCORING"])

    config = (await broker.request("STREAM.INFO.SCORING"))["config"]
    assert (config["max_age"], config["allow_atomic"], config["storage"]) == (0, True, "file")


async def test_alerts_are_kept_for_days_and_facts_for_ever(broker: Broker) -> None:
    await broker.ensure_streams(["ALERTS"])

    ages = {
        name: (await broker.request(f"STREAM.INFO.{name}"))["config"]["max_age"]
        for name in ("ALERTS", "CAPTURE", "IDENTITY")
    }
    assert ages == {"ALERTS": 7 * 86_400 * 10**9, "CAPTURE": 0, "IDENTITY": 0}


async def test_the_server_refuses_a_field_it_does_not_know(broker: Broker) -> None:
    with pytest.raises(ApiRefused):
        await broker.request("STREAM.CREATE.X", {"name": "X", "subjects": ["x.>"], "no_such_field": 1})
