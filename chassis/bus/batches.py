"""How messages are cut into atomic batches (ADR-50 of the NATS architecture notes). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from chassis.bus.errors import PublishRefused
from chassis.bus.streams import stream_of
from chassis.message import OutMessage

MOST_MESSAGES = 500  # the server takes 1000 a batch; half of it keeps one batch from holding up the others
MOST_BYTES = 8_000_000  # the server stages a batch in memory until it is complete

_SUBJECT = re.compile(r"[^\s.*>]+(\.[^\s.*>]+)*")
_HEADER_NAME = re.compile(r"[!-9;-~]+")
_RESERVED = "Nats-Batch-"
_HEADER_BYTES = 4  # colon, blank and line end
_OVERHEAD_BYTES = 256  # the batch headers and the header block's own lines


def by_stream(messages: Sequence[OutMessage]) -> dict[str, list[OutMessage]]:
    """The messages of each stream, in the order given: a batch may not span streams."""
    subject = messages[0].subject if messages else ""
    if all(message.subject == subject for message in messages):
        return {stream_of(subject): list(messages)} if messages else {}
    streams: dict[str, list[OutMessage]] = {}
    for message in messages:
        streams.setdefault(stream_of(message.subject), []).append(message)
    return streams


def cut(messages: Sequence[OutMessage], size: int | None = None) -> Iterator[Sequence[OutMessage]]:
    """`messages` in order, in runs small enough for one atomic batch each; `size` is what they have together, where
    that is known.
    """
    if size is not None and size <= MOST_BYTES and 0 < len(messages) <= MOST_MESSAGES:
        yield messages
        return
    start = size = 0
    for index, message in enumerate(messages):
        weight = size_of(message)
        if index > start and (index - start == MOST_MESSAGES or size + weight > MOST_BYTES):
            yield messages[start:index]
            start, size = index, 0
        size += weight
    if start < len(messages):
        yield messages[start:]


def size_of(message: OutMessage) -> int:
    """About how many bytes `message` takes on the wire."""
    size = len(message.body) + len(message.subject)
    for name, value in message.headers.items():
        size += len(name) + len(value) + _HEADER_BYTES
    return size


def check_publishable(message: OutMessage, max_payload: int) -> int:
    """Raises PublishRefused when the server, or the wire, could not take `message`: found before anything is sent, so
    no batch is torn.

    Gives back its size, as `size_of`.
    """
    if not _is_subject(message.subject):
        raise PublishRefused(f"not a subject: {message.subject!r}")
    size = len(message.body) + len(message.subject)
    for name, value in message.headers.items():
        if not _is_header_name(name) or "\n" in value or "\r" in value:
            raise PublishRefused(f"not a header: {name!r}")
        size += len(name) + len(value) + _HEADER_BYTES
    if size + _OVERHEAD_BYTES > max_payload:
        raise PublishRefused(f"{message.subject}: {size} bytes are more than a message may have ({max_payload})")
    return size


@lru_cache(maxsize=1024)  # the same few subjects over and over
def _is_subject(subject: str) -> bool:
    return _SUBJECT.fullmatch(subject) is not None


@lru_cache(maxsize=1024)  # the same few names over and over
def _is_header_name(name: str) -> bool:
    return _HEADER_NAME.fullmatch(name) is not None and not name.startswith(_RESERVED)
