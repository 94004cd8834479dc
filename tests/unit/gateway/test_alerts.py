"""The alert stream: a rep hears their own alerts, all of them, once, in order, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest_asyncio
from httpx_sse._decoders import SSEDecoder, SSELineDecoder
from starlette.types import Message

from chassis.bus.broker import Broker
from chassis.bus.protocol import Raw
from chassis.message import OutMessage
from gateway.alerts import stream
from gateway.alerts.reader import AlertReader
from gateway.alerts.stream import HangingUp
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.unit.gateway.listening import Listener, listening
from tests.unit.gateway.running import API_KEY, Door

STREAM = "/v1/alerts/stream"
AS_ADMIN = {"authorization": f"Bearer {API_KEY}"}


@pytest_asyncio.fixture
async def routing_line(nats_server: NatsServer) -> AsyncIterator[Broker]:
    broker = await Broker.connect(nats_server.url, "routing")
    await broker.ensure_streams(["ALERTS"])
    yield broker
    await broker.close()


async def alert(line: Broker, rep_id: str, *numbers: int, whose: str = "rep", kind: str = "offered") -> None:
    """Publish alerts as routing does."""
    messages = [
        OutMessage(
            f"alerts.{whose}.{rep_id}.{kind}",
            {"ce-id": f"evt_{number}"},
            orjson.dumps({"rep_id": rep_id, "headline": f"No. {number}"}),
        )
        for number in numbers
    ]
    await line.publish_batch(messages)


def heard_by(door: Door, headers: dict[str, str] | None = None, **query: Any) -> AbstractAsyncContextManager[Listener]:
    return listening(door.app, STREAM, query, AS_ADMIN if headers is None else headers)


async def rep_key(door: Door, rep_id: str) -> dict[str, str]:
    return {"authorization": f"Bearer {(await door.key('sales', rep_id=rep_id))['api_key']}"}


async def numbers_of(listener: Listener, count: int) -> list[str]:
    return [str((await listener.event()).data["alert_id"]) for _ in range(count)]


async def consumers(line: Broker) -> list[str]:
    names: list[str] = (await line.request("CONSUMER.NAMES.ALERTS", {"offset": 0})).get("consumers") or []
    return names


async def test_a_rep_hears_what_is_for_them_and_nothing_else(door: Door, routing_line: Broker) -> None:
    await alert(routing_line, "rep_1", 1)
    async with heard_by(door, await rep_key(door, "rep_1")) as listener:
        assert await listener.begun() == 200
        assert listener.body == b"retry: 2000\nid: 1\nevent: listening\ndata: {}\n\n"
        await alert(routing_line, "rep_2", 2)
        await alert(routing_line, "rep_1", 3, whose="sink")
        await alert(routing_line, "rep_1", 4, kind="withdrawn")
        first = await listener.event()
        assert (first.event_id, first.name) == (4, "alert")
        assert first.data == {"alert_id": "evt_4", "rep_id": "rep_1", "headline": "No. 4"}
        assert listener.body.count(b"event: alert") == 1


async def test_a_listener_resumes_right_after_the_last_one_it_saw(door: Door, routing_line: Broker) -> None:
    for number in range(1, 7):
        await alert(routing_line, "rep_1" if number % 2 else "rep_2", number)
    key = await rep_key(door, "rep_1")
    async with heard_by(door, {**key, "Last-Event-ID": "1"}) as listener:
        assert await numbers_of(listener, 2) == ["evt_3", "evt_5"]
    async with heard_by(door, key, last_event_id=3) as listener:
        assert await numbers_of(listener, 1) == ["evt_5"]
    async with heard_by(door, {**key, "Last-Event-ID": "3"}, last_event_id=1) as listener:
        # as EventSource asks again with its first address
        assert await numbers_of(listener, 1) == ["evt_5"]
    async with heard_by(door, key, last_event_id=900) as listener:
        # of a stream that is no more: all of the present one is news
        assert await numbers_of(listener, 3) == ["evt_1", "evt_3", "evt_5"]


async def test_a_listener_may_begin_at_the_beginning_or_at_a_moment(door: Door, routing_line: Broker) -> None:
    await alert(routing_line, "rep_1", 1, 2)
    stored = (await routing_line.request("STREAM.MSG.GET.ALERTS", {"seq": 2}))["message"]["time"]
    async with heard_by(door, rep_id="rep_1", since="all") as listener:
        assert await numbers_of(listener, 2) == ["evt_1", "evt_2"]
    async with heard_by(door, rep_id="rep_1", since=stored) as listener:
        assert await numbers_of(listener, 1) == ["evt_2"]
    wrong = await door.api("GET", STREAM, params={"rep_id": "rep_1", "since": "yesterday"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "query.since")


async def test_what_came_before_is_not_told_unless_asked_for(door: Door, routing_line: Broker) -> None:
    await alert(routing_line, "rep_1", 1)
    async with heard_by(door, rep_id="rep_1") as listener:
        await listener.begun()
        await alert(routing_line, "rep_1", 2)
        assert await numbers_of(listener, 1) == ["evt_2"]


async def test_a_restart_of_nats_loses_and_repeats_nothing(
    door: Door, nats_server: NatsServer, routing_line: Broker
) -> None:
    async with heard_by(door, rep_id="rep_1", since="all") as listener:
        await alert(routing_line, "rep_1", 1)
        assert await numbers_of(listener, 1) == ["evt_1"]
        nats_server.kill()
        await eventually(lambda: not routing_line.is_connected)
        nats_server.start()
        await eventually(lambda: routing_line.is_ready, within=10)
        await alert(routing_line, "rep_1", *range(2, 40))
        assert await numbers_of(listener, 38) == [f"evt_{number}" for number in range(2, 40)]


async def test_a_consumer_that_is_taken_away_is_made_anew(door: Door, routing_line: Broker) -> None:
    async with heard_by(door, rep_id="rep_1", since="all") as listener:
        await alert(routing_line, "rep_1", 1)
        assert await numbers_of(listener, 1) == ["evt_1"]
        for name in await consumers(routing_line):
            await routing_line.request(f"CONSUMER.DELETE.ALERTS.{name}")
        await alert(routing_line, "rep_1", 2)
        assert await numbers_of(listener, 1) == ["evt_2"]


async def test_a_listener_may_come_before_the_stream_is_there(door: Door, nats_server: NatsServer) -> None:
    async with heard_by(door, rep_id="rep_1") as listener:
        await listener.begun()
        broker = await Broker.connect(nats_server.url, "routing")
        await broker.ensure_streams(["ALERTS"])
        await alert(broker, "rep_1", 1)
        assert await numbers_of(listener, 1) == ["evt_1"]
        await broker.close()


async def test_nothing_piles_up_for_a_reader_that_is_slow(door: Door, routing_line: Broker) -> None:
    await alert(routing_line, "rep_1", *range(100))
    async with heard_by(door, rep_id="rep_1", since="all") as listener:
        assert await numbers_of(listener, 1) == ["evt_0"]
        listener.takes.clear()
        (name,) = await consumers(routing_line)
        pending = (await routing_line.request(f"CONSUMER.INFO.ALERTS.{name}"))["num_pending"]
        assert pending >= 60  # they wait on the stream's disk, not here
        listener.takes.set()
        assert await numbers_of(listener, 99) == [f"evt_{number}" for number in range(1, 100)]


async def test_a_reader_that_takes_nothing_is_hung_up_on() -> None:
    is_closed = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"more"
        finally:
            is_closed.set()

    async def stalled(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    response = HangingUp(endless())
    response.stalled_seconds = 0.01
    await response.stream_response(stalled)
    assert is_closed.is_set()


async def test_a_quiet_line_is_told_to_be_alive(routing_line: Broker) -> None:
    reader = AlertReader(routing_line, "rep_1", datetime(1970, 1, 1, tzinfo=UTC), quiet_seconds=0.02)
    await reader.start()
    assert [await reader.next() for _ in range(3)] == [[], [], []]
    (name,) = await consumers(routing_line)
    await alert(routing_line, "rep_1", 1)
    assert [message.sequence for message in await reader.next()] == [1]
    assert await consumers(routing_line) == [name]
    await reader.stop()


async def test_an_alert_that_got_lost_on_the_way_is_read_again(routing_line: Broker) -> None:
    reader = AlertReader(routing_line, "rep_1", 0, quiet_seconds=0.02)
    await reader.start()
    assert await reader.next() == []
    await alert(routing_line, "rep_1", 1, 2)
    (name,) = await consumers(routing_line)
    strayed: asyncio.Queue[Raw] = asyncio.Queue()
    inbox, _ = await routing_line.listen(strayed.put_nowait)
    await routing_line.send(f"$JS.API.CONSUMER.MSG.NEXT.ALERTS.{name}", b'{"batch": 1}', reply=f"{inbox}.1")
    assert b"No. 1" in (await strayed.get()).body
    seen: list[int] = []
    while len(seen) < 2:
        seen += [message.sequence for message in await reader.next()]
    assert seen == [1, 2]
    await reader.stop()


async def test_who_leaves_leaves_nothing_behind(door: Door, routing_line: Broker) -> None:
    async with heard_by(door, rep_id="rep_1", since="all") as listener:
        await alert(routing_line, "rep_1", 1)
        await numbers_of(listener, 1)
        assert len(await consumers(routing_line)) == 1

    async def nobody_listens() -> bool:
        return await consumers(routing_line) == []

    await eventually(nobody_listens)


async def test_a_revoked_key_hears_no_more(door: Door, routing_line: Broker) -> None:
    key = await door.key("sales", rep_id="rep_1")
    async with heard_by(door, {"authorization": f"Bearer {key['api_key']}"}, since="all") as listener:
        await alert(routing_line, "rep_1", 1)
        assert await numbers_of(listener, 1) == ["evt_1"]
        await door.api("DELETE", f"/v1/keys/{key['key_id']}")
        await alert(routing_line, "rep_1", 2)
        await listener.over()
        assert b"evt_2" not in listener.body


async def test_without_nats_a_listener_is_told_to_come_again(door: Door, nats_server: NatsServer) -> None:
    nats_server.kill()
    answer = await door.api("GET", STREAM, params={"rep_id": "rep_1"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    nats_server.start()


async def test_a_quiet_line_is_no_event_to_any_client(routing_line: Broker) -> None:
    """httpx-sse makes an event of an empty line once it has seen an id; others by the letter of the specification do
    not. Both hear alerts alone.
    """
    reader = AlertReader(routing_line, "rep_1", 0, quiet_seconds=0.02)

    async def may_listen() -> bool:
        return True

    told = stream._events(reader, may_listen)
    said, quiet = [await anext(told)], 0
    await alert(routing_line, "rep_1", 1)
    while quiet < 3:
        said.append(await anext(told))
        quiet += said[-1].startswith(b":")
    await told.aclose()  # type: ignore[attr-defined]
    lines, decoder = SSELineDecoder(), SSEDecoder()
    heard = [decoder.decode(line) for part in said for line in lines.decode(part.decode())]
    assert [event.event for event in heard if event is not None] == ["listening", "alert"]
    assert said[-1] == b": still here\n"
