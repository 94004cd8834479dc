"""Dead letters: what is kept of a message that failed for good, and how it is read back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from chassis.bus.batches import size_of
from chassis.message import OutMessage, Received

_PREFIX = "dead."
_REASON, _SERVICE, _STREAM, _SEQUENCE, _AT, _OMITTED = (
    "dead-reason",
    "dead-service",
    "dead-stream",
    "dead-sequence",
    "dead-at",
    "dead-body-omitted",
)
_STORED_AT = "dead-stored-at"
_FOR, _OF = "replay-for", "replay-of"
_LONGEST_REASON = 1000
_ROOM_BYTES = 4096  # for what is added to the message
_DIGITS = 19  # a stream counts in 64 bits
_NAME = re.compile(r"[A-Za-z0-9_-]{0,64}")
_MOMENT = re.compile(r"[0-9T:.+Z-]{0,40}")
_SUBJECT = re.compile(r"dead(\.[A-Za-z0-9_-]+)+")


class Origin(NamedTuple):
    """Where a message first stood, however often it was replayed.

    `stored_at` tells streams apart that were made anew and count alike; it is empty in letters from
    before services noted what they gave up.
    """

    stream: str
    sequence: int
    stored_at: str

    @property
    def is_noted(self) -> bool:
        """Whether the service that gave the message up has a note of it in its store."""
        return bool(self.stored_at)

    def __str__(self) -> str:
        return f"{self.stream}/{self.sequence}/{self.stored_at}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that `service` gave up.

    `letter` counts in the DEAD stream; `origin` says where the original stands. `unreadable` says what of it cannot be
    read; then it cannot be sent again, and may be looked at.
    """

    letter: int
    service: str
    reason: str
    origin: Origin
    died_at: str
    original: OutMessage
    has_body: bool
    unreadable: str = ""


def origin_of(message: Received) -> Origin:
    """Where `message` first stood: there, or where the letter that it is a replay of says, if that says a place."""
    stream, _, rest = message.headers.get(_OF, "").partition("/")
    sequence, _, stored_at = rest.partition("/")
    number = _number_in(sequence)
    if number is None:
        return Origin(message.stream, message.sequence, message.timestamp.isoformat(timespec="microseconds"))
    return Origin(stream, number, stored_at)


def replayed_for(message: Received) -> str | None:
    """The one service that a replay is meant for; None: this is no replay."""
    return message.headers.get(_FOR)


def dead_letter_of(message: Received, service: str, reason: str, at: datetime, max_payload: int) -> OutMessage:
    """The dead letter of `message`.

    A body too large to be kept with its reason is left out: the original still stands in its stream.
    """
    origin = origin_of(message)
    headers = {
        **message.headers,
        # published again, it is stored once
        "Nats-Msg-Id": f"{service}/{message.stream}/{message.sequence}/{message.timestamp.timestamp()}",
        _REASON: " ".join(reason.split())[:_LONGEST_REASON],
        _SERVICE: service,
        _STREAM: origin.stream,
        _SEQUENCE: str(origin.sequence),
        _STORED_AT: origin.stored_at,
        _AT: at.isoformat(),
    }
    letter = OutMessage(_PREFIX + message.subject, headers, message.body)
    if size_of(letter) + _ROOM_BYTES > max_payload:
        return OutMessage(letter.subject, {**headers, _OMITTED: "too large"}, b"")
    return letter


def read_dead_letter(letter: int, subject: str, headers: Mapping[str, str], body: bytes) -> DeadLetter:
    """The dead letter that message `letter` of the DEAD stream is, or what can be read of it: whoever may write there
    may write anything.
    """
    original = {name: value for name, value in headers.items() if not name.startswith(("dead-", "replay-", "Nats-"))}
    number = _number_in(headers.get(_SEQUENCE, "0"))
    return DeadLetter(
        letter=letter,
        service=headers.get(_SERVICE, ""),
        reason=headers.get(_REASON, ""),
        origin=Origin(headers.get(_STREAM, ""), number or 0, headers.get(_STORED_AT, "")),
        died_at=headers.get(_AT, ""),
        original=OutMessage(subject.removeprefix(_PREFIX), original, body),
        has_body=_OMITTED not in headers,
        unreadable=_unreadable(subject, headers),
    )


def _unreadable(subject: str, headers: Mapping[str, str]) -> str:
    reasons = []
    if _number_in(headers.get(_SEQUENCE, "0")) is None:
        reasons.append(f"its header {_SEQUENCE} is no number")
    reasons += [
        f"its header {name} is no name" for name in (_SERVICE, _STREAM) if not _NAME.fullmatch(headers.get(name, ""))
    ]
    if not _MOMENT.fullmatch(headers.get(_STORED_AT, "")):
        reasons.append(f"its header {_STORED_AT} is no moment")
    if not _SUBJECT.fullmatch(subject):
        reasons.append("its subject is none that a service says")
    return "; ".join(reasons)


def _number_in(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def replay_of(letter: DeadLetter, original: OutMessage) -> OutMessage:
    """`original` as it is sent again: for the service that gave it up alone, which knows it by where it first stood."""
    return OutMessage(
        original.subject, {**original.headers, _FOR: letter.service, _OF: str(letter.origin)}, original.body
    )
