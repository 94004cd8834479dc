"""What can go wrong on the bus."""

from __future__ import annotations

from collections.abc import Mapping

from chassis.errors.tree import BadInput, Unavailable


class BrokerUnavailable(Unavailable):
    """NATS did not confirm: it is away, it is not ready, or the answer got lost. Whether the messages were stored is not known."""


class BatchTorn(BrokerUnavailable):
    """The server gave an atomic batch up: a part of it got lost, or one of its messages was refused. Smaller batches tell which."""


class Overloaded(Unavailable):
    """More is waiting to be published than we are willing to hold."""


class PublishRefused(Exception):
    """The message itself cannot be published (too large, a subject or header that is not one): trying again will not help."""


class Unpublishable(BadInput):
    """What was to be said cannot be published; nothing of the transaction is kept. Whoever asked for it learns it, a message goes to the dead."""

    def __init__(self, event_id: str, subject: str, reason: str) -> None:
        super().__init__(f"{event_id} cannot be said: {reason}", remedy=f"Nothing was changed. Ask for less that ends in one {subject}")


class ApiRefused(Exception):
    """JetStream understood the request and said no. `code` is its `err_code`."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code
        self.description = description


class Unparseable(Exception):
    """A handler could not read some messages of its batch: `reasons` by stream sequence. They are dead at once; the rest is tried again."""

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__("; ".join(f"{sequence}: {reason}" for sequence, reason in reasons.items()))
        self.reasons = dict(reasons)


class LanesDiffer(Exception):
    """The service is run with another number of lanes by somebody else. It passes when that one has stopped and this one begins anew."""

    def __init__(self, own: int, running: int) -> None:
        super().__init__(f"the service is run with {running} lanes, this process with {own}: stop the other, or give both the same number")
        self.running = running
