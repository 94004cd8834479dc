"""Waiting for something to come true, without guessing how long it takes."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")

_SLOWNESS = 4
"""Limits are written as they are for our machines; so much slower may another
one be. Who passes does not wait for them.
"""
_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.1


@overload
async def eventually(probe: Callable[[], Awaitable[T]], *, within: float = 5.0) -> T: ...
@overload
async def eventually(probe: Callable[[], T], *, within: float = 5.0) -> T: ...
async def eventually(probe: Callable[[], Any], *, within: float = 5.0) -> Any:
    """Ask `probe` (sync or async) again and again until it answers something true; give that answer back.

    An AssertionError inside the probe counts as "not yet". A probe declared `-> None` only asserts: it is true once it
    does not raise. Fails after `within` seconds (of a quick machine), telling the last value or assertion seen.
    """
    only_asserts = getattr(probe, "__annotations__", {}).get("return", Any) in (None, "None")
    deadline = time.monotonic() + within * _SLOWNESS
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            answer = probe()
            value = await answer if inspect.isawaitable(answer) else answer
            if value or only_asserts:
                return value
            seen = repr(value)
        except AssertionError as error:
            seen = f"AssertionError: {error}"
        if time.monotonic() >= deadline:
            raise AssertionError(f"not true within {within * _SLOWNESS} s; last seen: {seen}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
