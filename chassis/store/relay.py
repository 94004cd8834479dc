"""From the outbox to the broker: in order, at once after a commit, again and again until the broker has it or will not
have it.

What was said is handed over in memory; the store is read at the start, after a failure, and now and then, for what
others wrote. That the broker has a row is written down by the next transaction that comes along.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

import structlog

from chassis.clock import wall_clock
from chassis.progress import Progress
from chassis.store import inbox, outbox, refused_events
from chassis.store.background import RetryLoop, WakeSignal, backoff
from chassis.store.database import Database
from chassis.store.leader_lock import leader_lock
from chassis.store.outbox import Backlog, Waiting
from chassis.store.relay_queue import RelayQueue, owner_of
from chassis.store.session import Session
from chassis.store.stream_line import LineOutcome, Publish, StreamLine, TooManyRefused

log = structlog.get_logger(__name__)

_BATCH: Final = 500  # the broker takes up to 1000 messages as one atomic batch; half leaves room for their size
# so long a mark waits for a transaction to ride in; a crash repeats at most this much, or _BATCH messages
_FORGET_AFTER_SECONDS: Final = 0.5
_PURGE_ROWS: Final = 1000  # of the inbox at a time: few enough not to hold up writers


class Standstill(NamedTuple):
    """Work of the relay that does not get done: what (a stream's name, or "the outbox" itself), since when, and what
    stopped it last.
    """

    what: str
    seconds: float
    last_error: str


class Ride:
    """What a write transaction does for the relay: it forgets what the broker has, and says what was said in it."""

    def __init__(self, queue: RelayQueue) -> None:
        self._queue = queue
        self.marks: list[int] = []
        self.said: Sequence[Waiting] = ()

    async def write(self, session: Session) -> None:
        """Take the marks that there are into this transaction."""
        if self._queue.confirmed:
            self.marks = self._queue.take_marks()
            await outbox.forget(session, self.marks)


class Relay:
    """Publishes what waits in the outbox. `publish` returns when the broker has all of the batch on disk, or raises.

    Order holds within a stream: a stream that takes nothing now is waited for, and holds up no other. A message that
    the broker will not have (PublishRefused) is found alone, set aside with the reason, and those behind it go on. A
    message may be published twice (a crash before it is forgotten, a lost answer): receivers know it by its id. On
    PostgreSQL one relay per store is active and others stand by.
    """

    def __init__(
        self,
        database: Database,
        publish: Publish,
        *,
        poll_seconds: float = 1.0,
        purge_seconds: float = 30.0,
        forget_seconds: float = _FORGET_AFTER_SECONDS,
    ) -> None:
        self._database = database
        self._publish = publish
        self._poll_seconds = poll_seconds
        self._purge_seconds = purge_seconds
        self._forget_seconds = forget_seconds
        self._wake_signal = WakeSignal()
        # the store is away: the leader_lock is lost, and there is nothing to read
        self._loop = RetryLoop(self._wake_signal, "relay.interrupted")
        self._lines: dict[str, StreamLine] = {}  # by the first token of the subject: one stream each
        self._store = Progress()
        self._queue = RelayQueue()
        self._look_at = -math.inf
        self._forget_at = math.inf
        self._purge_at = time.monotonic() + purge_seconds
        self._is_active = False

    @property
    def is_active(self) -> bool:
        """Whether this relay publishes, or stands by for another that does."""
        return self._is_active

    @property
    def standstills(self) -> list[Standstill]:
        """What has work and gets nowhere, however short."""
        found = [Standstill("the outbox", self._store.stuck_seconds, self._store.last_error)]
        found += [
            Standstill(owner.upper(), line.progress.stuck_seconds, line.progress.last_error)
            for owner, line in self._lines.items()
        ]
        return [one for one in found if one.seconds > 0]

    def wake(self) -> None:
        """Something was committed to the outbox: look."""
        self._look_at = -math.inf
        self._wake_signal.wake()

    def hand_over(self, rows: Sequence[Waiting]) -> None:
        """These were just committed to the outbox. Whoever stands by passes on that there is something."""
        self._queue.hand_over(rows)
        self._wake_signal.wake()

    @contextmanager
    def ride(self) -> Iterator[Ride]:
        """Around a write transaction, which may take marks along."""
        ride = Ride(self._queue)
        try:
            yield ride
        except BaseException:
            self._queue.keep(ride.marks)
            if ride.said:
                self.wake()  # it may have been committed all the same
            raise
        self._queue.forget(ride.marks)
        if ride.said:
            self.hand_over(ride.said)

    async def run(self) -> None:
        """Relay until stopped; whatever fails is tried again."""
        await self._loop.run(self._lead)

    async def stop(self) -> None:
        """Publish and forget what waits, then end.

        What the broker does not take now stays in the store for the next start.
        """
        await self._loop.stop()

    async def backlog(self) -> Backlog:
        """What waits, and since when."""
        async with self._database.glance() as session:
            return await outbox.backlog(session, self._queue.settled)

    async def _lead(self) -> None:
        try:
            async with leader_lock(self._database, self._wake_signal, self._poll_seconds, self.wake) as is_held:
                self._queue.reset()  # others may have published meanwhile
                self._is_active = is_held()
                self._store.rest()
                try:
                    await self._relay(is_held)
                finally:
                    self._is_active = False
        except Exception as error:
            self._store.fail(error)
            raise

    async def _relay(self, is_held: Callable[[], bool]) -> None:
        failures = 0
        while is_held():
            try:
                is_done = await self._turn()
                failures = 0
            except Exception as error:
                failures += 1
                self._queue.reset()
                self._store.fail(error)
                log.warning("outbox.unread", error=repr(error), failures=failures)
                is_done = self._wake_signal.is_closed
                await self._wake_signal.pause(backoff(failures))
            if is_done:
                return

    async def _turn(self) -> bool:
        """Publish a batch and rest until there may be another; answers whether all is done and this relay is to end."""
        is_ending = self._wake_signal.is_closed  # asked first: what was committed before the end must still be read
        self._store.begin()
        held = self._held()
        if is_ending or not self._queue.is_complete or time.monotonic() >= self._look_at:
            await self._look(held)
        settled = await self._publish_next(held)
        now = time.monotonic()
        if now >= self._forget_at or self._queue.confirmed >= _BATCH or (is_ending and not settled):
            await self._forget()
        if now >= self._purge_at:
            await self._purge()
        self._store.rest()
        if is_ending:
            return not settled
        if settled < _BATCH:
            await self._rest(now)
        return False

    async def _rest(self, now: float) -> None:
        most = min(self._forget_at - now, self._look_at - now)
        held = [line.held_until - now for line in self._lines.values() if line.held_until > now]
        if held:  # no ring ends this: reading past what waits may cost more than a wake-up should
            await self._wake_signal.pause(min(most, *held))
        else:
            await self._wake_signal.rest(most)

    def _held(self) -> set[str]:
        now = time.monotonic()
        return {owner for owner, line in self._lines.items() if line.held_until > now}

    async def _look(self, held: Collection[str]) -> None:
        """Read what is not known; what goes to a stream of `held` is left for later."""
        self._look_at = time.monotonic() + self._poll_seconds
        is_read = False
        while not is_read:
            left_out = () if self._queue.is_complete else held  # a page may be full of what cannot go
            if left_out and left_out == self._lines.keys():
                return
            known = self._queue.known()
            async with self._database.glance() as session:
                rows = await outbox.waiting(session, _BATCH, known, left_out)
            is_read = self._queue.read(rows, is_all=len(rows) < _BATCH and not left_out)

    async def _publish_next(self, held: Collection[str]) -> int:
        """Publish the first so many of what may go now; answers how many are the broker's, or set aside."""
        rows = self._queue.first(_BATCH, held)
        by_owner: dict[str, list[Waiting]] = {}
        for row in rows:
            by_owner.setdefault(owner_of(row), []).append(row)
        for owner in self._lines.keys() - held - by_owner.keys():
            self._lines[owner].release()  # whatever it was held for is gone
        outcomes = await asyncio.gather(*(self._publish_line(owner, waiting) for owner, waiting in by_owner.items()))
        confirmed = [row_id for outcome in outcomes for row_id in outcome.confirmed]
        if confirmed:
            self._queue.confirm(confirmed)
            self._forget_at = min(self._forget_at, time.monotonic() + self._forget_seconds)
        set_aside = [
            await self._set_aside(self._lines[owner], outcome.refusals)
            for owner, outcome in zip(by_owner, outcomes, strict=True)
        ]
        return len(confirmed) + sum(set_aside)

    async def _publish_line(self, owner: str, rows: Sequence[Waiting]) -> LineOutcome:
        line, outcome = self._lines.setdefault(owner, StreamLine()), LineOutcome()
        line.progress.begin()
        try:
            await line.publish(rows, self._publish, outcome)
        except Exception as error:
            line.hold(error)
            log.warning("outbox.delayed", stream=owner.upper(), error=repr(error), failures=line.failures)
        else:
            line.release()
        return outcome

    async def _set_aside(self, line: StreamLine, refusals: Sequence[tuple[int, str]]) -> int:
        if not refusals:
            return 0
        async with self._database.begin() as session:
            taken = await refused_events.set_aside(session, refusals, wall_clock())
        self._queue.drop(number for number, _ in refusals[:taken])
        for number, reason in refusals[:taken]:
            log.error("outbox.refused", number=number, reason=reason)
        if taken < len(refusals):
            line.hold(TooManyRefused(f"no room to set more aside; the next: {refusals[taken][1]}"))
        return taken

    async def _forget(self) -> None:
        self._forget_at = math.inf
        if not self._queue.confirmed:
            return  # they rode along with others
        with self.ride() as ride:
            async with self._database.begin() as session:
                await ride.write(session)

    async def _purge(self) -> None:
        async with self._database.begin() as session:
            forgotten = await inbox.forget(session, wall_clock(), _PURGE_ROWS)
        if forgotten < _PURGE_ROWS:
            self._purge_at = time.monotonic() + self._purge_seconds
