"""From the outbox to the broker: in order, at once after a commit, again and again until the broker has it."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from chassis.message import OutMessage
from chassis.store import inbox, outbox
from chassis.store.baton import baton
from chassis.store.bell import Bell, backoff
from chassis.store.database import Database
from chassis.store.patrol import Patrol

log = structlog.get_logger(__name__)

Publish = Callable[[Sequence[OutMessage]], Awaitable[None]]

_BATCH = 500  # the broker takes up to 1000 messages as one atomic batch; half leaves room for their size
_MARK_AFTER_SECONDS = 0.1  # one write transaction per this time instead of one per publish; a crash repeats at most this much
_PURGE_ROWS = 1000  # more than a turn publishes, so that purging keeps up; few enough not to hold up writers


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long rows stay: published messages, for a broker that lost its tail; claims, for whatever may still be sent again (dead letters)."""

    published_hours: float = 6.0
    claimed_days: float = 30.0
    purge_seconds: float = 30.0


_KEEPING = Keeping()


class Relay:
    """Publishes what waits in the outbox. `publish` returns when the broker has all of the batch on disk, or raises.

    A message may be published twice (a crash before it is marked, a lost answer): receivers know it by its id. On PostgreSQL one relay per
    store is active and others stand by. It also forgets what need not be kept longer.
    """

    def __init__(self, database: Database, publish: Publish, *, poll_seconds: float = 1.0, keeping: Keeping = _KEEPING) -> None:
        self._database = database
        self._publish = publish
        self._poll_seconds = poll_seconds
        self._keeping = keeping
        self._bell = Bell()
        self._patrol = Patrol(self._bell, "relay.interrupted")  # the store is away: the baton is lost, and there is nothing to read
        self._unmarked: list[int] = []  # the broker has these; the store does not know yet
        self._mark_at = math.inf
        self._purge_at = time.monotonic() + keeping.purge_seconds
        self._is_active = False

    @property
    def is_active(self) -> bool:
        """Whether this relay publishes, or stands by for another that does."""
        return self._is_active

    def wake(self) -> None:
        """Something was committed to the outbox."""
        self._bell.ring()

    async def run(self) -> None:
        """Relay until stopped; whatever fails is tried again."""
        await self._patrol.run(self._hold_baton)

    async def stop(self) -> None:
        """Publish and mark what waits, then end. What the broker refuses now stays in the store for the next start."""
        await self._patrol.stop()

    async def age_seconds(self) -> float:
        """For how long the oldest unpublished message has been waiting; 0 when none is."""
        async with self._database.glance() as session:
            oldest = await outbox.oldest_waiting(session)
        return 0.0 if oldest is None else max(0.0, (datetime.now(UTC) - oldest).total_seconds())

    async def _hold_baton(self) -> None:
        async with baton(self._database, self._bell, self._poll_seconds) as is_held:
            self._is_active = is_held()
            try:
                await self._relay(is_held)
            finally:
                self._is_active = False

    async def _relay(self, is_held: Callable[[], bool]) -> None:
        failures = 0
        while is_held():
            try:
                is_done = await self._turn()
                failures = 0
            except Exception as error:
                failures += 1
                log.warning("outbox.delayed", error=repr(error), failures=failures)
                is_done = self._bell.is_closed
                await self._bell.pause(backoff(failures))
            if is_done:
                return

    async def _turn(self) -> bool:
        """Publish a batch and rest until there may be another; answers whether all is done and this relay is to end."""
        is_ending = self._bell.is_closed  # asked first: what was committed before the end must still be read
        published = await self._publish_next()
        now = time.monotonic()
        if now >= self._mark_at or len(self._unmarked) >= _BATCH or (is_ending and not published):
            await self._mark()
        if now >= self._purge_at:
            await self._purge()
        if is_ending:
            return not published
        if published < _BATCH:
            await self._bell.rest(min(self._mark_at - now, self._poll_seconds))
        return False

    async def _publish_next(self) -> int:
        async with self._database.glance() as session:
            rows = await outbox.waiting(session, _BATCH, self._unmarked)
        if rows:
            await self._publish([row.message for row in rows])
            self._unmarked.extend(row.row_id for row in rows)
            self._mark_at = min(self._mark_at, time.monotonic() + _MARK_AFTER_SECONDS)
        return len(rows)

    async def _mark(self) -> None:
        if not self._unmarked:
            return
        async with self._database.begin() as session:
            await outbox.mark_published(session, self._unmarked, datetime.now(UTC))
        self._unmarked = []
        self._mark_at = math.inf

    async def _purge(self) -> None:
        now = datetime.now(UTC)
        async with self._database.begin() as session:
            published = await outbox.purge(session, now - timedelta(hours=self._keeping.published_hours), _PURGE_ROWS)
            claimed = await inbox.forget(session, now - timedelta(days=self._keeping.claimed_days), _PURGE_ROWS)
        if max(published, claimed) < _PURGE_ROWS:
            self._purge_at = time.monotonic() + self._keeping.purge_seconds
