"""However the bytes are cut, our reading of them is the client's own reading; and what is broken breaks the connection,
as it did.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.errors import ProtocolError
from nats.protocol.parser import Parser

from chassis.bus.delivery import own_headers, read_delivery
from chassis.bus.protocol import MessageParser, Raw, read_headers

ACK = "$JS.ACK.CAPTURE.scoring.2.41.7.1796000000123456789.5"
subjects = st.sampled_from(("capture.x.0", "_INBOX.abc.1", "größe.x", ACK))
names = st.sampled_from(("ce-id", "Nats-Pin-Id", "Nats-Batch-Id", "n"))
values = st.sampled_from(("a", " padded ", "a: b", "ü", "")) | st.text(max_size=5)
blocks = st.lists(st.tuples(names, values), max_size=4)
bodies = st.binary(max_size=40) | st.sampled_from((b"\r\n", b"MSG a 1 3\r\nabc\r\n", b"PING\r\n", b"x" * 9000))
LONG = b'INFO {"a":"' + b"b" * 5000 + b'"}\r\n'
control = st.sampled_from(
    (b"PING\r\n", b"PONG\r\n", b"+OK\r\n", b"-ERR 'Slow Consumer'\r\n", b'INFO {"a":1}\r\n', LONG)
)


@st.composite
def message(draw: st.DrawFn) -> bytes:
    """As the server writes it, for a subscription that is heard directly (1), one that is not (2), or one that is over
    (3).
    """
    subject, reply, body = draw(subjects), draw(st.just("") | subjects), draw(bodies)
    to = " ".join([subject, str(draw(st.integers(1, 3))), *filter(None, (reply,))]).encode()
    if draw(st.booleans()):
        return b"MSG %b %d\r\n%b\r\n" % (to, len(body), body)
    first = draw(st.sampled_from(("NATS/1.0", "NATS/1.0 404 No Messages", "NATS/1.0 503")))
    lines = [f"{name}: {value}".replace("\r", "").replace("\n", "") for name, value in draw(blocks)]
    block = "\r\n".join([first, *lines, "", ""]).encode()
    return b"HMSG %b %d %d\r\n%b%b\r\n" % (to, len(block), len(block) + len(body), block, body)


streams = st.lists(message() | control, max_size=12).map(b"".join)


class Hearing:
    """Stands for the client: writes down what a parser tells it, in order."""

    def __init__(self, *direct: int) -> None:
        self.heard: list[Any] = []
        self.stats = {"in_msgs": 0, "in_bytes": 0}
        self.errors: list[Exception] = []
        self.parser: Parser = Parser(self)
        if direct:
            self.parser = MessageParser(self)
            self.parser.direct = {sid: self._taker(sid) for sid in direct}

    def _taker(self, sid: int) -> Any:
        def take(raw: Raw) -> None:
            self.heard.append((sid, raw.subject.encode(), raw.reply.encode(), raw.body, raw.block))

        return take

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        self.heard.append((sid, bytes(subject), bytes(reply), data, headers or b""))

    async def _process_ping(self) -> None:
        self.heard.append("ping")

    async def _process_pong(self) -> None:
        self.heard.append("pong")

    async def _process_err(self, error: str) -> None:
        self.heard.append(error)

    async def _process_info(self, info: dict[str, Any]) -> None:
        self.heard.append(info)

    async def _error_cb(self, error: Exception) -> None:
        self.errors.append(error)


async def read(hearing: Hearing, stream: bytes, cuts: Sequence[int]) -> list[Any]:
    """What was heard; the last is the error when there was one."""
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    try:
        for begin, end in pairwise(edges):
            await hearing.parser.parse(stream[begin:end])
    except ProtocolError:
        hearing.heard.append("broken")
    return hearing.heard


@given(streams, st.lists(st.integers(0, 20_000), max_size=8))
async def test_however_it_is_cut_we_hear_what_the_client_hears(stream: bytes, cuts: Sequence[int]) -> None:
    plain = await read(Hearing(), stream, ())
    assert await read(Hearing(1), stream, cuts) == plain
    assert await read(Hearing(1, 2), stream, ()) == plain


async def test_byte_by_byte() -> None:
    stream = b"HMSG a 1 b 14 17\r\nNATS/1.0\r\n\r\n\r\nabc\r\nPING\r\nMSG a 2 0\r\n\r\nMSG a 1 2\r\n\r\n\r\n"
    heard = await read(Hearing(1), stream, range(len(stream)))
    assert heard == [
        (1, b"a", b"b", b"abc", b"NATS/1.0\r\n\r\n\r\n"),
        "ping",
        (2, b"a", b"", b"", b""),
        (1, b"a", b"", b"\r\n", b""),
    ]


BROKEN = (
    b"MSG a 1",
    b"MSG a x 1",
    b"HMSG a 1 5",
    b"MSG a 1 b c 5",
    b"HMSG a 1 b c 1 5",
    b"MSG a 1 -5",
    b"HMSG a 1 -3 5",
    b"what?",
    b" MSG a 1 1",
)


@pytest.mark.parametrize("line", [line + b"\r\n" for line in BROKEN])
async def test_a_broken_line_breaks_the_connection_after_what_came_before_it(line: bytes) -> None:
    before = b"MSG a 1 1\r\nx\r\n"
    expected = await read(Hearing(), before + line, ())
    assert expected[-1] == "broken"
    assert await read(Hearing(1), before + line, ()) == expected


@pytest.mark.parametrize("line", [b"HMSG a 1 9 5\r\n", b"y" * 5000 + b"\r\n"])
async def test_what_the_client_would_misread_or_wait_over_for_ever_breaks_it_too(line: bytes) -> None:
    assert await read(Hearing(1), line, ()) == ["broken"]


async def test_who_cannot_take_a_message_is_told_of_and_gets_the_next_one() -> None:
    hearing, taken = Hearing(1), list[Raw]()

    def take(raw: Raw) -> None:
        if not taken:
            taken.append(raw)
            raise ValueError("no")
        taken.append(raw)

    assert isinstance(hearing.parser, MessageParser)
    hearing.parser.direct = {1: take}
    await read(hearing, b"MSG a 1 1\r\nx\r\nMSG b 1 2\r\nyz\r\n", ())
    assert [raw.subject for raw in taken] == ["a", "b"]
    assert [str(error) for error in hearing.errors] == ["no"]
    assert hearing.stats == {"in_msgs": 2, "in_bytes": 3}


async def test_a_connection_that_is_given_up_while_it_is_read_leaves_nothing_behind() -> None:
    class GivenUp(Hearing):
        async def _process_ping(self) -> None:
            self.parser.reset()

    hearing = GivenUp(1)
    await hearing.parser.parse(b"PING\r\nMSG a 1 1\r\nx\r\nMSG b 1 9\r\nhal")
    await hearing.parser.parse(b"MSG c 1 1\r\nz\r\n")
    assert [heard[1] for heard in hearing.heard] == [b"c"]


@pytest.mark.parametrize(
    ("block", "status"),
    [
        (b"NATS/1.0 404 No Messages\r\n\r\n", "404 No Messages"),
        (b"NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 1\r\n\r\n", "408 Request Timeout"),
        (b"NATS/1.0 409 Consumer Deleted\r\n\r\n", "409 Consumer Deleted"),
        (b"NATS/1.0 423 Nats-Wrong-Pin-Id\r\n\r\n", "423 Nats-Wrong-Pin-Id"),
        (b"NATS/1.0 503\r\n\r\n", "503"),
        (b"NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 7\r\n\r\n", "100 Idle Heartbeat"),
        (b"NATS/1.0\r\na: b\r\n\r\n", ""),
        (b"NATS/1.0 x\r\n\r\n", ""),
        (b"", ""),
    ],
)
async def test_a_status_is_what_the_client_takes_for_one(block: bytes, status: str) -> None:
    headers = await Client()._process_headers(block) or {}
    told = [headers[name] for name in headers if str(name) in ("Status", "Description", "Header.DESCRIPTION")]
    assert Raw("a", "", block, b"").status == " ".join(told) == status


@given(blocks)
def test_a_delivery_has_its_own_headers_and_the_pin(lines: Sequence[tuple[str, str]]) -> None:
    block = "\r\n".join(
        ["NATS/1.0", *(f"{name}: {value}".replace("\r", "").replace("\n", "") for name, value in lines), "", ""]
    ).encode()
    delivery = read_delivery(Raw("capture.x.0", ACK, block, b"body"))
    whole = read_headers(block)
    assert delivery.message.headers == own_headers(whole)
    assert delivery.pin == whole.get("Nats-Pin-Id")
    assert (delivery.turn, delivery.pending, delivery.message.sequence, delivery.message.delivered) == (7, 5, 41, 2)
    assert abs(delivery.message.timestamp.timestamp() - 1796000000.123456) < 1e-5
    assert delivery.message.stream == "CAPTURE"


def test_a_delivery_may_name_its_domain_and_anything_else_is_none() -> None:
    later = "$JS.ACK.hub.ACCHASH.CAPTURE.scoring.2.41.7.1796000000123456789.5.token"
    assert read_delivery(Raw("a", later, b"", b"")).message == read_delivery(Raw("a", ACK, b"", b"")).message
    with pytest.raises(ValueError, match="not a delivery"):
        read_delivery(Raw("a", "_INBOX.1", b"", b""))
