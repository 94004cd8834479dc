"""What is sent: the event as it was published, as one CloudEvents document (structured mode), so that the signature
covers its envelope too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import orjson

from contracts.envelope import Event, whole_headers
from contracts.examples import EXAMPLES

CONTENT_TYPE: Final = "application/cloudevents+json"
_EXTENSIONS: Final = ("correlation", "causation", "rulebook")


class Published(Protocol):
    """A message as a stream holds it."""

    @property
    def subject(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...
    @property
    def stream(self) -> str: ...
    @property
    def sequence(self) -> int: ...


def payload_of(message: Published) -> tuple[str, bytes]:
    """(event id, body) of what stands on a stream. `cursor` in it is where: `:replay` goes on from there.

    Raises ValueError when it is no event of ours.
    """
    headers = whole_headers(message.subject, message.headers)
    orjson.loads(message.body)  # it is passed on byte by byte, and must not break the document around it
    return headers["ce-id"], _document(headers, message.body, {"cursor": cursor_of(message.stream, message.sequence)})


def sample_of(wire_name: str, event_id: str) -> bytes:
    """The contract's example of an event (nobody in it exists), under an id of its own and marked `sample`."""
    example = _example_of(wire_name)
    return _document({**example.headers(), "ce-id": event_id}, example.body(), {"sample": True})


def cursor_of(stream: str, sequence: int) -> str:
    """`LIFECYCLE/1204`."""
    return f"{stream}/{sequence}"


def place_of(cursor: str) -> tuple[str, int]:
    """What `cursor_of` was made of."""
    stream, _, number = cursor.partition("/")
    return stream, int(number)


def _document(headers: dict[str, str], data: bytes, more: dict[str, Any]) -> bytes:
    document: dict[str, Any] = {
        "specversion": "1.0",
        "id": headers["ce-id"],
        "source": headers["ce-source"],
        "type": headers["ce-type"],
        "time": headers["ce-time"].replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        **{name: headers[name] for name in _EXTENSIONS if name in headers},
        **more,
        "data": orjson.Fragment(data),
    }
    return orjson.dumps(document)


def _example_of(wire_name: str) -> Event:
    return next(event for event in EXAMPLES if event.wire_name == wire_name)
