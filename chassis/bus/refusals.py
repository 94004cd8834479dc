"""What a refusal of JetStream is about: the message itself, its batch, or the moment. Pure.

The codes are those of nats-server 2.15 (`server/errors.json`). Only what is known to be the message's own fault is told as such: in doubt it is
the moment's, because waiting keeps the order and shows in readiness, while a message set aside by mistake comes late.
"""

from __future__ import annotations

from typing import Final

from chassis.bus.errors import ApiRefused, BatchTorn, BrokerUnavailable, PublishRefused

_STORE_FAILED: Final = 10077  # "{err}": no space left, maximum bytes or messages exceeded, ... and one that is the message's
_TOO_LARGE_FOR_THE_STORE: Final = "message too large"

_OF_THE_MESSAGE: Final = frozenset(
    {
        10054,  # larger than the stream's max_msg_size, or than the server's max_payload
        *(10060, 10070, 10071, 10164, 10193),  # its headers expect another stream, or another last message
        *(10165, 10166),  # a time to live that is none, or that the stream does not offer
        *(10168, 10169, 10170, 10171, 10172),  # counters
        10177,  # a header that may not stand in an atomic batch
        *(10188, 10189, 10190, 10191, 10192, 10203, 10212, 10223),  # schedules
        10227,  # a header that only the server may set
    }
)
_OF_THE_BATCH: Final = frozenset({10176, 10199, 10201})
"""Incomplete, too large, or with the same message twice. Of a message that the stream refuses inside a batch the server says only "incomplete",
unless it is the last: smaller batches, and in the end the message alone, tell which."""


def is_of_the_message(code: int, description: str) -> bool:
    """Whether the same message would be refused again and again, whatever becomes of the server."""
    return code in _OF_THE_MESSAGE or (code == _STORE_FAILED and _TOO_LARGE_FOR_THE_STORE in description)


def told(stream: str, refusal: ApiRefused) -> BrokerUnavailable | PublishRefused:
    """The refusal of a publish to `stream` as those who publish know it."""
    if is_of_the_message(refusal.code, refusal.description):
        return PublishRefused(f"{stream}: {refusal}")
    if refusal.code in _OF_THE_BATCH:
        return BatchTorn(f"{stream}: {refusal}")
    return BrokerUnavailable(f"{stream}: {refusal}")
