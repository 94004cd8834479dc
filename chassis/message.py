"""What travels on the bus: the messages we send and the messages we get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


class OutMessage(NamedTuple):
    """A message to be published.

    Headers are plain text: one value a name, no line breaks. A tuple, as one is made for each event.
    """

    subject: str
    headers: Mapping[str, str]
    body: bytes


class Received(NamedTuple):
    """A message as a stream delivered it. A tuple, as one is made for each delivery.

    `sequence` counts within `stream`; `delivered` is 1 the first time and grows with each redelivery; `timestamp`
    (aware UTC) is when the stream stored it.
    """

    subject: str
    headers: Mapping[str, str]
    body: bytes
    stream: str
    sequence: int
    delivered: int
    timestamp: datetime

    @property
    def mark(self) -> Mark:
        """Where it stands."""
        return Mark(self.sequence, self.timestamp)


class Mark(NamedTuple):
    """A place in a stream: a sequence, and the moment (aware UTC) the stream had then."""

    sequence: int
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class StreamState:
    """What the server says of a stream: its last place, how many lane numbers its subjects have, and up to where each
    of them was acknowledged by the durables that there are.
    """

    name: str
    last: Mark
    lanes: int
    acknowledged: Mapping[int, int] = field(default_factory=dict)
