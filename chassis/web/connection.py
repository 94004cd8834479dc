"""A connection with bounds: how much of a head is read, for how long it may be on its way, and how many there may be.

The parser itself bounds nothing: a head of a hundred megabytes would be gathered piece by piece, and a connection that
says nothing, or a byte now and then, would be kept for ever. What is too much is answered 400, what is too slow 408,
and closed; so is whoever does not take the answer that was asked for.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterable
from heapq import nsmallest
from typing import Any, Final, NamedTuple

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from contracts.limits import HEAD_BYTES, HEAD_LINES, SILENT_SECONDS, TARGET_CHARACTERS
from contracts.rates import BODY_BYTES_A_SECOND, BODY_FREE_SECONDS, BODY_SECONDS, HEAD_SECONDS


def _last_word(status: bytes, detail: bytes) -> bytes:
    """An answer after which the connection is closed."""
    code, _, title = status.partition(b" ")
    body = b'{"type":"about:blank","title":"%b","status":%b,"detail":"%b"}' % (title, code, detail)
    return (
        b"HTTP/1.1 %b\r\ncontent-type: application/problem+json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
        % (status, len(body), body)
    )


_TOO_LARGE: Final = _last_word(
    b"400 Bad Request",
    b"The request's head is larger than %d KB. Send fewer or shorter header fields, or a shorter address."
    % (HEAD_BYTES // 1024),
)
_TOO_SLOW: Final = _last_word(
    b"408 Request Timeout",
    b"The request did not come whole in time: its head within %d s, its body within %d s or at %d KB a second."
    b" Send it again." % (HEAD_SECONDS, BODY_FREE_SECONDS, BODY_BYTES_A_SECOND // 1024),
)
_FOR_OTHERS: Final = 0.2  # of all descriptors: stores, NATS, logs, the inner port
_AT_ONCE: Final = 1 / 64  # of the ceiling: looking for who waits longest takes time, so it is not done for each


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
        self._began_at = 0.0  # the request that is arriving
        self._body_bytes = 0
        self._unread = (0, 0.0)  # bytes of answers that were not taken, and since when they are so many

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._heard_at = self.loop.time()
        make_room(self.connections)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self.loop.time()
        if not self._is_arriving:
            self._begin()
        self._head_bytes += len(data) if self._is_in_head else 0
        super().data_received(data)
        if self._is_in_head and self._head_bytes > HEAD_BYTES:
            self.refuse_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if not self._is_arriving:  # it came with the end of the one before
            self._begin()

    def _begin(self) -> None:
        self._is_arriving, self._began_at, self._body_bytes = True, self._heard_at, 0

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
        self._body_bytes += len(body)
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
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def waits(self) -> Wait | None:
        """Since when it waits for its sender; None while it is answered."""
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if self._is_arriving:
            is_paused = self.flow is not None and self.flow.read_paused  # what was read first must be worked off
            is_next = is_answering and self._is_in_head  # it came behind one that is not answered yet
            return None if is_paused or is_next else Wait(self._heard_at, is_idle=False)
        if not is_answering:
            return Wait(self._heard_at, is_idle=True)
        return None

    def is_late(self, now: float) -> bool:
        """Whether the request that is arriving takes longer than any honest one."""
        if not self._is_arriving or (self.flow is not None and self.flow.read_paused):
            return False
        taken = now - self._began_at
        if self._is_in_head:
            return taken > HEAD_SECONDS
        due = (taken - BODY_FREE_SECONDS) * BODY_BYTES_A_SECOND
        return taken > BODY_SECONDS or self._body_bytes < due

    def is_not_taking(self, now: float) -> bool:
        """Whether answers wait here, and none of them was taken for SILENT_SECONDS. To be asked now and then."""
        size, since = self.transport.get_write_buffer_size(), self._unread[1]
        if size == 0 or size != self._unread[0]:
            self._unread = (size, now)
            return False
        return now - since > SILENT_SECONDS

    def end(self) -> None:
        """Close it; whoever was sending, and was not answered yet, is told why."""
        has_cycle = self.cycle is not None and not self._is_in_head  # in a head, the cycle is that of the one before
        is_answered = has_cycle and (self.cycle.response_complete or getattr(self.cycle, "response_started", False))
        if self._is_arriving and not is_answered and not self.transport.is_closing():
            self.transport.write(_TOO_SLOW)
        self.transport.close()


def end_silent(connections: Iterable[object], now: float) -> int:
    """Close those that have not said a word of what they began for SILENT_SECONDS, that say it too slowly, or that do
    not take what they asked for; how many.
    """
    ended = 0
    for one in list(connections):
        if not isinstance(one, BoundedProtocol):
            continue
        if one.is_not_taking(now):
            one.transport.abort()
        elif _is_slow(one, now):
            one.end()
        else:
            continue
        ended += 1
    return ended


def _is_slow(one: BoundedProtocol, now: float) -> bool:
    wait = one.waits()
    if wait is None:
        return False
    is_silent = now - wait.since > SILENT_SECONDS and (not wait.is_idle or one.cycle is None)
    return is_silent or one.is_late(now)  # an idle one that was answered is uvicorn's to close


def make_room(connections: Iterable[object]) -> None:
    """Beyond the ceiling those that wait longest are closed, idle ones first: the newest is let in."""
    held = list(connections) if len(connections) > ceiling() else []  # type: ignore[arg-type]  # a set
    for one in longest_waiting(held, max(1, int(len(held) * _AT_ONCE))):
        one.transport.close()


def longest_waiting(connections: Iterable[object], most: int = 1) -> list[BoundedProtocol]:
    """Those that have waited for their sender longest, idle ones first."""
    waiting = [
        (not wait.is_idle, wait.since, number, one)
        for number, one in enumerate(connections)
        if isinstance(one, BoundedProtocol) and (wait := one.waits()) is not None
    ]
    return [one for *_, one in nsmallest(most, waiting, key=lambda found: found[:3])]


def ceiling() -> int:
    """The most connections there may be: descriptors remain for what the process itself opens."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(16, int(most * (1 - _FOR_OTHERS)))


def allow_descriptors() -> None:
    """As many open files as this system lets the process have."""
    most, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
