"""What a stream delivered, read from the wire."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from chassis.bus.protocol import Raw
from chassis.message import Received

_PIN = "Nats-Pin-Id"
_TRANSPORT_PREFIX = "Nats-"
_V1_TOKENS = 9  # $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>
_V2_DOMAIN_TOKENS = 2  # later servers put <domain>.<account hash> after $JS.ACK


class Delivery(NamedTuple):
    """One message and where its acknowledgement goes.

    `turn` counts the deliveries of a consumer without gaps (redeliveries too);
    `pending` is what the stream still holds for it.
    """

    message: Received
    reply: str
    turn: int
    pending: int
    pin: str | None


def read_delivery(wire: Raw) -> Delivery:
    """Raises ValueError when `wire` did not come from a stream."""
    tokens = wire.reply.split(".")
    if tokens[:2] != ["$JS", "ACK"] or len(tokens) < _V1_TOKENS:
        raise ValueError(f"not a delivery of a stream: {wire.reply!r}")
    first = 2 if len(tokens) == _V1_TOKENS else 2 + _V2_DOMAIN_TOKENS
    stream, _, delivered, sequence, turn, nanoseconds, pending = tokens[first : first + 7]
    headers, pin = _headers_and_pin(wire.block)
    stored_at = datetime.fromtimestamp(int(nanoseconds) / 1e9, UTC)
    message = Received(wire.subject, headers, wire.body, stream, int(sequence), int(delivered), stored_at)
    return Delivery(message, wire.reply, int(turn), int(pending), pin)


def _headers_and_pin(block: bytes) -> tuple[dict[str, str], str | None]:
    """`own_headers(read_headers(block))`, and the pin, in one pass."""
    headers, pin = {}, None
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, separator, value = line.partition(":")
        if separator:
            name = name.strip()
            if not name.startswith(_TRANSPORT_PREFIX):
                headers[name] = value.strip()
            elif name == _PIN:
                pin = value.strip()
    return headers, pin


def own_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that belong to the message.

    The server stores those of the atomic batch it came in with it and adds the reader's pin: sent on with a copy, they
    would make the copy a part of a batch that is long closed.
    """
    return {name: value for name, value in headers.items() if not name.startswith(_TRANSPORT_PREFIX)}
