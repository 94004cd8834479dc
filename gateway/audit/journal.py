"""The journal: entries of all requests in hand, gathered into few transactions.

A change is written before it is begun, and its outcome after; a kill in between leaves the entry without an outcome.
What was read is written afterwards, within half a second: so much of the reads a kill may lose, and an orderly end
none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog

from chassis.endings import end_tasks
from chassis.errors import Unavailable
from chassis.store.database import Database
from gateway.audit import entries
from gateway.audit.entries import AuditEntry, AuditOutcome

log = structlog.get_logger()
Waiting = TypeVar("Waiting")

AUDIT_READS: Final = 20_000
"""Reads that wait to be written while the store is away; the oldest give way, and the log says so. Changes do not wait:
they are refused.
"""
_GATHER_SECONDS: Final = 0.5
_RETRY_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 5.0
_MOST_AT_ONCE: Final = 500
_TIDY_SECONDS: Final = 3600.0


class Journal:
    """Takes entries at any rate; `run` writes them."""

    def __init__(self, database: Database, clock: Callable[[], datetime], days: int) -> None:
        self._database = database
        self._clock = clock
        self._kept = timedelta(days=days)
        self._begun: deque[tuple[AuditEntry, asyncio.Future[int]]] = deque()
        self._ended: deque[AuditOutcome] = deque()
        self._seen: deque[AuditEntry] = deque()
        self._arrived = asyncio.Event()
        self._urgent = asyncio.Event()
        self._is_ending = False

    @property
    def waiting(self) -> int:
        """Entries and outcomes that no transaction has taken yet."""
        return len(self._begun) + len(self._ended) + len(self._seen)

    async def begin(self, entry: AuditEntry) -> int:
        """Returns the entry's number once it is on disk. Raises Unavailable: what cannot be recorded is not done."""
        written: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._begun.append((entry, written))
        self._arrived.set()
        self._urgent.set()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await written
        except TimeoutError:
            raise Unavailable("The audit cannot be written, and nothing is changed without it") from None

    def end(self, outcome: AuditOutcome) -> None:
        """What became of it."""
        self._ended.append(outcome)
        self._arrived.set()

    def saw(self, entry: AuditEntry) -> None:
        """Somebody was shown something."""
        if len(self._seen) >= AUDIT_READS:
            self._seen.popleft()
            log.warning("audit.lost", count=1, reason="the store takes nothing")
        self._seen.append(entry)
        self._arrived.set()

    async def run(self) -> None:
        """Write until `stop`: changes at once, all that came meanwhile in the same transaction."""
        while not self._is_ending:
            await self._arrived.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(_GATHER_SECONDS):
                    await self._urgent.wait()
            self._arrived.clear()
            self._urgent.clear()
            if not await self.flush():
                self._arrived.set()
                await asyncio.sleep(_RETRY_SECONDS)

    def stop(self) -> None:
        """Finish the transaction in hand; nothing else is begun."""
        self._is_ending = True
        self._arrived.set()
        self._urgent.set()

    async def flush(self) -> bool:
        """Write what waits. False when the store takes nothing: changes are refused, the rest waits on."""
        while self._begun or self._ended or self._seen:
            begun = _taken(self._begun)
            ended, seen = _taken(self._ended), _taken(self._seen)
            try:
                numbers = await self._write([*(entry for entry, _ in begun), *seen], ended)
            except Exception as error:  # mostly the store that is away
                self._ended.extendleft(reversed(ended))
                self._seen.extendleft(reversed(seen))
                _refuse([written for _, written in begun])
                log.warning("audit.waits", reason=type(error).__name__, changes=len(ended), reads=len(self._seen))
                return False
            for (_, written), number in zip(begun, numbers, strict=False):
                if not written.done():
                    written.set_result(number)
        return True

    async def tidy(self) -> None:
        """Forget what is older than it is to be kept, now and every hour."""
        while True:
            try:
                await self.forget_old()
            except Exception as error:
                log.warning("audit.untidied", reason=type(error).__name__)
            await asyncio.sleep(_TIDY_SECONDS)

    async def forget_old(self) -> None:
        """Remove what is older than it is to be kept."""
        gone = 1
        while gone:
            async with self._database.begin() as session:
                gone = await entries.forget_before(session, self._clock() - self._kept)

    async def _write(self, new: Sequence[AuditEntry], ended: Sequence[AuditOutcome]) -> list[int]:
        async with self._database.begin() as session:
            numbers = await entries.add(session, new)
            if ended:
                await entries.finish(session, ended)
            return numbers


@asynccontextmanager
async def writing(journal: Journal) -> AsyncIterator[Journal]:
    """`journal`, written in the background inside the block, and to its end after it."""
    task = asyncio.create_task(journal.run(), name="audit")
    tidy = asyncio.create_task(journal.tidy(), name="audit: tidy")
    try:
        yield journal
    finally:
        journal.stop()
        await asyncio.wait([task], timeout=_PATIENCE_SECONDS)  # cancelled in a transaction it would lose what it took
        await end_tasks(task, tidy)
        await journal.flush()


def _taken(waiting: deque[Waiting]) -> list[Waiting]:
    return [waiting.popleft() for _ in range(min(_MOST_AT_ONCE, len(waiting)))]


def _refuse(waiting: Sequence[asyncio.Future[int]]) -> None:
    for written in waiting:
        if not written.done():
            written.set_exception(Unavailable("The audit cannot be written, and nothing is changed without it"))
