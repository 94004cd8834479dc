"""The express lane of captures: from the parser to the stream and back. What is not a
plain success is told by `gateway.capture`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from chassis.bus.errors import Overloaded
from chassis.errors import TooMany
from chassis.web.fast_path import FastPathProtocol, FastRequest, FastRoute
from chassis.web.problems import MEDIA_TYPE, document
from gateway import capture, requests
from gateway.capture import CaptureService, Kind
from gateway.request_log import RequestLog
from gateway.requests import Incoming
from gateway.shares import Shares

if TYPE_CHECKING:
    from gateway.middleware import GatewayState


@dataclass(slots=True)
class _Taken:
    """A request whose captures wait to be stored."""

    request: FastRequest
    incoming: Incoming
    answer: bytes
    shares: Shares
    source_id: str
    weight: int
    log: RequestLog

    def tell(self, failure: Exception | None) -> None:
        self.shares.leave(self.source_id, self.weight)
        if failure is None:
            self.log.note(self.request.scope, 200)
            headers = requests.json_headers(self.answer, requests.origin_of(self.incoming))
            self.request.succeed(headers + self.incoming.stated, self.answer)
        else:
            _fail(self.request, self.incoming, failure, self.log)


def _take(kind: Kind, request: FastRequest, state: GatewayState) -> None:
    """Read and judge a body; answered when it is on disk. Raises what was refused."""
    incoming, service, log = Incoming(request.scope), state.capture, state.records.requests
    try:
        source, reading = capture.judged(service, kind, bytes(request.body), incoming)
        request.body = b""  # what waits to be stored are its messages
        weight = service.admission.shares.weight(reading.captures)
        service.admission.enter(source, weight)
    except TooMany as problem:
        _fail(request, incoming, problem, log)
        return
    answer = capture.success(reading.rejects)
    taken = _Taken(request, incoming, answer, service.admission.shares, source.source_id, weight, log)
    try:
        service.publisher.put(service.untraced(reading.captures), taken.tell)
    except Exception as error:
        taken.tell(error)


def _fail(request: FastRequest, incoming: Incoming, error: Exception, log: RequestLog) -> None:
    """What is refused because too much comes may cost no more than what is taken: it is told here. All else is not."""
    if not isinstance(error, TooMany | Overloaded):
        request.fail(error)
        return
    log.note(request.scope, error.status, error.detail)
    body = document(error, request.scope["path"])
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body))]
    headers += [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
    request.succeed(headers + requests.origin_of(incoming), body, error.status)


def _window(kind: Kind) -> FastRoute:
    return FastRoute(capture.route_of(kind), capture.limit_of(kind), partial(_take, kind))


_OF_KIND = {kind: _window(kind) for kind in set(capture.ENDPOINTS.values())}
_OF_PATH = {path.encode(): _OF_KIND[kind] for path, kind in (capture.ENDPOINTS | capture.JITSU).items()}


class CaptureProtocol(FastPathProtocol):
    """A connection to the gateway."""

    _address: str | None = None  # as its connections are counted

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._crowd = cast(CaptureService, self.runtime.service.capture).crowd
        self._address = self._crowd.enter(self.client[0] if self.client else None, self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._address is not None:
            self._crowd.leave(self._address, self)
        super().connection_lost(exc)

    def window(self, path: bytes) -> FastRoute | None:
        window = _OF_PATH.get(path)
        if window is not None or b"/v1/" not in path or not path.isascii():
            return window
        state: GatewayState = self.runtime.service  # what its composition root put there
        is_capture, kind = capture.kind_of_path(path.decode("ascii"), state.directory.known.prefixes)
        return _OF_KIND[kind] if is_capture else None
