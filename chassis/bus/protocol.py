"""What the server sends, read a run of messages at a time.

nats-py's own parser tries up to seven regular expressions a line, makes a message object of each message, puts it into
a queue and lets a task of its own call a coroutine with it: some 25 microseconds before anybody looks at the message.
Here whoever listens directly is called with what stood on the wire, at once. All else that the server says (INFO, PING,
PONG, +OK, -ERR) is left to nats-py's parser, a line at a time.

Source of the protocol: https://docs.nats.io/reference/reference-protocols/nats-protocol
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from nats.errors import ProtocolError
from nats.protocol.parser import Parser

_END: Final = b"\r\n"
_KINDS: Final = {b"MSG": 0, b"HMSG": 1}
"""How many sizes stand before the total."""
_FEWEST_WORDS: Final = 4  # MSG <subject> <sid> <size>; a reply subject may stand before the sizes
_STATUS_AT: Final = len("NATS/1.0 ")
_STATUS_LENGTH: Final = 3


class Raw(NamedTuple):
    """A message as it came: `block` are its headers with the line before them, empty when it has none."""

    subject: str
    reply: str
    block: bytes
    body: bytes

    @property
    def status(self) -> str:
        """What the server says instead of a message, such as "409 Consumer Deleted"; empty when this is a message."""
        line = self.block[_STATUS_AT - 1 :].partition(_END)[0].decode("utf-8", "replace")
        return line.strip() if line.startswith(" ") and line[1 : 1 + _STATUS_LENGTH].isdigit() else ""


Take = Callable[[Raw], None]
"""Called for each message, while the connection is being read: it must be quick, and may not wait."""


class MessageParser(Parser):
    """As nats-py's: `parse` is given what was read, however it was cut.

    Raises ProtocolError; then the client connects anew.

    `direct` are those who listen directly, by the number of their subscription.
    """

    _resets = 0

    def __init__(self, client: Any) -> None:
        self.direct: dict[int, Take] = {}
        super().__init__(client)

    def reset(self) -> None:
        """Nothing of what was read so far counts any more."""
        super().reset()
        self._held: list[bytes] = []
        self._missing = 0  # so many bytes at least are needed before there is anything new to find
        self._resets += 1

    async def parse(self, data: bytes = b"") -> None:
        self._held.append(data)
        self._missing -= len(data)
        if self._missing > 0:
            return
        block = data if len(self._held) == 1 else b"".join(self._held)
        resets, at = self._resets, 0
        while (end := block.find(_END, at)) >= 0:
            words = block[at:end].split()
            if not words or words[0] not in _KINDS or not block.startswith(words[0], at):
                await self._parse_line(block[at : end + 2])
                after = end + 2
            else:
                sid, reply, head, total = _sizes(words)
                after = end + 4 + total
                if after > len(block):
                    self._missing = after - len(block)
                    break
                await self._deliver(
                    sid, words[1], reply, block[end + 2 : end + 2 + head], block[end + 2 + head : after - 2]
                )
            at = after
            if self._resets != resets:
                return  # this connection was given up meanwhile
        self._held = [block[at:]] if at < len(block) else []

    async def _parse_line(self, line: bytes) -> None:
        await super().parse(line)
        if self.buf:
            raise ProtocolError

    async def _deliver(self, sid: int, subject: bytes, reply: bytes, block: bytes, body: bytes) -> None:
        take = self.direct.get(sid)
        if take is None:
            await self.nc._process_msg(sid, subject, reply, body, block or None)
            return
        stats = self.nc.stats
        stats["in_msgs"] += 1
        stats["in_bytes"] += len(body)
        try:
            take(Raw(subject.decode(), reply.decode(), block, body))
        except Exception as error:  # as with any subscription of the client's: told, and the next message is read
            await self.nc._error_cb(error)


def _sizes(words: Sequence[bytes]) -> tuple[int, bytes, int, int]:
    """Of the line before a message: subscription, reply subject, bytes of headers, and bytes in all."""
    sizes = _KINDS[words[0]]
    more = len(words) - _FEWEST_WORDS - sizes
    try:
        if more not in (0, 1):
            raise ValueError
        sid, total = int(words[2]), int(words[-1])
        head = int(words[-2]) if sizes else 0
    except ValueError:
        raise ProtocolError("nats: malformed MSG") from None
    if not 0 <= head <= total:
        raise ProtocolError("nats: malformed MSG")
    return sid, words[3] if more else b"", head, total


def read_headers(block: bytes) -> dict[str, str]:
    """The headers of a message: `name: value` a line. A line without a colon (the protocol's version) is none."""
    headers = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, separator, value = line.partition(":")
        if separator:
            headers[name.strip()] = value.strip()
    return headers
