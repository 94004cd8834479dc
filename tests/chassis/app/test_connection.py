"""What strangers do with a connection: heads and requests without end, more connections than there is room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
import uvicorn
from starlette.types import Receive, Scope, Send

from chassis.web import connection
from chassis.web.connection import BoundedProtocol, end_silent
from contracts.limits import HEAD_BYTES, HEAD_LINES, SILENT_SECONDS, TARGET_CHARACTERS
from contracts.rates import BODY_BYTES_A_SECOND, BODY_FREE_SECONDS, BODY_SECONDS, HEAD_SECONDS
from tests.support.eventually import eventually

PLAIN = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the whole body, and says how long it was."""
    length, is_whole = 0, False
    while not is_whole:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, is_whole = length + len(message.get("body", b"")), not message.get("more_body", False)
    said = str(length).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
    await send({"type": "http.response.body", "body": said})


@dataclass
class Line:
    """One connection of a stranger's."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def status(self) -> int:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await self.reader.readexactly(length)
        return int(head.split(b" ", 2)[1])

    async def is_ended(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(), 10) == b""
        except ConnectionError:
            return True


@dataclass
class Door:
    """A server of `answer`."""

    server: uvicorn.Server
    port: int
    lines: list[Line] = field(default_factory=list)

    async def line(self) -> Line:
        line = Line(*await asyncio.open_connection("127.0.0.1", self.port))
        self.lines.append(line)
        return line

    async def status(self, request: bytes) -> int:
        line = await self.line()
        await line.say(request)
        return await line.status()

    async def began_earlier(self, seconds: float, *, body_bytes: int = 0) -> None:
        """Whatever is arriving has been at it for so long, and said something just now."""
        held = self.server.server_state.connections
        await eventually(lambda: any(isinstance(one, BoundedProtocol) and one._is_arriving for one in held))
        for one in held:
            assert isinstance(one, BoundedProtocol)
            one._began_at -= seconds
            one._body_bytes += body_bytes

    def sweep(self, seconds: float) -> int:
        """What a look around finds so many seconds from now."""
        return end_silent(self.server.server_state.connections, asyncio.get_running_loop().time() + seconds)


@asynccontextmanager
async def opened() -> AsyncIterator[Door]:
    config = uvicorn.Config(
        answer, host="127.0.0.1", port=0, http=BoundedProtocol, lifespan="off", log_config=None, access_log=False
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    door = Door(server, server.servers[0].sockets[0].getsockname()[1])
    yield door
    for line in door.lines:
        line.writer.close()
        with suppress(ConnectionError):
            await line.writer.wait_closed()
    await server.shutdown()


@pytest_asyncio.fixture
async def door() -> AsyncIterator[Door]:
    async with opened() as one:
        yield one


def padded(value: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: here\r\nX-Padding: " + value + b"\r\n\r\n"


@pytest.mark.parametrize(
    "request_head",
    [
        padded(b"a" * (HEAD_BYTES + 1)),
        b"GET / HTTP/1.1\r\nHost: here\r\n" + b"A: b\r\n" * HEAD_LINES + b"\r\n",
        b"GET /" + b"a" * TARGET_CHARACTERS + b" HTTP/1.1\r\nHost: here\r\n\r\n",
    ],
    ids=["one long line", "many lines", "a long address"],
)
async def test_a_head_that_is_too_large_is_refused_though_it_came_whole(door: Door, request_head: bytes) -> None:
    assert await door.status(request_head) == 400


async def test_what_a_browser_sends_at_its_most_is_taken(door: Door) -> None:
    assert await door.status(padded(b"a" * (HEAD_BYTES // 2))) == 200
    body = b"x" * (4 * HEAD_BYTES)
    assert await door.status(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % len(body) + body) == 200


async def test_a_head_without_end_is_read_no_further_than_its_bound(door: Door) -> None:
    line, sent = await door.line(), 0
    await line.say(b"GET / HTTP/1.1\r\nHost: here\r\nX-Padding: ")
    with suppress(ConnectionError):
        while sent < 1_000 * HEAD_BYTES:
            await line.say(b"a" * HEAD_BYTES)
            await asyncio.sleep(0.001)
            sent += HEAD_BYTES
    assert sent < 100 * HEAD_BYTES  # what lay in the sockets' own buffers
    assert await door.status(PLAIN) == 200


async def test_one_that_speaks_no_more_is_let_go_and_whoever_is_answered_is_not(door: Door) -> None:
    silent, half_a_head, half_a_body, kept = [await door.line() for _ in range(4)]
    await half_a_head.say(b"POST / HTTP/1.1\r\nHo")
    await half_a_body.say(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 9\r\n\r\nhalf")
    await kept.say(PLAIN)
    assert await kept.status() == 200
    assert door.sweep(SILENT_SECONDS - 5) == 0
    assert door.sweep(SILENT_SECONDS + 1) == 3
    assert [await one.status() for one in (half_a_head, half_a_body)] == [408] * 2
    assert [await one.is_ended() for one in (silent, half_a_head, half_a_body)] == [True] * 3
    await kept.say(PLAIN)
    assert await kept.status() == 200


async def test_a_head_that_drips_is_told_so_and_let_go(door: Door) -> None:
    line = await door.line()
    await line.say(b"POST / HTTP/1.1\r\nX-Slow: a")
    await door.began_earlier(HEAD_SECONDS - 5)
    assert door.sweep(0) == 0
    await door.began_earlier(6)
    assert door.sweep(0) == 1
    assert await line.status() == 408
    assert await line.is_ended()


@pytest.mark.parametrize(("seconds", "sent", "ended"), [
    (BODY_FREE_SECONDS - 5, 1, 0),
    (BODY_FREE_SECONDS + 5, 1, 1),  # an endless chunked body, a byte now and then
    (BODY_FREE_SECONDS + 100, 110 * BODY_BYTES_A_SECOND, 0),  # slow, and honest
    (BODY_SECONDS + 1, 10**9, 1),
])  # fmt: skip
async def test_a_body_has_its_time_and_then_its_pace(door: Door, seconds: float, sent: int, ended: int) -> None:
    line = await door.line()
    await line.say(b"POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
    await door.began_earlier(seconds, body_bytes=sent)
    assert door.sweep(0) == ended
    if ended:
        assert await line.status() == 408
        assert await line.is_ended()
    else:
        await line.say(b"0\r\n\r\n")
        assert await line.status() == 200


async def test_whoever_does_not_take_the_answer_is_hung_up_on(door: Door) -> None:
    line = await door.line()
    await line.say(PLAIN)
    assert await line.status() == 200
    (held,) = door.server.server_state.connections
    assert isinstance(held, BoundedProtocol)
    held.transport.write(b"x" * 30_000_000)  # more than all buffers between here and there
    assert door.sweep(0) == 0
    assert door.sweep(SILENT_SECONDS + 1) == 1
    await eventually(lambda: not door.server.server_state.connections)


async def test_beyond_the_ceiling_the_idlest_gives_way_to_the_newest(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ceiling", lambda: 3)
    half, idle, busy = [await door.line() for _ in range(3)]
    await half.say(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\nab")
    for one in (idle, busy):
        await one.say(PLAIN)
        assert await one.status() == 200
    newest = await door.line()
    await newest.say(PLAIN)
    assert await newest.status() == 200
    assert await idle.is_ended()
    await half.say(b"cd")
    assert await half.status() == 200  # who was sending was not cut off
