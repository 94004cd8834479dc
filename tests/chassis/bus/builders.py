"""The vocabulary of the bus's tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chassis.bus.broker import Broker
from chassis.bus.durables import ConsumerSpec, Opening
from chassis.bus.errors import ApiRefused
from chassis.bus.inspection import messages
from chassis.bus.retry_policy import RetryPolicy
from chassis.bus.settlement import Handle
from chassis.message import OutMessage, Received, StreamState

QUICK = RetryPolicy(outage_seconds=(0.02,), fault_seconds=(0.01, 0.02))
"""The same rules as in production, with shorter waits."""


class OutOfReach(Exception):
    """The store is away."""


QUICK_OUTAGES = RetryPolicy(
    is_transient=lambda error: isinstance(error, OutOfReach), outage_seconds=(0.02,), fault_seconds=(0.01, 0.02)
)


def a_capture(number: int, *, lane: int = 0, size: int = 0) -> OutMessage:
    """The capture `number`, with a body of at least `size` bytes."""
    return OutMessage(
        f"capture.interaction.received.v1.{lane}", {"ce-id": f"evt_{number}"}, str(number).ljust(size).encode()
    )


HANG = OutMessage("capture.interaction.received.v1.0", {"ce-id": "evt_hang"}, b"-1")
"""A capture that makes a reader process hang; others take it for the capture -1."""


def captures(count: int, *, start: int = 0, lane: int = 0) -> list[OutMessage]:
    """`count` captures, numbered from `start`."""
    return [a_capture(number, lane=lane) for number in range(start, start + count)]


def number_of(message: Received) -> int:
    """Which capture `message` is."""
    return int(message.body)


class Applied:
    """A handler that applies its batches atomically, once per message id, and can be told to fail first."""

    def __init__(self, before: Callable[[Sequence[Received]], Awaitable[None]] | None = None) -> None:
        self.numbers: list[int] = []
        self.batches: list[int] = []
        self.calls = 0
        self._seen: set[str] = set()
        self._before = before

    async def __call__(self, batch: Sequence[Received]) -> None:
        self.calls += 1
        if self._before is not None:
            await self._before(batch)
        fresh = [message for message in batch if message.headers["ce-id"] not in self._seen]
        self._seen.update(message.headers["ce-id"] for message in fresh)
        self.numbers += [number_of(message) for message in fresh]
        self.batches.append(len(batch))


async def stream_state(broker: Broker, stream: str) -> dict[str, Any]:
    """How many messages `stream` holds, and their first and last sequence."""
    state: dict[str, Any] = (await broker.request(f"STREAM.INFO.{stream}"))["state"]
    return state


async def durable_state(broker: Broker, stream: str, durable: str) -> dict[str, Any]:
    """What the server knows of a durable consumer; an AssertionError ("not yet", for `eventually`) while there is
    none.
    """
    try:
        return await broker.request(f"CONSUMER.INFO.{stream}.{durable}")
    except ApiRefused as refusal:
        raise AssertionError(str(refusal)) from refusal


async def stored(broker: Broker, stream: str) -> list[Received]:
    """All that `stream` holds, in order."""
    return [message async for message in messages(broker, stream)]


async def bodies(broker: Broker, stream: str) -> list[bytes]:
    """The bodies of all that `stream` holds, in order."""
    return [message.body for message in await stored(broker, stream)]


class Unremembered:
    """An applier without a store: hears its own lane numbers from the beginning, and notes what died in `dead`."""

    def __init__(self, handle: Handle, spec: ConsumerSpec) -> None:
        self._handle = handle
        self._spec = spec
        self.dead: list[tuple[int, str]] = []

    async def open(self, stream: StreamState) -> Opening:
        return Opening(self._spec.heard(max(stream.lanes, self._spec.lanes)))

    async def apply(self, batch: Sequence[Received]) -> None:
        await self._handle(batch)

    async def set_aside(self, dead: Sequence[tuple[Received, str]]) -> None:
        self.dead += [(message.sequence, reason) for message, reason in dead]
