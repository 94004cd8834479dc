"""The process: logs, uvicorn, and an orderly end. SIGTERM lets what is in hand finish and exits 0."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys

import structlog
import uvicorn
from fastapi import FastAPI

from chassis.app import Service
from chassis.logs import configure_logs
from chassis.store.preparation import MayNotMigrate
from chassis.store.revisions import UnknownRevision
from chassis.web.departure import give_notice
from chassis.web.notice import store_prepared

log = structlog.get_logger(__name__)

_CANNOT_START = 3


def serve(service: Service) -> None:
    """Runs `service` until SIGTERM or SIGINT. Exits 0 after an orderly end, 3 when it could not start."""
    settings = service.settings
    configure_logs(service.name, settings.log_level, settings.log_format)
    app = service.app()
    if service.warm is not None:
        service.warm()
    gc.freeze()  # what was imported stays; the collector need not look at it again
    os.nice(settings.niceness)
    if not _store_is_prepared(service):
        return
    # uvicorn raises the signal anew when it is done, which would end the process by the signal instead of with 0
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ignore)
    server = Server(service, app)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_CANNOT_START)


class Server(uvicorn.Server):
    """uvicorn, which gives notice before it ends."""

    def __init__(self, service: Service, app: FastAPI) -> None:
        settings = service.settings
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                loop="uvloop",
                http=service.http or "httptools",
                ws="none",
                lifespan="on",
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=max(1, int(settings.drain_seconds / 2)),
            )
        )
        self._app, self._notice_seconds = app, settings.notice_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Serves on for a moment, then ends as ever."""
        await give_notice(self, self._app.state.runtime, self._notice_seconds)
        await super().shutdown(sockets)


def _store_is_prepared(service: Service) -> bool:
    try:
        return asyncio.run(store_prepared(service.settings, service.migrations))
    except (UnknownRevision, MayNotMigrate) as refusal:
        log.error("store.refused", reason=str(refusal))
        sys.exit(_CANNOT_START)


def _ignore(_number: int, _frame: object) -> None:
    """uvicorn has already done what the signal asks for."""
