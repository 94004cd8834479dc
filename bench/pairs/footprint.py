"""What stays of captures: rows and bytes in the stores, messages and bytes in the streams.

Outboxes and inboxes are left out: what only passes through stays for different times in different commits.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.bytes import NOTHING, STORES, ByteCount, count_streams
from bench.pairs.figures import MESSAGES, ROWS, STORE_BYTES, STREAM_BYTES
from bench.suite import BenchTarget

_PASSING = ("outbox", "inbox")
_SIZES = "select m.tbl_name, sum(s.pgsize) from dbstat s join sqlite_schema m on m.name = s.name group by m.tbl_name"


@dataclass(frozen=True)
class Footprint:
    """At one moment; `captured` are the messages on CAPTURE."""

    stores: ByteCount
    streams: ByteCount
    captured: int

    def since(self, before: Footprint, captures: int) -> dict[str, float]:
        """What one of so many captures has left."""
        stores, streams = (self.stores - before.stores).per(captures), (self.streams - before.streams).per(captures)
        return {
            ROWS.name: stores.count,
            STORE_BYTES.name: stores.size,
            STREAM_BYTES.name: streams.size,
            MESSAGES.name: streams.count,
        }


async def footprint(target: BenchTarget) -> Footprint:
    stores = await asyncio.to_thread(lambda: sum((count_store(target.var / f"{name}.db") for name in STORES), NOTHING))
    streams = await count_streams(target)
    return Footprint(stores, sum(streams.values(), NOTHING), int(streams["CAPTURE"].count))


def count_store(path: Path) -> ByteCount:
    """All tables of a SQLite store, with the pages that they and their indexes fill."""
    total = NOTHING
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        for table, size in connection.execute(_SIZES).fetchall():
            if table not in _PASSING:
                (rows,) = connection.execute(f'select count(*) from "{table}"').fetchone()
                total += ByteCount(rows, size)
    return total
