"""What was refused: gathered, written to the store in batches off the hot path,
and told to whoever is watching a source.

A reject is a hint to a developer, not a fact: at most a bounded number waits, and
a crash may lose the last second of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import orjson
import structlog

from chassis.bus.broker import Broker
from chassis.store.database import Database
from contracts.limits import EXCERPT_BYTES, REASON_CHARACTERS, UNRECOGNIZED
from gateway.domain.capture import CaptureSource
from gateway.domain.refusal import Reject
from gateway.store import add_rejects

log = structlog.get_logger()

SUBJECT = "gateway.rejected"
_MOST_WAITING = 5_000
_MOST_AT_ONCE = 500
_PAUSE_SECONDS = 0.2


class Rejects:
    """Takes rejects at any rate; `run` writes them."""

    def __init__(self, database: Database, broker: Broker, kept: int) -> None:
        self._database = database
        self._broker = broker
        self._kept = kept
        self._waiting: deque[dict[str, Any]] = deque(maxlen=_MOST_WAITING)  # the oldest give way
        self._posts = 0  # of these so many are whole: each may take 64 KB
        self._arrived = asyncio.Event()

    def note(self, source: CaptureSource, at: datetime, rejects: Sequence[Reject]) -> None:
        """Remember what `source` sent and was not taken."""
        for reject in rejects:
            post = reject.post if self._posts < UNRECOGNIZED else None
            self._posts += post is not None
            self._waiting.append({"source_id": source.source_id, "at": at, **_bounded(reject), "post": post})
        self._arrived.set()

    async def run(self) -> None:
        """Write and tell for ever."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            await self.flush()
            await asyncio.sleep(_PAUSE_SECONDS)  # a flood makes few large transactions

    async def flush(self) -> None:
        """Write and tell what waits. What the store does not take now is dropped, and the log says how much."""
        while self._waiting:
            rows = [self._waiting.popleft() for _ in range(min(_MOST_AT_ONCE, len(self._waiting)))]
            self._posts = sum(row["post"] is not None for row in self._waiting)
            for row in rows:
                told = {name: value for name, value in row.items() if name != "post"}
                await self._broker.send(f"{SUBJECT}.{row['source_id']}", orjson.dumps(told, option=orjson.OPT_UTC_Z))
            try:
                async with self._database.begin() as session:
                    await add_rejects(session, rows, self._kept)
            except Exception as error:
                log.warning("rejects.lost", count=len(rows), reason=type(error).__name__)


def _bounded(reject: Reject) -> dict[str, Any]:
    """A reject of about a kilobyte at most, whatever was refused: so many of them are kept for each source."""
    excerpt = reject.excerpt.encode()[:EXCERPT_BYTES].decode("utf-8", "ignore")
    return {
        "field": reject.field[:REASON_CHARACTERS],
        "reason": reject.reason[:REASON_CHARACTERS],
        "excerpt": excerpt,
        "kind": reject.kind.value,
        "form_id": reject.form_id,
    }


@asynccontextmanager
async def writing(rejects: Rejects) -> AsyncIterator[Rejects]:
    """`rejects`, written in the background inside the block."""
    task = asyncio.create_task(rejects.run(), name="rejects")
    try:
        yield rejects
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await rejects.flush()
