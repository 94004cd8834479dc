"""The process: logs, uvicorn, and an orderly end. SIGTERM lets what is in hand finish and exits 0.

One process, one loop, and where an inner port is set two listeners: the inner one opens before the service starts and
closes after it has stopped, so that a start and an end can be watched.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE

from chassis.app import Service
from chassis.logs import configure_logs
from chassis.store.preparation import MayNotMigrate
from chassis.store.revisions import UnknownRevision
from chassis.web.connection import BoundedProtocol, allow_descriptors, end_silent
from chassis.web.departure import give_notice
from chassis.web.inner import inner_app
from chassis.web.notice import store_prepared
from contracts.limits import KEPT_SECONDS

log = structlog.get_logger(__name__)


_COMMON: dict[str, Any] = {
    "loop": "uvloop",
    "ws": "none",
    "access_log": False,
    "log_config": None,
    "server_header": False,
    "proxy_headers": False,  # whose address it is, the gateway reads itself, as it was told to
}
_SWEEP = 50  # ticks of uvicorn's, of a tenth of a second


def serve(service: Service) -> None:
    """Runs `service` until SIGTERM or SIGINT. Exits 0 after an orderly end, 3 when it could not start."""
    settings = service.settings
    configure_logs(service.name, settings.log_level, settings.log_format)
    app = service.app()
    if service.warm is not None:
        service.warm()
    gc.freeze()  # what was imported stays; the collector need not look at it again
    os.nice(settings.niceness)
    allow_descriptors()
    _refuse_taken_ports(service)
    if not _store_is_prepared(service):
        return
    # uvicorn raises the signal anew when it is done, which would end the process by the signal instead of with 0
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ignore)
    server = TwoDoors(service, app)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)


class TwoDoors(uvicorn.Server):
    """uvicorn with a second listener for probes and Prometheus, where `inner_port` is set.

    The listeners share the loop and nothing else: connections to the inner one are not waited for when the process
    ends, and the outer one is uvicorn's own in every respect.
    """

    def __init__(self, service: Service, app: FastAPI) -> None:
        settings = service.settings
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                http=service.http or BoundedProtocol,
                lifespan="on",
                timeout_graceful_shutdown=max(1, int(settings.drain_seconds / 2)),
                timeout_keep_alive=settings.keep_alive_seconds,
                **_COMMON,
            )
        )
        self._app, self._notice_seconds = app, settings.notice_seconds
        self._inner = None if settings.inner_port is None else _inner_server(settings.host, settings.inner_port, app)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Raises SystemExit (3) when a port cannot be had or the service cannot start."""
        if self._inner is not None:
            await self._inner.startup()
        await super().startup(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Now and then, those who begin a request and never end it are let go."""
        if counter % _SWEEP == 0:
            now = asyncio.get_running_loop().time()
            ended = end_silent(self.server_state.connections, now)
            if self._inner is not None:
                ended += end_silent(self._inner.server_state.connections, now)
            if ended:
                log.info("connections.silent", closed=ended)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves on for a moment, then ends as ever.

        Whoever asks the inner port while what is in hand is finished is told that the process is about to end.
        """
        await give_notice(self, self._app.state.runtime, self._notice_seconds)
        await super().shutdown(sockets)
        if self._inner is not None:
            await self._inner.shutdown()


def _inner_server(host: str, port: int, app: FastAPI) -> uvicorn.Server:
    config = uvicorn.Config(
        inner_app(app),
        host=host,
        port=port,
        http=BoundedProtocol,
        lifespan="off",
        timeout_graceful_shutdown=1,
        timeout_keep_alive=KEPT_SECONDS,
        **_COMMON,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    return server


def _refuse_taken_ports(service: Service) -> None:
    """Before anything is touched: what cannot be reached has no business in a store."""
    host = service.settings.host
    for port in service.settings.ports:
        try:
            socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
        except OSError as error:
            log.error("port.taken", port=port, reason=(error.strerror or str(error)).lower())
            sys.exit(STARTUP_FAILURE)


def _store_is_prepared(service: Service) -> bool:
    try:
        return asyncio.run(store_prepared(service.settings, service.migrations))
    except (UnknownRevision, MayNotMigrate) as refusal:
        log.error("store.refused", reason=str(refusal))
        sys.exit(STARTUP_FAILURE)


def _ignore(_number: int, _frame: object) -> None:
    """uvicorn has already done what the signal asks for."""
