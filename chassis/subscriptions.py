"""What a service hears, with exact types: mypy checks that a handler takes the events it is subscribed to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, overload

from typing_extensions import TypeVar

from chassis.context import Context
from chassis.store.timers import Timer
from contracts.envelope import Event

E = TypeVar("E", bound=Event)
E1 = TypeVar("E1", bound=Event)
E2 = TypeVar("E2", bound=Event)
E3 = TypeVar("E3", bound=Event)
E4 = TypeVar("E4", bound=Event)

Needed = TypeVar("Needed", contravariant=True, default=Any)
"""What a handler needs the service to hold."""

EventHandler = Callable[[Sequence[E], Context[Needed]], Awaitable[None]]
TimerHandler = Callable[[Sequence[Timer], Context[Needed]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription(Generic[Needed]):
    """Events of these types go to this handler, in runs of consecutive ones.

    Made by `on` and `on_any`, which check the types.
    """

    event_types: tuple[type[Event], ...]
    handler: EventHandler[Any, Needed]

    @property
    def name(self) -> str:
        """The handler's name, for spans and metrics."""
        return getattr(self.handler, "__name__", "handler")


@dataclass(frozen=True, slots=True)
class TimerSubscription(Generic[Needed]):
    """Due timers of this kind go to this handler."""

    kind: str
    handler: TimerHandler[Needed]


def on(event_type: type[E], handler: EventHandler[E, Needed]) -> Subscription[Needed]:
    """Events of `event_type` go to `handler`."""
    return Subscription((event_type,), handler)


# spelled out per number of types: a single type variable would be inferred as
# their common ancestor, and a union be refused
@overload
def on_any(event_types: tuple[type[E1], type[E2]], handler: EventHandler[E1 | E2, Needed]) -> Subscription[Needed]: ...
@overload
def on_any(
    event_types: tuple[type[E1], type[E2], type[E3]], handler: EventHandler[E1 | E2 | E3, Needed]
) -> Subscription[Needed]: ...
@overload
def on_any(
    event_types: tuple[type[E1], type[E2], type[E3], type[E4]], handler: EventHandler[E1 | E2 | E3 | E4, Needed]
) -> Subscription[Needed]: ...
@overload
def on_any(event_types: Sequence[type[E]], handler: EventHandler[E, Needed]) -> Subscription[Needed]: ...
def on_any(event_types: Sequence[type[Event]], handler: EventHandler[Any, Needed]) -> Subscription[Needed]:
    """Events of any of these types go to `handler`, in the order of the stream.

    The handler takes their union or a common ancestor.
    """
    return Subscription(tuple(event_types), handler)


def on_timer(kind: str, handler: TimerHandler[Needed]) -> TimerSubscription[Needed]:
    """Due timers of `kind` go to `handler`."""
    return TimerSubscription(kind, handler)


def stream_of(event_type: type[Event]) -> str:
    """The stream that events of this type are on: the first word of the wire name, in capitals."""
    return event_type.wire_name.partition(".")[0].upper()
