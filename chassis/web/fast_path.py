"""The express lane: plain requests to a few hot paths are answered from uvicorn's parser, without a task, a cycle and
an application around them.

Whatever is not plain goes the long way (ASGI), from the start; and so does, with what is known of it, whatever does not
end in a plain success: the long way has the last word on every refusal. To uvicorn a request is the connection's
cycle: pipelining, keep-alive and shutdown are its own.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from starlette.types import Scope
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.server import ServerState

from chassis.runtime import Runtime
from chassis.web.connection import BoundedProtocol
from chassis.web.departure import CLOSE
from chassis.web.middleware import BEGAN, IS_RECORDED, REQUEST_ID

OUTCOME: Final = "rapport.outcome"
"""In the scope of what went the long way after it was read: the exception that it
ended in. Whoever answers the path raises it.
"""

Headers = Mapping[bytes, bytes]
# requests that have no trace are numbered, as long as a trace's id is
_NUMBERS: Final = itertools.count(int.from_bytes(os.urandom(4), "big"))
_PROCESS: Final = os.urandom(8).hex().encode()
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class FastRoute:
    """Who takes POSTs to a path.

    `take` is handed a request whose body is whole, and the service (`runtime.service`); it calls `request.succeed` or
    `request.fail`, now or later, or raises.
    """

    route: str  # the template, for metrics
    most_bytes: int
    take: Callable[[FastRequest, Any], None]


class FastRequest:
    """A request in hand; `body` is what has come of it."""

    __slots__ = (
        "_protocol",
        "began",
        "body",
        "disconnected",
        "keep_alive",
        "message_event",
        "response_complete",
        "scope",
        "window",
    )

    def __init__(self, protocol: FastPathProtocol, window: FastRoute, scope: Scope, keep_alive: bool) -> None:
        self._protocol = protocol
        self.window = window
        self.scope = scope
        self.began = time.perf_counter()
        self.body: bytes | bytearray = b""
        # what uvicorn looks at in a cycle
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False
        self.message_event = _NOBODY_WAITS

    def succeed(self, headers: Sequence[tuple[bytes, bytes]], body: bytes, status: int = 200) -> None:
        """Answer 200; another `status` where a refusal may cost no more than what is refused."""
        self._protocol.answer(self, headers, body, status)

    def fail(self, error: Exception) -> None:
        """Let the long way tell of `error`."""
        self.scope[OUTCOME] = error
        self.body = b""
        self._protocol.go_the_long_way(self, is_whole=True)

    def add(self, chunk: bytes) -> None:
        """A further piece of the body."""
        if not self.body:
            self.body = chunk
        elif isinstance(self.body, bytearray):
            self.body += chunk
        else:
            self.body = bytearray(self.body) + chunk


class _NobodyWaits:
    def set(self) -> None:
        """No task waits for a request."""


_NOBODY_WAITS: Final = _NobodyWaits()


class FastPathProtocol(BoundedProtocol):
    """One connection. A service derives its own and says by `window` what is taken."""

    cycle: Any  # uvicorn's own, or a request: as much of a cycle as uvicorn looks at

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.runtime: Runtime[Any] = config.app.state.runtime  # type: ignore[union-attr]  # the application itself; its lifespan has begun
        self._arriving: FastRequest | None = None  # whose body is on its way
        self._is_open = not self.root_path and self.limit_concurrency is None and not config.access_log

    @abstractmethod
    def window(self, path: bytes) -> FastRoute | None:
        """Who takes POSTs to `path`, as it was written."""

    def take_head(self) -> None:
        self._arriving = request = self._taken()
        if request is None:
            super().take_head()
        else:
            self.cycle = request

    def take_body(self, body: bytes) -> None:
        if self._arriving is None:
            super().take_body(body)
        else:
            self._arriving.add(body)

    def take_end(self) -> None:
        request, self._arriving = self._arriving, None
        if request is None:
            super().take_end()
            return
        try:
            request.window.take(request, self.runtime.service)
        except Exception as error:  # whatever it was: the long way knows what to say
            request.fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._give_up_waiting()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        self._give_up_waiting()
        super().shutdown()

    def answer(
        self, request: FastRequest, headers: Sequence[tuple[bytes, bytes]], body: bytes, status: int = 200
    ) -> None:
        """Say so to whoever still listens, and go on to the connection's next request."""
        request.response_complete = True
        if not self.transport.is_closing():
            said = [*self.server_state.default_headers, *headers, (REQUEST_ID, b"%b%016x" % (_PROCESS, next(_NUMBERS)))]
            is_last = not request.keep_alive or CLOSE in said
            if is_last and CLOSE not in said:
                said.append(CLOSE)
            self.transport.write(
                b"%b%b\r\n%b" % (STATUS_LINE[status], b"".join([b"%b: %b\r\n" % header for header in said]), body)
            )
            if is_last:
                self.transport.close()
        self.runtime.metrics.request_answered("POST", request.window.route, status, time.perf_counter() - request.began)
        self.on_response_complete()

    def go_the_long_way(self, request: FastRequest, *, is_whole: bool) -> None:
        """Make a cycle of uvicorn's own of `request`, and have the application answer it."""
        request.scope[BEGAN] = request.began
        cycle = RequestResponseCycle(
            scope=request.scope,  # type: ignore[arg-type]  # uvicorn's own, once more
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=request.keep_alive,
            on_response=self.on_response_complete,
        )
        cycle.body, cycle.more_body, cycle.disconnected = bytearray(request.body), not is_whole, request.disconnected
        cycle.message_event.set()
        if self.cycle is request:
            self.cycle = cycle
        self._start_asgi_task(cycle, self.app)

    def _give_up_waiting(self) -> None:
        """A body that is not whole, and may never be, is the long way's to wait for."""
        request, self._arriving = self._arriving, None
        if request is not None:
            self.go_the_long_way(request, is_whole=False)

    def _taken(self) -> FastRequest | None:
        """The request whose head is complete as a request; None: it goes the long way."""
        is_busy = self.cycle is not None and not self.cycle.response_complete
        if is_busy or self.flow.write_paused or not self._is_open or self.expect_100_continue:
            return None
        path, _, query = self.url.partition(b"?")
        window = self.window(path)
        if window is None or b"#" in query or b"%00" in query:
            return None
        if self.parser.get_method() != b"POST" or self.parser.get_http_version() != "1.1":
            return None
        headers = dict(self.headers)
        if not self._is_welcome(headers, min(window.most_bytes, self.runtime.settings.body_limit)):
            return None
        scope = cast(Scope, self.scope)
        scope[IS_RECORDED] = is_recorded = self.runtime.telemetry.draw()
        if is_recorded:
            return None
        scope.update({"method": "POST", "path": path.decode("ascii"), "raw_path": path, "query_string": query})
        return FastRequest(self, window, scope, self.parser.should_keep_alive())

    def _is_welcome(self, headers: Headers, most_bytes: int) -> bool:
        length = headers.get(b"content-length", b"")  # beside chunks there is none, or else the parser has said no
        return length.isdigit() and len(length) <= _MOST_DIGITS and int(length) <= most_bytes
