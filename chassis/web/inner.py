"""What a process answers on its inner port: probes and metrics, and nothing of the service itself.

Nobody is asked for a token here, so the port is for the platform alone: loopback by default, and where the process
listens to the network a policy says who reaches it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.readiness import Finding
from chassis.web import health, lanes

_Endpoint = Callable[[Request], Awaitable[Response]]
_NOT_STARTED = Finding(
    "starting",
    "the service has not started: its store is awaited, or brought up to date",
    "Look at the database when it takes long; the log says what is awaited",
)


def inner_app(outer: Starlette) -> Starlette:
    """Answers for the process that serves `outer`, also before that has started."""
    app = Starlette(
        routes=[
            Route("/healthz", health.is_alive),
            Route("/readyz", _once_started(health.is_ready)),
            Route("/readyz/traffic", _once_started(health.takes_traffic)),
            Route("/metrics", _once_started(health.metrics)),
            Route("/lanesz", _once_started(lanes.lanes)),
        ]
    )
    app.state = outer.state  # where the runtime is, once there is one
    return app


def _once_started(endpoint: _Endpoint) -> _Endpoint:
    async def answer(request: Request) -> Response:
        if not hasattr(request.app.state, "runtime"):
            return health.not_ready(request, [_NOT_STARTED])
        return await endpoint(request)

    return answer
