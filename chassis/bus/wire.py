"""The NATS client, with its slowest parts done faster."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport
from nats.errors import BadSubjectError, ConnectionClosedError, ConnectionDrainingError, OutboundBufferLimitError

from chassis.bus.protocol import MessageParser, Take, read_headers
from chassis.message import OutMessage

_TURNS: Final = 3
"""Of the loop, before what is sent is written to the socket: the acknowledgements of a batch and what the batch
brought about leave a few turns apart, and go in one write. On a busy loop turns are long, so what makes a write of
its own (_AT_ONCE_BYTES) waits for none.
"""
_AT_ONCE_BYTES: Final = 16_384


def credentials(url: str) -> dict[str, Any]:
    """User and password of `url`, as options of `Client.connect`.

    nats-py shows those of an address to that server alone, and after a failure goes on to others of the cluster, which
    it was told of without any.
    """
    parts = urlsplit(url)
    return {"user": parts.username, "password": parts.password} if parts.username and parts.password else {}


def frame(message: OutMessage, reply: str = "", more: str = "") -> bytes:
    """`message` as it is published; `more` are further header lines, each with its end.

    Its headers were checked. Raises BadSubjectError.
    """
    subject, headers, body = message
    if len(subject.split()) != 1:
        raise BadSubjectError
    to = f"{subject} {reply} "
    if not headers and not more:
        return b"PUB %b%d\r\n%b\r\n" % (to.encode(), len(body), body)
    lines = "".join([f"{name}: {value.strip()}\r\n" for name, value in headers.items()])
    block = f"NATS/1.0\r\n{lines}{more}\r\n".encode()
    return b"HPUB %b%d %d\r\n%b%b\r\n" % (to.encode(), len(block), len(block) + len(body), block, body)


def signals(subjects: Iterable[str], word: bytes) -> list[bytes]:
    """The frames that say `word` to each of `subjects`, which the server gave: there is nothing to check."""
    return [b"PUB %b  %d\r\n%b\r\n" % (subject.encode(), len(word), word) for subject in subjects]


class QuickClient(Client):
    """nats-py, but for how messages are read (`chassis.bus.protocol`) and how what is published together is written.

    What it is asked for beside that (connecting, TLS, reconnecting, pings, draining) is the client's own.
    """

    def __init__(self) -> None:
        super().__init__()
        self._ps: MessageParser = MessageParser(self)
        self._flushing: asyncio.Handle | None = None

    async def hear(self, subject: str, take: Take) -> Subscription:
        """Call `take` with each message as it is read: no queue, no task.

        Nobody may publish to `subject` before this returns: an inbox.
        """
        subscription = await self.subscribe(subject, cb=_unheard)
        self._ps.direct[subscription._id] = take
        return subscription

    async def send(self, frames: Sequence[bytes]) -> None:
        """Publish what `frame` made, in one piece: nothing comes in between, and a lost connection cuts it off at one
        point.

        As the client's own `publish`, which costs several times as much for each message, it raises
        an error of nats.errors, waits for the socket when more than `pending_size` is buffered, and
        keeps what is not sent yet over a reconnect.
        """
        await self._send_command(self._block_of(frames))
        if self._pending_data_size >= _AT_ONCE_BYTES:
            self._flush_after(0)
        elif self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_soon(self._flush_after, _TURNS)

    def write(self, frames: Sequence[bytes]) -> None:
        """As `send`, but on its way before this returns: on a busy loop each turn that it waits is one in which the
        server has nothing to do.

        It never waits for the socket: whoever calls this bounds what is under way.
        """
        block = self._block_of(frames)
        self._pending.append(block)
        self._pending_data_size += len(block)
        if not self.is_connected or not isinstance(self._transport, TcpTransport):
            self._flush_after(0)
            return
        try:
            self._transport.writelines(self._pending)  # type: ignore[no-untyped-call]
        except (OSError, RuntimeError):
            self._flush_after(0)  # the flusher meets the same error, and knows what to do
        else:
            self._pending, self._pending_data_size = [], 0

    def _block_of(self, frames: Sequence[bytes]) -> bytes:
        """`frames` in one piece, counted as sent. Raises when they may not be."""
        if self.is_closed:
            raise ConnectionClosedError
        if self.is_draining_pubs:
            raise ConnectionDrainingError
        block = b"".join(frames)
        if not self.is_connected and self._pending_data_size + len(block) > self._max_pending_size:
            raise OutboundBufferLimitError
        self.stats["out_msgs"] += len(frames)
        self.stats["out_bytes"] += len(block)
        return block

    def _flush_after(self, turns: int) -> None:
        if turns:
            self._flushing = asyncio.get_running_loop().call_soon(self._flush_after, turns - 1)
            return
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        if self._flush_queue is not None and self._flush_queue.empty():  # otherwise its flusher has been told
            self._flush_queue.put_nowait(asyncio.Future())

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        if not self.is_connected:
            # what was kept for another connection; the client would write it to
            # the socket that is lost, and stop half way
            self._pending, self._pending_data_size = [], 0
        await super()._close(status, do_cbs)

    def _remove_sub(self, sid: int, max_msgs: int = 0) -> None:
        super()._remove_sub(sid, max_msgs)
        self._ps.direct.pop(sid, None)

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        # its own looks at every character of every name; should a later version not
        # call this any more, only the speed is lost
        return read_headers(raw)


async def _unheard(message: Msg) -> None:
    raise RuntimeError(f"{message.subject}: it came before anybody heard")
