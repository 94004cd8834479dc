"""What we write ourselves is what the client would have written, byte for byte, and within its limits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import (
    BadHeaderError,
    BadSubjectError,
    ConnectionClosedError,
    ConnectionDrainingError,
    OutboundBufferLimitError,
)

from chassis.bus.batches import check_publishable
from chassis.bus.errors import PublishRefused
from chassis.bus.wire import QuickClient, frame
from chassis.message import OutMessage
from tests.support.nats import NatsServer

subjects = st.sampled_from(("capture.x.0", "$JS.API.INFO", "größe.x"))
replies = st.sampled_from(("", "_INBOX.abc.1"))
values = st.sampled_from((" padded ", "")) | st.text(max_size=12)
headers = st.dictionaries(st.sampled_from(("ce-id", "ce-time", "n")) | st.text(max_size=5), values, max_size=4)


class Recording(Client):
    """The client as it comes, whose commands are kept instead of sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""

    async def _send_command(self, cmd: bytes, priority: bool = False) -> None:
        self.sent += cmd


class Standing(QuickClient):
    """A client in the state that a test gives it; what it sends is kept."""

    def __init__(self, status: int, buffered: int = 0) -> None:
        super().__init__()
        self._status = status
        self._pending_data_size = buffered
        self._max_pending_size = 1000
        self.sent: list[bytes] = []

    async def _send_command(self, cmd: bytes, priority: bool = False) -> None:
        self.sent.append(cmd)


@given(subjects, replies, headers, st.binary(max_size=30))
async def test_a_frame_is_what_the_client_would_send(
    subject: str, reply: str, named: Mapping[str, str], body: bytes
) -> None:
    message = OutMessage(subject, named, body)
    try:
        check_publishable(message, 1_000_000)
    except PublishRefused:
        return
    client = Recording()
    try:
        await client._send_publish(subject, reply, body, len(body), dict(named) or None)
    except BadHeaderError:
        return  # the client knows fewer names than the server
    assert frame(message, reply) == client.sent


def test_further_headers_stand_behind_its_own() -> None:
    written = frame(OutMessage("capture.x.0", {"ce-id": "a"}, b"body"), more="Nats-Batch-Id: b\r\n")
    assert written == b"HPUB capture.x.0  40 44\r\nNATS/1.0\r\nce-id: a\r\nNats-Batch-Id: b\r\n\r\nbody\r\n"
    assert frame(OutMessage("x", {}, b""), more="a: b\r\n") == b"HPUB x  18 18\r\nNATS/1.0\r\na: b\r\n\r\n\r\n"


@pytest.mark.parametrize("subject", ["", " ", "a b", "a\r\nPUB b 0", "a\tb"])
def test_what_is_no_subject_is_not_written(subject: str) -> None:
    with pytest.raises(BadSubjectError):
        frame(OutMessage(subject, {}, b""))


async def test_what_is_sent_together_is_one_piece_and_counted() -> None:
    client = Standing(Client.CONNECTED)
    await client.send([b"one", b"two"])
    assert client.sent == [b"onetwo"]
    assert (client.stats["out_msgs"], client.stats["out_bytes"]) == (2, 6)


async def test_while_it_reconnects_it_holds_what_fits_and_refuses_the_rest() -> None:
    client = Standing(Client.RECONNECTING, buffered=990)
    await client.send([b"x" * 10])
    with pytest.raises(OutboundBufferLimitError):
        await client.send([b"x" * 11])
    assert client.sent == [b"x" * 10]


async def test_what_waits_for_no_turn_keeps_to_the_same_bounds() -> None:
    client = Standing(Client.RECONNECTING, buffered=990)
    client.write([b"x" * 4, b"y" * 6])
    with pytest.raises(OutboundBufferLimitError):
        client.write([b"x"])
    assert client._pending == [b"x" * 4 + b"y" * 6]  # for the next connection


async def test_what_waits_for_no_turn_is_written_at_once_behind_what_was_sent_before(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = QuickClient()
    await client.connect(nats_server.url)
    try:
        transport, written = client._transport, list[bytes]()
        assert transport is not None
        monkeypatch.setattr(transport, "writelines", written.extend)
        await client.send([b"sent"])
        client.write([b"written"])
        assert b"".join(written) == b"sentwritten"
        assert (client._pending, client._pending_data_size) == ([], 0)
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("status", "error"), [(Client.CLOSED, ConnectionClosedError), (Client.DRAINING_PUBS, ConnectionDrainingError)]
)
async def test_a_client_that_is_done_sends_nothing(status: int, error: type[Exception]) -> None:
    client = Standing(status)
    with pytest.raises(error):
        await client.send([b"x"])
    with pytest.raises(error):
        client.write([b"x"])
    assert (client.sent, client._pending) == ([], [])


async def test_what_is_said_a_few_turns_apart_is_one_write(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, heard, writes = QuickClient(), asyncio.Queue[bytes](), []

    async def hear(message: Msg) -> None:
        heard.put_nowait(message.data)

    await client.connect(nats_server.url)
    try:
        await client.subscribe("told", cb=hear)
        await client.flush()
        transport = client._transport
        assert transport is not None
        write = transport.writelines

        def counted(payload: list[bytes]) -> None:
            writes.append(len(payload))
            write(payload)

        monkeypatch.setattr(transport, "writelines", counted)
        for word in (b"applied", b"and what it brought about"):
            await client.send([frame(OutMessage("told", {}, word))])
            await asyncio.sleep(0)
        assert not writes
        assert [await asyncio.wait_for(heard.get(), 30) for _ in range(2)] == [b"applied", b"and what it brought about"]
        assert writes == [2]
    finally:
        await client.close()


async def test_what_is_kept_for_a_connection_that_never_comes_stops_no_end(nats_server: NatsServer) -> None:
    client, is_lost, is_closed = QuickClient(), asyncio.Event(), asyncio.Event()

    async def lost() -> None:
        is_lost.set()

    async def closed() -> None:
        is_closed.set()

    async def failed(error: Exception) -> None:
        """The server is away, which is known."""

    await client.connect(
        nats_server.url, max_reconnect_attempts=-1, disconnected_cb=lost, closed_cb=closed, error_cb=failed
    )
    nats_server.kill()
    await asyncio.wait_for(is_lost.wait(), 30)
    await client.send([frame(OutMessage("told", {}, b"too late"))])
    await client.close()
    assert is_closed.is_set()  # it came to the end of it
