"""The process: logs, uvicorn, and an orderly end. SIGTERM lets what is in hand finish and exits 0."""

from __future__ import annotations

import gc
import os
import signal

import uvicorn

from chassis.app import Service
from chassis.logs import configure_logs


def serve(service: Service) -> None:
    """Runs `service` until SIGTERM or SIGINT. Exits 0 after an orderly end, 3 when it could not start."""
    settings = service.settings
    configure_logs(service.name, settings.log_level, settings.log_format)
    app = service.app()
    if service.warm is not None:
        service.warm()
    gc.freeze()  # what was imported stays; the collector need not look at it again
    os.nice(settings.niceness)
    # uvicorn raises the signal anew when it is done, which would end the process by the signal instead of with 0
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _ignore)
    uvicorn.run(
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


def _ignore(_number: int, _frame: object) -> None:
    """uvicorn has already done what the signal asks for."""
