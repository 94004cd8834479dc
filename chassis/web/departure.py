"""The first moment of an orderly end: the process serves on and says that it is about to go, so that nobody is cut
off.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn

from chassis.runtime import Runtime

CLOSE = (b"connection", b"close")


async def give_notice(server: uvicorn.Server, runtime: Runtime[Any], seconds: float) -> None:
    """For `seconds` it is not ready, takes what comes all the same, and ends each connection with its answer.

    Whoever routes traffic by readiness looks elsewhere meanwhile, and clients open their next connection there.
    """
    runtime.is_stopping = True
    if seconds > 0:
        server.server_state.default_headers = [*server.server_state.default_headers, CLOSE]
        await asyncio.sleep(seconds)
