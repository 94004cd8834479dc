"""The last requests of each key and source, in memory: what was asked, what was answered, and why not.

A web developer looks here when calls are refused. Nothing is written to the store but, once a minute at most, when a
key was used last.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, NamedTuple

import structlog
from sqlalchemy import bindparam, or_, update
from starlette.types import Scope

from chassis.endings import end_tasks
from chassis.store.batch import core_table
from chassis.store.columns import UtcDateTime
from chassis.store.database import Database
from contracts.limits import REASON_CHARACTERS
from gateway.store import ApiKeyRow, SourceRow

log = structlog.get_logger()

REQUESTS: Final = 200
"""Remembered of each key and source, in each gateway process: what a developer needs to see a mistake."""
REQUEST_OWNERS: Final = 1_000
"""Keys and sources of which requests are remembered; the one that was silent longest gives way."""
OWNER: Final = "rapport.owner"
"""In the scope of a request: the id of the key or source whose secret it came with, good or good no more."""
COUNTS: Final = "rapport.counts"
"""In the scope of a capture: how many events were taken and refused, and the first reason."""
WRITE_SECONDS: Final = 60.0
_UNAUTHENTICATED = 401
_PATH_CHARACTERS, _AGENT_CHARACTERS = 200, 120


class LoggedRequest(NamedTuple):
    """One request and its answer. `events` were taken, `rejected` refused; both None where no event is sent."""

    at: datetime
    method: str
    path: str  # without its query: keys and people's names may stand there
    status: int
    reason: str | None
    user_agent: str | None
    events: int | None
    rejected: int | None


class RequestLog:
    """Takes requests at any rate."""

    def __init__(self, clock: Callable[[], datetime], kept: int = REQUESTS, owners: int = REQUEST_OWNERS) -> None:
        self._clock = clock
        self._kept = kept
        self._owners = owners
        self._of: OrderedDict[str, deque[LoggedRequest]] = OrderedDict()
        self._used: dict[str, datetime] = {}

    def note(self, scope: Scope, status: int, reason: str | None = None) -> None:
        """Remember a request that was answered. One of which nobody knows whose it is belongs to nobody's list."""
        owner = scope.get(OWNER)
        if owner is None:
            return
        requests = self._of.get(owner)
        if requests is None:
            requests = self._of[owner] = deque(maxlen=self._kept)
            if len(self._of) > self._owners:
                self._of.popitem(last=False)
        self._of.move_to_end(owner)
        at = self._clock()
        taken, rejected, first = scope.get(COUNTS, (None, None, None))
        told = reason or first
        requests.append(
            LoggedRequest(
                at,
                scope["method"],
                scope["path"][:_PATH_CHARACTERS],
                status,
                None if told is None else told[:REASON_CHARACTERS],
                _user_agent(scope),
                taken,
                rejected,
            )
        )
        if status != _UNAUTHENTICATED:
            self._used[owner] = at

    def of(self, owner: str) -> Sequence[LoggedRequest]:
        """The last requests of a key or source, newest first."""
        return list(reversed(self._of.get(owner, ())))

    def take_used(self) -> dict[str, datetime]:
        """When each was used last, of those used since this was asked before."""
        used, self._used = self._used, {}
        return used


async def write_used(database: Database, requests: RequestLog) -> None:
    """Write when keys were used last, to the minute; a later use that another process wrote stays."""
    used = {owner: at.replace(second=0, microsecond=0) for owner, at in requests.take_used().items()}
    if not used:
        return
    async with database.begin() as session:
        for statement, is_key in ((_USED_KEY, True), (_USED_SOURCE, False)):
            rows = [{"owner": owner, "used": at} for owner, at in used.items() if owner.startswith("key_") is is_key]
            if rows:
                await session.execute(statement, sorted(rows, key=lambda row: str(row["owner"])))


@asynccontextmanager
async def written(
    database: Database, requests: RequestLog, every_seconds: float = WRITE_SECONDS
) -> AsyncIterator[None]:
    """Uses are written every so often inside the block, and at its end."""
    task = asyncio.create_task(_write_for_ever(database, requests, every_seconds), name="last use of keys")
    try:
        yield
    finally:
        await end_tasks(task)
        await _try_writing(database, requests)


async def _write_for_ever(database: Database, requests: RequestLog, every_seconds: float) -> None:
    while True:
        await asyncio.sleep(every_seconds)
        await _try_writing(database, requests)


async def _try_writing(database: Database, requests: RequestLog) -> None:
    try:
        await write_used(database, requests)
    except Exception as error:  # a hint to whoever tidies up keys; the next use is written again
        log.warning("last_use.lost", reason=type(error).__name__)


def _user_agent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"user-agent":
            agent: str = value[:_AGENT_CHARACTERS].decode("latin-1")
            return agent
    return None


_KEY, _SOURCE = core_table(ApiKeyRow), core_table(SourceRow)
_AT = bindparam("used", type_=UtcDateTime)
_USED_KEY, _USED_SOURCE = (
    update(table)
    .where(table.c[name] == bindparam("owner"), or_(table.c.last_used_at.is_(None), table.c.last_used_at < _AT))
    .values(last_used_at=_AT)
    for table, name in ((_KEY, "key_id"), (_SOURCE, "source_id"))
)
