"""Fires timers by the wall clock: sleeps until the next is due or a new one is set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

import structlog

from chassis.clock import wall_clock
from chassis.errors import NotReady
from chassis.progress import Progress, describe
from chassis.store import timers
from chassis.store.background import RetryLoop, WakeSignal
from chassis.store.database import Database

log = structlog.get_logger(__name__)

Process = Callable[[datetime, int], Awaitable[int]]

_BATCH = 250
_TAKEN_SECONDS = 0.2  # due timers that another process is handling: look again soon, in case it fails


class TimerClock:
    """Calls `process(now, limit)` whenever timers of `kinds` are due.

    `process` opens a transaction, takes up to `limit` due timers in it (`timers.take_due`), runs their
    handlers, commits, and answers how many it took: so a timer is gone exactly when its effects are there. When
    it raises, the batch is halved until the bad timer stands alone; that one is put off, longer each time, and
    never lost. Several clocks may run on one store.
    """

    def __init__(
        self,
        database: Database,
        kinds: Collection[str],
        process: Process,
        *,
        clock: Callable[[], datetime] = wall_clock,
        poll_seconds: float = 5.0,
    ) -> None:
        self._database = database
        self._kinds = frozenset(kinds)
        self._process = process
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._wake_signal = WakeSignal()
        self._loop = RetryLoop(self._wake_signal, "timers.delayed")
        self._limit = _BATCH
        self._progress = Progress()
        # None: it is at work, and may have looked too early to see what is set now
        self._looks_again_at: datetime | None = None

    @property
    def kinds(self) -> Collection[str]:
        """The kinds of timers that it fires."""
        return self._kinds

    @property
    def progress(self) -> Progress:
        """Whether timers that are due get fired."""
        return self._progress

    def wake(self, due_at: datetime | None = None) -> None:
        """A timer was set for `due_at`; None: the clock was moved.

        Whoever looks again before that anyway need not be woken.
        """
        if due_at is None or self._looks_again_at is None or due_at < self._looks_again_at:
            self._wake_signal.wake()

    async def run(self) -> None:
        """Fire until stopped; whatever fails is tried again."""
        if self._kinds:
            await self._loop.run(self._turn)

    async def stop(self) -> None:
        """Finish the batch in hand, then end. What is due stays in the store for the next start."""
        await self._loop.stop()

    async def _turn(self) -> None:
        self._progress.begin()
        try:
            await self._look()
        except Exception as error:
            self._progress.fail(error)
            raise

    async def _look(self) -> None:
        self._looks_again_at = None
        async with self._database.glance() as session:
            due = await timers.next_due(session, self._kinds)
        now = self._clock()
        wait = self._poll_seconds if due is None else (due - now).total_seconds()
        if wait > 0:
            rest = min(wait, self._poll_seconds)
            self._looks_again_at = now + timedelta(seconds=rest)
            self._progress.rest()
            await self._wake_signal.rest(rest)
        elif await self._fire(now):
            self._progress.advance()
        else:
            self._progress.rest()
            await self._wake_signal.rest(_TAKEN_SECONDS)

    async def _fire(self, now: datetime) -> int:
        try:
            fired = await self._process(now, self._limit)
        except Exception as error:
            if isinstance(error, NotReady) or self._database.is_transient(error):
                raise
            return await self._isolate(now, error)
        self._limit = min(_BATCH, self._limit * 2)
        return fired

    async def _isolate(self, now: datetime, error: Exception) -> int:
        """Make the batch smaller, or put the one off that fails alone. Answers 1: there is more to do at once."""
        if self._limit > 1:
            self._limit //= 2
            return 1
        async with self._database.begin() as session:
            put_off = await timers.postpone_first(session, now, self._kinds, describe(error))
        if put_off is not None:
            log.error("timer.failed", kind=put_off[0], key=put_off[1], exc_info=error)
        return 1
