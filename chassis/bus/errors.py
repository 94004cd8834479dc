"""What can go wrong on the bus."""

from __future__ import annotations

from collections.abc import Mapping

from chassis.errors.tree import Unavailable


class BrokerUnavailable(Unavailable):
    """NATS did not confirm: it is away, it is not ready, or the answer got lost. Whether the messages were stored is not known."""


class Overloaded(Unavailable):
    """More is waiting to be published than we are willing to hold."""


class PublishRefused(Exception):
    """The message itself cannot be published (too large, a subject or header that is not one): trying again will not help."""


class ApiRefused(Exception):
    """JetStream understood the request and said no. `code` is its `err_code`."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code


class Unparseable(Exception):
    """A handler could not read some messages of its batch: `reasons` by stream sequence. They are dead at once; the rest is tried again."""

    def __init__(self, reasons: Mapping[int, str]) -> None:
        super().__init__("; ".join(f"{sequence}: {reason}" for sequence, reason in reasons.items()))
        self.reasons = dict(reasons)
