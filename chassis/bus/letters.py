"""Dead letters: what is kept of a message that failed for good, and how it is read back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chassis.bus.batches import size_of
from chassis.message import OutMessage, Received

_PREFIX = "dead."
_REASON, _SERVICE, _STREAM, _SEQUENCE, _AT, _OMITTED = "dead-reason", "dead-service", "dead-stream", "dead-sequence", "dead-at", "dead-body-omitted"
_LONGEST_REASON = 1000
_ROOM_BYTES = 4096  # for what is added to the message


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that `service` gave up. `letter` counts in the DEAD stream; `stream` and `sequence` say where the original stands."""

    letter: int
    service: str
    reason: str
    stream: str
    sequence: int
    died_at: str
    original: OutMessage
    has_body: bool


def bury(message: Received, service: str, reason: str, at: datetime, max_payload: int) -> OutMessage:
    """The dead letter of `message`. A body too large to be kept with its reason is left out: the original still stands in its stream."""
    headers = {
        **message.headers,
        _REASON: " ".join(reason.split())[:_LONGEST_REASON],
        _SERVICE: service,
        _STREAM: message.stream,
        _SEQUENCE: str(message.sequence),
        _AT: at.isoformat(),
    }
    letter = OutMessage(_PREFIX + message.subject, headers, message.body)
    if size_of(letter) + _ROOM_BYTES > max_payload:
        return OutMessage(letter.subject, {**headers, _OMITTED: "too large"}, b"")
    return letter


def exhume(letter: int, subject: str, headers: Mapping[str, str], body: bytes) -> DeadLetter:
    """The dead letter that message `letter` of the DEAD stream is."""
    original = {name: value for name, value in headers.items() if not name.startswith(_PREFIX.replace(".", "-"))}
    return DeadLetter(
        letter=letter,
        service=headers.get(_SERVICE, ""),
        reason=headers.get(_REASON, ""),
        stream=headers.get(_STREAM, ""),
        sequence=int(headers.get(_SEQUENCE, "0")),
        died_at=headers.get(_AT, ""),
        original=OutMessage(subject.removeprefix(_PREFIX), original, body),
        has_body=_OMITTED not in headers,
    )
