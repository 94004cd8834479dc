"""What an outbox still holds although its stream has it: the relay had not come to forgetting it when the cut was made.

Published again it would be skipped by its id, as after a crash; but it need not stand in the stream twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from backup.manifest import StreamPart
from chassis.bus.broker import Broker
from chassis.bus.inspection import message_at
from chassis.bus.streams import stream_of
from chassis.store import outbox
from chassis.store.database import Database
from chassis.store.tables import OUTBOX

_MOST_ROWS: Final = 4_000  # a relay forgets after half a second or 500 rows: the rest was not published
_MOST_MESSAGES: Final = 20_000
_PAGE: Final = 200
_CLOCKS: Final = timedelta(seconds=10)  # so much may the clocks of a service and of the server differ


async def forget_published(broker: Broker, url: str, streams: Mapping[str, StreamPart]) -> int:
    """Remove from the outbox at `url` what stands in its stream up to the cut; how many rows that was."""
    columns = (OUTBOX.c.id, OUTBOX.c.event_id, OUTBOX.c.subject, OUTBOX.c.created_at)
    async with Database(url) as database:
        async with database.read() as session:
            rows = list(await session.execute(select(*columns).order_by(OUTBOX.c.id).limit(_MOST_ROWS)))
        by_stream: dict[str, list[Any]] = {}
        for row in rows:
            by_stream.setdefault(stream_of(row.subject), []).append(row)
        found = [
            number
            for name, waiting in by_stream.items()
            if name in streams
            for number in await _published(broker, name, streams[name].cut, waiting)
        ]
        if found:
            async with database.begin() as session:
                await outbox.forget(session, found)
    return len(found)


async def _published(broker: Broker, name: str, cut: int, rows: Sequence[Any]) -> list[int]:
    """The numbers of those rows that the stream holds at its end."""
    since: datetime = min(row.created_at for row in rows) - _CLOCKS
    known: set[tuple[str, str]] = set()
    for last in range(cut, max(0, cut - _MOST_MESSAGES), -_PAGE):
        numbers = range(max(1, last - _PAGE + 1), last + 1)
        page = [one for one in await asyncio.gather(*(message_at(broker, name, one) for one in numbers)) if one]
        known |= {(one.headers.get("ce-id", ""), one.subject) for one in page}
        if page and page[0].timestamp < since:
            break
    return [row.id for row in rows if (row.event_id, row.subject) in known]
