"""Before a process serves its store is prepared or awaited; meanwhile its ports answer that it lives, is not ready, and
why.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson
import structlog

from chassis.errors import NOT_READY, TYPE_PREFIX
from chassis.settings import ServiceSettings
from chassis.store.preparation import prepare

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 5.0
_UNSEEN_SECONDS = 0.3  # a store that is there is prepared within; nobody need see that
_REASONS = {200: "OK", 503: "Service Unavailable"}


class Notice:
    """Answers every request by itself; the process that it speaks for takes none yet."""

    def __init__(self) -> None:
        self.reason = "it is looked at, or its migrations run"

    @asynccontextmanager
    async def shown(self, host: str, port: int) -> AsyncIterator[None]:
        """Inside the block `port` is listened on, where it is free."""
        try:
            server = await asyncio.start_server(self._serve, host, port)
        except OSError as error:
            log.warning("notice.unseen", reason=str(error))
            yield
            return
        async with server:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head.split(b" ", 2)[1].partition(b"?")[0].decode("latin-1")))
                await writer.drain()
        except asyncio.CancelledError:
            pass  # the store is there
        except (TimeoutError, OSError, IndexError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever it was asks again
        finally:
            writer.close()

    def _answer(self, path: str) -> bytes:
        status, media_type, body = 503, "application/problem+json", self._problem(path)
        if path == "/healthz":
            status, media_type, body = 200, "application/json", {"status": "alive"}
        content = orjson.dumps(body)
        head = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {media_type}\r\nContent-Length: {len(content)}\r\n"
            "Retry-After: 1\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + content

    def _problem(self, path: str) -> dict[str, Any]:
        remedy = "Run its migrations, or look at the database. It is tried again by itself"
        return {
            "type": TYPE_PREFIX + NOT_READY,
            "title": "Not ready",
            "status": 503,
            "detail": f"not ready: store: {self.reason}",
            "instance": path,
            "errors": [{"field": "store", "reason": self.reason, "remedy": remedy}],
        }


async def store_prepared(settings: ServiceSettings, migrations: str | None) -> bool:
    """Prepares or awaits the store, a notice on the ports meanwhile. False: SIGTERM or SIGINT came, it is to end.

    Raises what `chassis.store.preparation.prepare` raises.
    """
    task = asyncio.create_task(_prepared(settings, migrations))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
        return True
    return False


async def _prepared(settings: ServiceSettings, migrations: str | None) -> None:
    notice = Notice()

    def tell(reason: str) -> None:
        notice.reason = reason

    work = asyncio.create_task(prepare(settings.owner_url, migrations, runs=settings.migrations == "run", tell=tell))
    try:
        await asyncio.wait((work,), timeout=_UNSEEN_SECONDS)
        async with AsyncExitStack() as stack:
            for port in () if work.done() else settings.ports:
                await stack.enter_async_context(notice.shown(settings.host, port))
            await work
    finally:
        work.cancel()
