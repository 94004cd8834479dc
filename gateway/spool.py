"""The forms that NATS does not take wait in the gateway's own store; here it is
asked whether that store would take one.
"""

from __future__ import annotations

import asyncio
import time

import structlog

from chassis.runtime import Runtime
from gateway.store import try_writing

log = structlog.get_logger(__name__)

_TRIED_SECONDS = 1.0  # anybody may ask: however often they do, the disk is asked this often at most
_PATIENCE_SECONDS = 2.0


class FormKeeping:
    """Whether a form that is posted now would be kept: on the stream, or else in
    this gateway's own store until NATS is back.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._turn = asyncio.Lock()
        self._tried_at = -_TRIED_SECONDS
        self._refusal = ""

    async def why_not(self) -> str:
        """What is in the way, in plain words; empty when forms are kept."""
        if self._runtime.is_stopping:
            return "stopping"
        if self._runtime.broker.is_ready:
            return ""
        async with self._turn:
            if time.monotonic() >= self._tried_at + _TRIED_SECONDS:
                self._refusal = await self._store_refuses()
                self._tried_at = time.monotonic()
        return (
            f"{self._runtime.broker.why_not_ready}; and the store takes nothing: {self._refusal}"
            if self._refusal
            else ""
        )

    async def _store_refuses(self) -> str:
        database = self._runtime.database
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), database.begin() as session:
                await try_writing(session, self._runtime.clock())
        except Exception as error:
            if not (isinstance(error, TimeoutError) or database.is_transient(error)):
                raise
            log.warning("spool.refuses", reason=type(error).__name__)
            return type(error).__name__
        return ""
