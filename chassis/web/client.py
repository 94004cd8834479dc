"""The client for asking other services on slow paths, and for tests.

Hot paths use aiohttp itself: httpx costs most of the request.
"""

from __future__ import annotations

from typing import Any

import httpx
from httpx_aiohttp import AiohttpTransport

from chassis.telemetry import trace_headers


def http_client(base_url: str, timeout_seconds: float = 5.0, **options: Any) -> httpx.AsyncClient:
    """A client of `base_url` that carries the trace on. Close it; `options` are httpx's, a `transport` among them."""
    options.setdefault("transport", AiohttpTransport())
    return httpx.AsyncClient(
        base_url=base_url, timeout=timeout_seconds, event_hooks={"request": [_carry_trace]}, **options
    )


async def _carry_trace(request: httpx.Request) -> None:
    for name, value in trace_headers().items():
        request.headers.setdefault(name, value)
