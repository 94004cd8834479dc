"""What can go wrong on the bus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chassis.errors import BadInput, Unavailable


class BrokerUnavailable(Unavailable):
    """NATS did not confirm: it is away, it is not ready, or the answer got lost.

    Whether the messages were stored is not known.
    """

    slug = "broker-unavailable"


class BatchTorn(BrokerUnavailable):
    """The server gave an atomic batch up: a part of it got lost, or one of its messages was refused.

    Smaller batches tell which.
    """

    slug = "batch-torn"


class Overloaded(Unavailable):
    """More is waiting to be published than we are willing to hold."""

    slug = "overloaded"


class PublishRefused(Exception):
    """The message itself cannot be published (too large, a subject or header that is not one): trying again will not
    help.
    """


class Unpublishable(BadInput):
    """What was to be said cannot be published; nothing of the transaction is kept.

    Whoever asked for it learns it, a message goes to the dead.
    """

    slug = "unpublishable"

    def __init__(self, event_id: str, subject: str, reason: str) -> None:
        super().__init__(
            f"{event_id} cannot be said: {reason}",
            remedy=f"Nothing was changed. Ask for less that ends in one {subject}",
        )


class ApiRefused(Exception):
    """JetStream understood the request and said no. `code` is its `err_code`."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code
        self.description = description


class Unparseable(Exception):
    """A handler could not read some messages of its batch: `reasons` by stream sequence.

    They are dead at once; the rest is tried again.
    """

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__("; ".join(f"{sequence}: {reason}" for sequence, reason in reasons.items()))
        self.reasons = dict(reasons)


class LanesDiffer(Exception):
    """The service is run with another number of lanes by somebody else.

    It passes when that one has stopped and this one begins anew.
    """

    def __init__(self, own: int, running: int) -> None:
        super().__init__(
            f"the service is run with {running} lanes, this process with {own}: stop the other, or give both the same"
            " number"
        )
        self.running = running


# "{err}": no space left, maximum bytes or messages exceeded, ... and one that is the message's
_STORE_FAILED: Final = 10077
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
"""Incomplete, too large, or with the same message twice.

Of a message that the stream refuses inside a batch the server says only "incomplete", unless it is the last: smaller
batches, and in the end the message alone, tell which.
"""


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
