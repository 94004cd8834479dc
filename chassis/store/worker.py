"""A thread kept for what may wait: a disk, a lock of another process, a long answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

Answer = TypeVar("Answer")
_Job = tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]


class Worker:
    """Runs one call after the other; begins with the first one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(
        self, function: Callable[..., Answer], *arguments: Any, interrupt: Callable[[], None] | None = None
    ) -> Answer:
        """What `function` answers or raises.

        Who is cancelled waits for the end all the same, because until then the thread uses
        what it was given; `interrupt` hastens it.
        """
        try:
            answer: Answer = await self._submit(function, arguments)
        except asyncio.CancelledError:
            if interrupt is not None:
                interrupt()
            await self._idle()
            raise
        return answer

    def close(self) -> None:
        """End the thread when it has done what it was given."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread = None

    def _submit(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> asyncio.Future[Any]:
        if self._thread is None:
            self._thread = threading.Thread(target=_work, args=(self._jobs,), name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._jobs.put((loop, future, function, arguments))
        return future

    async def _idle(self) -> None:
        while True:  # calls are run in order, so behind the last one nothing is left; whoever cancels again waits again
            try:
                await self._submit(_nothing, ())
            except asyncio.CancelledError:
                continue
            return


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        loop, future, function, arguments = job
        answer, error = None, None
        try:
            answer = function(*arguments)
        except BaseException as raised:
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, future, answer, error)
        del job, future, function, arguments, answer, error  # nothing is kept alive until the next call


def _settle(future: asyncio.Future[Any], answer: Any, error: BaseException | None) -> None:
    if future.done():  # cancelled meanwhile
        return
    if error is None:
        future.set_result(answer)
    else:
        future.set_exception(error)


def _nothing() -> None:
    return None
