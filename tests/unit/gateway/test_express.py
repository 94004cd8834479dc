"""The express lane: what it answers is what the long way answers, and whatever a connection may do, nothing is
acknowledged that is not stored.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from chassis.bus.errors import BrokerUnavailable
from chassis.bus.inspection import messages
from contracts.values import InteractionKind
from gateway.capture import ENDPOINTS
from tests.support.eventually import eventually
from tests.support.nats import NatsServer
from tests.unit.gateway.recordings import NOW, Recorded, sdk_requests
from tests.unit.gateway.running import WRITE_KEY, Door, gateway_settings, open_door
from tests.unit.gateway.served import BODY, Held, Line, Said, Served, answered, post, served
from tests.unit.gateway.test_capture_door import WRONG

TRACK = ("POST", "/v1/track", "200")
SUCCESS = b'{"success":true}'


@asynccontextmanager
async def a_door(nats_server: NatsServer, folder: Path, **others: Any) -> AsyncIterator[Door]:
    others = {"sample_ratio": 0.0, "rejects_kept": 1000} | others
    async with open_door(gateway_settings(nats_server.url, folder / "gateway.db", **others)) as opened:
        for key in ("test_write_key_node", "test_write_key_py"):
            made = await opened.api("POST", "/v1/sources", json={"name": key, "kind": "server", "write_key": key})
            assert made.status_code == 201
        yield opened


@pytest_asyncio.fixture
async def one_door(nats_server: NatsServer, tmp_path: Path) -> AsyncIterator[Door]:
    async with a_door(nats_server, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture
async def express(one_door: Door) -> AsyncIterator[Served]:
    async with served(one_door) as server:
        yield server


@pytest_asyncio.fixture
async def long_way(one_door: Door) -> AsyncIterator[Served]:
    async with served(one_door, express=False) as server:
        yield server


@pytest.fixture
def held(one_door: Door) -> Held:
    service, held = one_door.runtime.service.capture, Held()
    service.publisher = held
    return held


def fixed_clock() -> datetime:
    return NOW


def on_the_wire(request: Recorded) -> bytes:
    headers = [
        f"{name}: {value}"
        for name, value in request.headers.items()
        if name not in ("host", "connection", "content-length")
    ]
    if request.method == "POST":
        return post(request.path, request.body, *headers)
    return (
        "\r\n".join([f"{request.method} {request.path} HTTP/1.1", "Host: gateway.test", *headers, "", ""]).encode()
        + request.body
    )


def wire_of_wrong() -> list[bytes]:
    """What is refused, each for another reason, and what is taken in part."""
    key = f"Authorization: Bearer {WRITE_KEY}"
    refused = [
        post(path, body, key, *(f"{name}: {value}" for name, value in headers.items()))
        for path, body, headers, _, _ in WRONG
    ]
    some = orjson.dumps({"batch": [orjson.loads(BODY), {"type": "track", "userId": "u"}, "x"]})
    unknown, with_nul = (
        post("/v1/track", BODY.replace(WRITE_KEY.encode(), b"nobody")),
        post("/v1/track?writeKey=%00", BODY),
    )
    return [*refused, post("/v1/batch", some, key), unknown, with_nul]


_OWN_ADDRESS = re.compile(rb"127\.0\.0\.1:\d+")


def comparable(said: Said) -> tuple[int, dict[str, str], Any]:
    """An answer without what no two answers share."""
    headers = {name: value for name, value in said.headers.items() if name not in ("date", "ratelimit", "x-request-id")}
    assert len(said.headers["x-request-id"]) == 32
    assert "date" in said.headers
    body = orjson.loads(_OWN_ADDRESS.sub(b"127.0.0.1", said.body)) if said.body else None
    if isinstance(body, dict) and body.pop("trace_id", None) is not None:
        headers.pop("content-length")
    return said.status, headers, body


async def told_by(
    door: Door, server: Served, requests: list[bytes]
) -> tuple[list[Any], Counter[tuple[str, str, str]], list[tuple[Any, ...]]]:
    """Answers, what metrics counted, and what was put on the stream."""
    before, kept = Counter(answered(door)), len(await door.captured())
    async with server.line() as line:
        said = []
        for request in requests:
            said.append(comparable(await line.ask(request)))
            if line.reader.at_eof():
                break
    await eventually(lambda: (Counter(answered(door)) - before).total() == len(requests))
    found = [message async for message in messages(door.runtime.broker, "CAPTURE")]
    return said, Counter(answered(door)) - before, [(one.subject, one.headers, one.body) for one in found[kept:]]


async def test_recorded_requests_are_answered_and_stored_as_by_the_long_way(
    one_door: Door, express: Served, long_way: Served
) -> None:
    one_door.runtime.service.capture.clock = fixed_clock
    requests = [on_the_wire(request) for request in sdk_requests()]
    quick, slow = await told_by(one_door, express, requests), await told_by(one_door, long_way, requests)

    assert quick == slow
    assert len(quick[2]) == 62
    assert not [way for way in express.ways if way.startswith("POST")], "the express lane was not taken"


async def test_what_is_refused_is_refused_in_the_same_words_and_noted_once(
    one_door: Door, express: Served, long_way: Served
) -> None:
    one_door.runtime.service.capture.clock = fixed_clock
    noted: list[Any] = []

    class Noting:
        def note(self, source: Any, at: datetime, rejects: Any) -> None:
            noted.append((source, at, tuple(rejects)))

    one_door.runtime.service.capture.rejects = Noting()
    told: list[list[Any]] = [[], []]
    for server, of_one in zip((express, long_way), told, strict=True):
        for request in wire_of_wrong():
            of_one.append((comparable(await server.ask(request)), tuple(noted)))
            noted.clear()
    assert told[0] == told[1]
    assert sum(len(rejects) for _, rejects in told[0]) >= 12
    counted = answered(one_door)
    assert all(count % 2 == 0 for (_, route, _), count in counted.items() if route in ("/v1/track", "/v1/batch")), (
        counted
    )


async def test_every_way_to_say_who_sends_works_here_too(express: Served) -> None:
    keyless = BODY.replace(b',"writeKey":"%b"' % WRITE_KEY.encode(), b"")
    for request in (
        post("/v1/track", BODY),
        post("/v1/t", keyless, f"Authorization: Bearer {WRITE_KEY}"),
        post(f"/v1/track?writeKey={WRITE_KEY}", keyless),
        post("/capture/v1/track", BODY),
    ):
        assert (await express.ask(request)).body == SUCCESS
    assert not express.ways
    assert (await express.ask(post("/other/v1/track", BODY))).status == 404


async def test_every_capture_path_is_on_the_express_lane(express: Served) -> None:
    event = orjson.dumps(orjson.loads(BODY) | {"groupId": "g", "previousId": "p"})
    async with express.line() as line:
        for path, kind in ENDPOINTS.items():
            body = event if isinstance(kind, InteractionKind) else b'{"batch":[],"writeKey":"%b"}' % WRITE_KEY.encode()
            assert (await line.ask(post(path, body))).status == 200
    assert not express.ways


async def test_nothing_is_acknowledged_before_it_is_stored(express: Served, held: Held) -> None:
    async with express.line() as line:
        line.write(post("/v1/track", BODY))
        await eventually(lambda: held.waiting)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await line.reader.read(1)
        held.finish()
        assert (await line.said()).body == SUCCESS


async def test_a_broker_that_fails_is_told_and_the_request_is_not_stored_again(
    one_door: Door, express: Served, held: Held
) -> None:
    async with express.line() as line:
        line.write(post("/v1/track", BODY))
        await eventually(lambda: held.waiting)
        held.finish(BrokerUnavailable("away"))
        said = await line.said()
        assert (said.status, said.headers["access-control-allow-origin"], "retry-after" in said.headers) == (
            503,
            "*",
            True,
        )
        assert orjson.loads(said.body)["trace_id"]
        line.write(post("/v1/track", BODY))  # the connection goes on
        await eventually(lambda: held.waiting)
        held.finish()
        assert (await line.said()).status == 200
    assert len(held.stored) == 1
    assert answered(one_door)["POST", "/v1/track", "503"] == 1


async def test_a_mistake_of_ours_is_a_500_and_no_silence(one_door: Door, express: Served) -> None:
    one_door.runtime.service.capture.publisher = None  # type: ignore[assignment]  # nothing to put into
    async with express.line() as line:
        assert [(await line.ask(post("/v1/track", BODY))).status for _ in range(2)] == [500, 500]
    assert answered(one_door)["POST", "/v1/track", "500"] == 2


async def test_pipelined_requests_are_answered_in_their_order(express: Served, held: Held) -> None:
    """The first waits for the disk; what came behind it waits for the first, whichever way it goes."""
    async with express.line() as line:
        line.write(
            post("/v1/track", BODY)
            + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
            + post("/v1/track", BODY.replace(b"m1", b"m2"))
        )
        await eventually(lambda: held.waiting)
        await asyncio.sleep(0.1)
        assert len(held.waiting) == 1
        held.finish()
        assert [(await line.said()).body, (await line.said()).status] == [SUCCESS, 200]
        await eventually(lambda: held.waiting)
        held.finish()
        assert (await line.said()).body == SUCCESS
        line.write(post("/v1/track", BODY.replace(b"m1", b"m3")))
        await eventually(lambda: held.waiting)
        held.finish()
        assert (await line.said()).body == SUCCESS
    assert [orjson.loads(body)["interaction"]["message_id"] for body in held.stored] == ["m1", "m2", "m3"]
    assert express.ways == {"GET /healthz": 1, "POST /v1/track": 1}


async def test_a_body_may_come_in_pieces(one_door: Door, express: Served) -> None:
    async with express.line() as line:
        for byte in post("/v1/track", BODY):
            line.write(bytes((byte,)))
            await asyncio.sleep(0)
            await line.writer.drain()
        assert (await line.said()).body == SUCCESS
    assert [event.interaction.message_id for event in await one_door.captured()] == ["m1"]


async def test_who_asks_to_close_is_answered_and_hung_up_on(express: Served) -> None:
    async with express.line() as line:
        said = await line.ask(post("/v1/track", BODY, "Connection: close"))
        assert (said.body, said.headers["connection"]) == (SUCCESS, "close")
        assert await line.is_closed()
    assert not express.ways


CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize(
    "request_",
    [
        post("/v1/track", BODY, version="1.0"),
        post("/v1/track", CHUNKED, "Transfer-Encoding: chunked"),
        post("/v1/track", CHUNKED, "Transfer-Encoding: gzip, chunked"),
        post("/v1/%74rack", BODY),
        post("/v1/track?a=b#c", BODY),
    ],
    ids=["http-1.0", "chunked", "chunked-gzip", "escaped-path", "fragment"],
)
async def test_what_is_not_plain_goes_the_long_way(express: Served, long_way: Served, request_: bytes) -> None:
    assert comparable(await express.ask(request_)) == comparable(await long_way.ask(request_))
    assert express.ways.total() == 1


async def test_who_waits_to_be_asked_for_the_body_is_asked(express: Served) -> None:
    async with express.line() as line:
        head, _, body = post("/v1/track", BODY, "Expect: 100-continue").partition(b"\r\n\r\n")
        assert (await line.ask(head + b"\r\n\r\n")).status == 100
        assert (await line.ask(body)).body == SUCCESS


async def test_the_browser_s_address_is_the_same_on_both_ways(
    one_door: Door, express: Served, long_way: Served
) -> None:
    for server in (express, long_way):
        for headers in (("User-Agent: Browser/1",), ("X-Forwarded-For: 203.0.113.9, 127.0.0.1",)):
            assert (await server.ask(post("/v1/track", BODY, *headers))).status == 200
    contexts = [event.interaction.context for event in await one_door.captured()]
    # what a stranger writes into the header counts where a proxy of ours is said to stand in front, and nowhere else
    assert contexts[:2] == contexts[2:] == [{"ip": "127.0.0.1", "userAgent": "Browser/1"}, {"ip": "127.0.0.1"}]


async def test_a_body_that_is_announced_as_too_long_is_not_waited_for(express: Served) -> None:
    assert (await express.ask(post("/v1/track", b"{", length=10**12))).status == 413
    assert (await express.ask(post("/v1/track", b"{", length=33_000))).status == 413


async def test_the_body_limit_of_the_settings_holds(nats_server: NatsServer, tmp_path: Path) -> None:
    async with a_door(nats_server, tmp_path, body_limit=1024) as door, served(door) as express:
        body = BODY[:-1] + b',"more":"%b"}' % (b"x" * 2_000)
        assert (await express.ask(post("/v1/track", body))).status == 413


async def test_who_hangs_up_in_the_middle_of_a_body_leaves_nothing_behind(one_door: Door, express: Served) -> None:
    async with express.line() as line:
        line.write(post("/v1/track", BODY[:20], length=len(BODY)))
        await line.writer.drain()
        await asyncio.sleep(0.1)
    await eventually(lambda: answered(one_door).get(("POST", "/v1/track", "0")) == 1)  # begun, and never answered
    await eventually(lambda: not express.server.server_state.connections and not express.server.server_state.tasks)
    assert await one_door.captured() == []


async def test_what_was_sent_whole_is_kept_though_nobody_listens_any_more(
    one_door: Door, express: Served, held: Held
) -> None:
    for outcome in (None, BrokerUnavailable("away")):
        async with express.line() as line:
            line.write(post("/v1/track", BODY))
            await eventually(lambda: held.waiting)
        await eventually(lambda: not express.server.server_state.connections)
        held.finish(outcome)
    await eventually(
        lambda: (answered(one_door).get(TRACK), answered(one_door).get(("POST", "/v1/track", "503"))) == (1, 1)
    )
    assert len(held.stored) == 1


async def test_garbage_behind_a_request_closes_the_connection(express: Served, held: Held) -> None:
    async with express.line() as line:
        line.write(post("/v1/track", BODY) + b"\x00garbage\r\n\r\n")
        await eventually(lambda: held.waiting)
        assert (await line.said()).status == 400
        assert await line.is_closed()
        held.finish()
    assert len(held.stored) == 1


async def stopping(server: Served) -> None:
    server.server.should_exit = True
    await eventually(lambda: not server.server.servers[0].is_serving())
    await asyncio.sleep(0.2)


async def said_and_closed(line: Line) -> Said:
    said = await line.said()
    assert await line.is_closed()
    return said


async def test_what_is_in_hand_when_the_server_stops_is_answered(express: Served, held: Held) -> None:
    async with express.line() as whole, express.line() as half, express.line() as idle:
        assert (await idle.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")).status == 200
        whole.write(post("/v1/track", BODY))
        half.write(post("/v1/track", BODY[:20], length=len(BODY)))
        await eventually(lambda: held.waiting)
        await asyncio.sleep(0.1)
        await stopping(express)
        assert await idle.is_closed()
        assert not express.task.done()
        held.finish()
        said = await said_and_closed(whole)
        assert (said.body, said.headers["connection"]) == (SUCCESS, "close")
        half.write(BODY[20:])
        await eventually(lambda: held.waiting)
        held.finish()
        said = await said_and_closed(half)
        assert (said.body, said.headers["connection"]) == (SUCCESS, "close")
        await express.task


async def test_half_a_body_does_not_outlive_the_server(express: Served, one_door: Door) -> None:
    async with express.line() as line:
        line.write(post("/v1/track", BODY[:20], length=len(BODY)))
        await line.writer.drain()
        await asyncio.sleep(0.1)
        await stopping(express)
        said = await said_and_closed(line)
        assert (said.status, said.headers["connection"]) == (500, "close")
        await express.task
    assert await one_door.captured() == []


async def test_who_wants_another_protocol_is_answered_in_this_one(express: Served, long_way: Served) -> None:
    request = post("/v1/track", BODY, "Connection: Upgrade", "Upgrade: h2c")
    assert comparable(await express.ask(request)) == comparable(await long_way.ask(request))


async def test_two_lengths_are_none(express: Served) -> None:
    async with express.line() as line:
        assert (
            await line.ask(post("/v1/track", CHUNKED, "Transfer-Encoding: chunked", f"Content-Length: {len(BODY)}"))
        ).status == 400
        assert await line.is_closed()


async def test_an_idle_connection_is_closed_after_a_while(one_door: Door) -> None:
    async with served(one_door) as express:
        express.server.config.timeout_keep_alive = 0
        async with express.line() as line:
            assert (await line.ask(post("/v1/track", BODY))).status == 200
            assert await line.is_closed()


async def test_a_trace_that_is_recorded_goes_along(nats_server: NatsServer, tmp_path: Path) -> None:
    async with a_door(nats_server, tmp_path, sample_ratio=1.0) as door, served(door) as express:
        assert (await express.ask(post("/v1/track", BODY))).status == 200
        assert express.ways == {"POST /v1/track": 1}
        (message,) = [message async for message in messages(door.runtime.broker, "CAPTURE")]
        assert "traceparent" in message.headers


async def test_of_many_traces_as_many_are_recorded_as_was_asked_for(nats_server: NatsServer, tmp_path: Path) -> None:
    async with a_door(nats_server, tmp_path, sample_ratio=0.5) as door, served(door) as express, express.line() as line:
        for _ in range(60):
            assert (await line.ask(post("/v1/track", BODY))).status == 200
        recorded = sum(
            "traceparent" in message.headers
            for message in [one async for one in messages(door.runtime.broker, "CAPTURE")]
        )
        assert recorded == express.ways["POST /v1/track"]  # not drawn twice
        assert 5 < recorded < 55
