"""Ending what runs in the background."""

from __future__ import annotations

import asyncio
from typing import Any, Final

_AGAIN_SECONDS: Final = 0.5


async def end_tasks(*tasks: asyncio.Task[Any]) -> None:
    """Cancel `tasks` and wait until they have ended, however.

    One that goes on is cancelled again: a library may lose a cancellation that comes with what it waited for, as
    `asyncio.wait_for` of Python 3.11 does, and would be waited for for ever.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)  # what they failed with is nobody's any more
