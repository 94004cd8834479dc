"""Looking into a stream without consuming it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import datetime

from chassis.bus.broker import Broker
from chassis.bus.delivery import own_headers
from chassis.bus.errors import ApiRefused
from chassis.bus.protocol import read_headers
from chassis.message import Received

_NO_MESSAGE_FOUND = 10037


async def message_at(broker: Broker, stream: str, sequence: int) -> Received | None:
    """The message `sequence` of `stream`, or None when it is not there (any more)."""
    return await _get(broker, stream, {"seq": sequence})


async def messages(broker: Broker, stream: str, first: int = 1, subject: str = "") -> AsyncIterator[Received]:
    """What `stream` holds from sequence `first` on, up to now, probes left out; of `subject` (may hold wildcards)
    alone, if that is given. One question a message: for looking, not for bulk.
    """
    sequence, wanted = first, subject or f"{stream.lower()}.>"
    while (message := await _get(broker, stream, {"seq": sequence, "next_by_subj": wanted})) is not None:
        yield message
        sequence = message.sequence + 1


async def _get(broker: Broker, stream: str, which: dict[str, int | str]) -> Received | None:
    try:
        found = (await broker.request(f"STREAM.MSG.GET.{stream}", which))["message"]
    except ApiRefused as refusal:
        if refusal.code == _NO_MESSAGE_FOUND:
            return None
        raise
    return Received(
        subject=found["subject"],
        headers=own_headers(read_headers(b64decode(found.get("hdrs", "")))),
        body=b64decode(found.get("data", "")),
        stream=stream,
        sequence=found["seq"],
        delivered=0,
        timestamp=read_moment(found["time"]),
    )


def read_moment(moment: str) -> datetime:
    """RFC 3339 with up to nanoseconds, cut to what Python's datetime can hold."""
    whole, _, fraction = moment.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6].ljust(6, '0')}+00:00")
