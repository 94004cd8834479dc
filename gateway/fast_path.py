"""The express lane of captures: from the parser to the stream and back. What is not a
plain success is told by `gateway.capture`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from chassis.web.fast_path import FastPathProtocol, FastRequest, FastRoute
from gateway import capture, requests
from gateway.capture import Kind

if TYPE_CHECKING:
    from gateway.middleware import GatewayState


def _take(kind: Kind, request: FastRequest, state: GatewayState) -> None:
    """Read and judge a body; answered when it is on disk. Raises what was refused."""
    reading = capture.judged(state.capture, kind, bytes(request.body), requests.Incoming(request.scope))
    request.body = b""  # what waits to be stored are its messages
    state.capture.publisher.put(
        state.capture.untraced(reading.captures), partial(_tell, request, capture.success(reading.rejects))
    )


def _tell(request: FastRequest, answer: bytes, failure: Exception | None) -> None:
    if failure is None:
        origin = requests.origin_of(requests.Incoming(request.scope))
        request.succeed(requests.json_headers(answer, origin), answer)
    else:
        request.fail(failure)


def _window(kind: Kind) -> FastRoute:
    return FastRoute(capture.route_of(kind), capture.limit_of(kind), partial(_take, kind))


_OF_KIND = {kind: _window(kind) for kind in set(capture.ENDPOINTS.values())}
_OF_PATH = {path.encode(): _OF_KIND[kind] for path, kind in capture.ENDPOINTS.items()}


class CaptureProtocol(FastPathProtocol):
    """A connection to the gateway."""

    def window(self, path: bytes) -> FastRoute | None:
        window = _OF_PATH.get(path)
        if window is not None or b"/v1/" not in path or not path.isascii():
            return window
        state: GatewayState = self.runtime.service  # what its composition root put there
        is_capture, kind = capture.kind_of_path(path.decode("ascii"), state.directory.known.prefixes)
        return _OF_KIND[kind] if is_capture else None
