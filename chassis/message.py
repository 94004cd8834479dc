"""What travels on the bus: the messages we send and the messages we get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OutMessage:
    """A message to be published. Headers are plain text: one value a name, no line breaks."""

    subject: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A message as a stream delivered it.

    `sequence` counts within `stream`; `delivered` is 1 the first time and grows with each redelivery; `timestamp` (aware UTC) is when
    the stream stored it.
    """

    subject: str
    headers: Mapping[str, str]
    body: bytes
    stream: str
    sequence: int
    delivered: int
    timestamp: datetime
