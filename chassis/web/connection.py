"""A connection with bounds: how much of a head is read, for how long it may be on its way, and how many there may be.

The parser itself bounds nothing: a head of a hundred megabytes would be gathered piece by piece, and a connection that
says nothing would be kept for ever. What is too much is answered 431 and closed; what is too slow is closed.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from contracts.limits import HEAD_BYTES, HEAD_LINES, SILENT_SECONDS, TARGET_CHARACTERS

_TOO_LARGE: Final = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b"
)
_PROBLEM: Final = (
    b'{"type":"about:blank","title":"Bad Request","status":400,'
    b'"detail":"The request\'s head is larger than %d KB. Send fewer or shorter header fields, or a shorter address."}'
    % (HEAD_BYTES // 1024)
)
_FOR_OTHERS: Final = 0.2  # of all descriptors: stores, NATS, logs, the inner port


class Wait(NamedTuple):
    """What a connection owes, and since when (the loop's time); `is_idle`: nothing, it is kept for a next request."""

    since: float
    is_idle: bool


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's connection, that reads no more of a head than HEAD_BYTES, and knows since when it waits."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_bytes = 0
        self._is_arriving = False  # a request of which not all was read
        self._is_in_head = True
        self._heard_at = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._heard_at = self.loop.time()
        make_room(self.connections)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        self._is_arriving = True
        self._head_bytes += len(data) if self._is_in_head else 0
        super().data_received(data)
        if self._is_in_head and self._head_bytes > HEAD_BYTES:
            self.refuse_head()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if self.is_head_too_large():
            self.refuse_head()
        else:
            self.take_head()

    def take_head(self) -> None:
        """The head is whole and of a size."""
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self.transport.is_closing():
            self.take_body(body)

    def take_body(self, body: bytes) -> None:
        """A further piece of the body."""
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._head_bytes, self._is_in_head, self._is_arriving = 0, True, False
        if not self.transport.is_closing():
            self.take_end()

    def take_end(self) -> None:
        """The request is whole."""
        super().on_message_complete()

    def is_head_too_large(self) -> bool:
        """Whether a head that came whole, perhaps in one piece, is too much."""
        if self._head_bytes <= HEAD_BYTES and len(self.headers) <= HEAD_LINES and len(self.url) <= TARGET_CHARACTERS:
            return False
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        return size > HEAD_BYTES or len(self.headers) > HEAD_LINES or len(self.url) > TARGET_CHARACTERS

    def refuse_head(self) -> None:
        """Say so, and read no more."""
        if not self.transport.is_closing():
            self.transport.write(_TOO_LARGE % (len(_PROBLEM), _PROBLEM))
            self.transport.close()

    def waits(self) -> Wait | None:
        """Since when it waits for its sender; None while it is answered."""
        if self._is_arriving:
            is_paused = self.flow is not None and self.flow.read_paused  # what was read first must be worked off
            return None if is_paused else Wait(self._heard_at, is_idle=False)
        if self.cycle is None or self.cycle.response_complete:
            return Wait(self._heard_at, is_idle=True)
        return None


def end_silent(connections: Iterable[object], now: float) -> int:
    """Close those that have not said a word of what they began for SILENT_SECONDS; how many."""
    silent = [
        one
        for one in list(connections)
        if isinstance(one, BoundedProtocol)
        and (wait := one.waits()) is not None
        and now - wait.since > SILENT_SECONDS
        and (not wait.is_idle or one.cycle is None)  # an idle one that was answered is uvicorn's to close
    ]
    for one in silent:
        one.transport.close()
    return len(silent)


def make_room(connections: Iterable[object]) -> None:
    """Beyond the ceiling the one that waits longest is closed, idle ones first: the newest is let in."""
    held = list(connections) if len(connections) > ceiling() else []  # type: ignore[arg-type]  # a set
    waiting = [(wait, one) for one in held if isinstance(one, BoundedProtocol) and (wait := one.waits()) is not None]
    if waiting:
        _, oldest = min(waiting, key=lambda found: (not found[0].is_idle, found[0].since))
        oldest.transport.close()


def ceiling() -> int:
    """The most connections there may be: descriptors remain for what the process itself opens."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(16, int(most * (1 - _FOR_OTHERS)))


def allow_descriptors() -> None:
    """As many open files as this system lets the process have."""
    most, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
