"""What a visit leaves behind: rows and bytes in every table and stream, per first anonymous view, repeated view and new
known person.

Each kind is sent SENT times to the same running suite, and what was there before is taken off, so that what
every installation has anyway (empty pages, rulebooks, rings that are full) drops out. Tables are counted with
their indexes by the pages they fill (SQLite's dbstat), streams as NATS counts them, headers included. Before
each count everything has been heard, and outboxes are empty. What an inbox keeps of the captures, for 30 days,
is counted; what it keeps of the newest INBOX_SEQUENCES events of a service is a ring, and is left out: it is
filled before, and purges come when they come.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import nats
from nats.js import JetStreamContext

from bench.pipeline import IN_FLIGHT, PATIENCE_SECONDS, PER_BATCH, pending
from bench.suite import BenchTarget

SENT = 2_000
KNOWN = 500  # a form is one request, a view is one of fifty
WARM = 200
REST_SECONDS = 60.0
TARGET_ROWS, TARGET_STORE_BYTES, TARGET_STREAM_BYTES = 8, 3_000, 2_000
STORES = ("gateway", "identity", "scoring", "lifecycle", "nurture", "routing", "metrics")
STREAMS = ("CAPTURE", *(name.upper() for name in STORES[1:]), "ALERTS", "DEAD")

Json = dict[str, Any]


@dataclass(frozen=True)
class ByteCount:
    """Rows of a table or messages of a stream, and the bytes that they fill."""

    count: float
    size: float

    def __sub__(self, other: ByteCount) -> ByteCount:
        return ByteCount(self.count - other.count, self.size - other.size)

    def __add__(self, other: ByteCount) -> ByteCount:
        return ByteCount(self.count + other.count, self.size + other.size)

    def per(self, sent: int) -> ByteCount:
        return ByteCount(self.count / sent, self.size / sent)


NOTHING = ByteCount(0, 0)


@dataclass(frozen=True)
class StoreFootprint:
    """All that is kept at one moment: tables as `identity.fragment`, streams by name."""

    tables: Mapping[str, ByteCount]
    streams: Mapping[str, ByteCount]

    def since(self, before: StoreFootprint, sent: int) -> StoreFootprint:
        """What one of `sent` has added."""
        return StoreFootprint(_grown(before.tables, self.tables, sent), _grown(before.streams, self.streams, sent))

    def sums(self) -> tuple[ByteCount, ByteCount]:
        """All tables, all streams."""
        return sum(self.tables.values(), NOTHING), sum(self.streams.values(), NOTHING)


def report(what: str, one: StoreFootprint, *, has_target: bool) -> str:
    """What one of them costs, the dearest first."""
    tables, streams = one.sums()
    targets = (
        (f"  (target {TARGET_ROWS})", f"  (target {TARGET_STORE_BYTES:,})", f"  (target {TARGET_STREAM_BYTES:,})")
        if has_target
        else ("", "", "")
    )
    head = [
        f"{what}: {tables.count:.2f} rows{targets[0]}, {tables.size:,.0f} bytes in stores{targets[1]},"
        f" {streams.size:,.0f} bytes in streams{targets[2]}, {streams.count:.2f} messages"
    ]
    stores = {
        name: sum((amount for table, amount in one.tables.items() if table.startswith(f"{name}.")), NOTHING)
        for name in STORES
    }
    return "\n".join(
        [
            *head,
            *_lines("store", "rows", stores),
            *_lines("table", "rows", one.tables),
            *_lines("stream", "messages", one.streams),
        ]
    )


def count_stores(var: Path) -> dict[str, ByteCount]:
    """Every table of every store, with its indexes."""
    found = {}
    for store in STORES:
        with closing(sqlite3.connect(f"file:{var / store}.db?mode=ro", uri=True)) as connection:
            sizes = dict(
                connection.execute(
                    "select m.tbl_name, sum(s.pgsize) from dbstat s join sqlite_schema m on m.name = s.name group by"
                    " m.tbl_name"
                )
            )
            for table, size in sizes.items():
                (rows,) = connection.execute(f'select count(*) from "{table}"').fetchone()
                found[f"{store}.{table}"] = (
                    _kept(connection, ByteCount(rows, size)) if table == "inbox" else ByteCount(rows, size)
                )
    return found


def _kept(connection: sqlite3.Connection, inbox: ByteCount) -> ByteCount:
    (rows,) = connection.execute("select count(*) from inbox where stream = 'CAPTURE'").fetchone()
    return ByteCount(rows, inbox.size * rows / inbox.count) if inbox.count else inbox


async def count_streams(target: BenchTarget) -> dict[str, ByteCount]:
    """Every stream, as the server keeps it."""
    client = await nats.connect(target.nats_url)
    try:
        states = {name: (await client.jetstream().stream_info(name)).state for name in STREAMS}
    finally:
        await client.close()
    return {name: ByteCount(state.messages, state.bytes) for name, state in states.items()}


async def measure(target: BenchTarget, *, sent: int = SENT, known: int = KNOWN) -> Iterable[str]:
    """Sends each kind of traffic and reports what one of it left behind."""
    mark = f"bytes-{time.time_ns()}"
    visitors, curious = [f"{mark}-{number}" for number in range(sent)], [f"{mark}-p{number}" for number in range(sent)]
    await _send_views(target, [_view(f"{mark}-w{number}", "/product", 0) for number in range(WARM)])
    before = await _at_rest(target)
    reports = []

    async def note(what: str, count: int, *, has_target: bool = False) -> None:
        nonlocal before
        after = await _at_rest(target)
        reports.append(report(what, after.since(before, count), has_target=has_target))
        before = after

    await _send_views(target, [_view(visitor, "/product", 0) for visitor in visitors])
    await note("first anonymous view", sent, has_target=True)
    await _send_views(target, [_view(visitor, "/pricing", 0) for visitor in curious])
    await note("first anonymous view of a pricing page", sent, has_target=True)
    await _send_views(target, [_view(visitor, "/about", 1) for visitor in visitors])
    await note("second view of the same visitor", sent)
    await _send_forms(target, [_form(f"{mark}-k{number}") for number in range(known)])
    await note("new known person (form with e-mail, name, company)", known)
    return reports


def _view(visitor: str, path: str, number: int) -> Json:
    page = {"path": path, "url": f"https://www.bench.example{path}", "title": path[1:].capitalize(), "referrer": ""}
    context = {
        "page": page,
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
        "locale": "en-US",
        "library": {"name": "analytics.js", "version": "2.1"},
    }
    message_id = f"{visitor}-{number}"
    return {
        "type": "page",
        "anonymousId": visitor,
        "messageId": message_id,
        "name": page["title"],
        "properties": page,
        "context": context,
    }


def _form(visitor: str) -> Json:
    name = visitor.rpartition("-")[2]
    return {
        "anonymous_id": visitor,
        "email": f"{visitor}@bench.example",
        "name": f"Bea {name}",
        "company": f"Bench {name}",
        "title": "Marketing Manager",
    }


async def _send_views(target: BenchTarget, events: Sequence[Json]) -> None:
    batches = [{"batch": events[start : start + PER_BATCH]} for start in range(0, len(events), PER_BATCH)]
    await _post(target, "/v1/batch", [{"json": batch} for batch in batches])


async def _send_forms(target: BenchTarget, forms: Sequence[Json]) -> None:
    await _post(target, "/v1/forms/default", [{"data": form} for form in forms])


async def _post(target: BenchTarget, path: str, requests: Sequence[Json]) -> None:
    waiting = iter(requests)
    key = {"authorization": aiohttp.encode_basic_auth(target.write_key, "")}
    async with aiohttp.ClientSession(headers=key) as session:

        async def send_next() -> None:
            for request in waiting:
                async with session.post(f"{target.url}{path}", allow_redirects=False, **request) as answer:
                    assert answer.status in (200, 303), await answer.text()

        await asyncio.gather(*(send_next() for _ in range(IN_FLIGHT)))


async def _at_rest(target: BenchTarget) -> StoreFootprint:
    """Once everything was heard, and outboxes are empty."""
    client = await nats.connect(target.nats_url)
    try:
        await _until_heard(client.jetstream())
    finally:
        await client.close()
    deadline = time.monotonic() + REST_SECONDS
    while left := await asyncio.to_thread(_unsaid, target.var):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{left} events are still in outboxes")
        await asyncio.sleep(0.2)
    return StoreFootprint(count_stores(target.var), await count_streams(target))


async def _until_heard(jetstream: JetStreamContext) -> None:
    deadline, quiet = time.monotonic() + PATIENCE_SECONDS, 0
    while quiet < 3 and time.monotonic() < deadline:
        quiet = 0 if await pending(jetstream) else quiet + 1
        await asyncio.sleep(0.2)


def _unsaid(var: Path) -> int:
    return sum(int(amount.count) for table, amount in count_stores(var).items() if table.endswith(".outbox"))


def _grown(before: Mapping[str, ByteCount], after: Mapping[str, ByteCount], sent: int) -> dict[str, ByteCount]:
    grown = {name: (amount - before.get(name, NOTHING)).per(sent) for name, amount in after.items()}
    return {name: amount for name, amount in grown.items() if amount != NOTHING}


def _lines(kind: str, unit: str, amounts: Mapping[str, ByteCount]) -> Iterable[str]:
    dearest = sorted(amounts.items(), key=lambda one: -one[1].size)
    return [
        f"  {kind:<7}{name:<34}{amount.count:8.2f} {unit:<9}{amount.size:10,.0f} bytes"
        for name, amount in dearest
        if amount.size or amount.count
    ]
