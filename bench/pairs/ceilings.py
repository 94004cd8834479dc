"""What the parts of a line can do alone on this machine now: raw JetStream and a raw batched upsert, each with the
durability of the real one.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import nats
from nats.aio.client import Client

from bench.load import an_event
from bench.pairs.figures import CPU, RATE
from bench.pairs.meter import Meter
from bench.pairs.subprocesses import nats_server, until_connected
from bench.pairs.turns import Measured
from embedded.up import free_ports

PER_BATCH = 100
PER_TRANSACTION = 250
_STREAM = {"name": "RAW", "subjects": ["raw.>"], "storage": "file", "allow_atomic": True}
_UPSERT = (
    "insert into kept (id, seen, body) values (?, 1, ?) on conflict (id) do update set seen = seen + 1, body ="
    " excluded.body"
)
_IDS = 20_000
_ANSWER_SECONDS = 10.0


class JetStream:
    """Atomic batches of PER_BATCH events, one after the other, each synced before it is acknowledged."""

    def __init__(self, url: str, pid: int) -> None:
        self._url = url
        self._pid = pid

    def measure(self, seconds: float) -> Measured:
        return asyncio.run(self._measured(seconds))

    async def _measured(self, seconds: float) -> Measured:
        client = await nats.connect(self._url)
        try:
            event = an_event(0)
            meter, began, sent = Meter({"nats": self._pid}), time.perf_counter(), 0
            while time.perf_counter() - began < seconds:
                await _publish(client, f"{self._pid}-{time.time_ns()}", event)
                sent += PER_BATCH
            return Measured(meter.per(sent) | {RATE.name: sent / (time.perf_counter() - began)})
        finally:
            await client.close()


async def _publish(client: Client, batch: str, body: bytes) -> None:
    """Raises RuntimeError when the server refuses."""
    for number in range(1, PER_BATCH):
        await client.publish("raw.event", body, headers={"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)})
    last = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(PER_BATCH), "Nats-Batch-Commit": "1"}
    answer = json.loads((await client.request("raw.event", body, timeout=_ANSWER_SECONDS, headers=last)).data)
    if "error" in answer:
        raise RuntimeError(str(answer["error"]))


@contextmanager
def jetstream() -> Iterator[JetStream]:
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="rapport-raw-") as folder, nats_server(Path(folder), port) as pid:
        url = f"nats://127.0.0.1:{port}"
        asyncio.run(_create_stream(url))
        yield JetStream(url, pid)


async def _create_stream(url: str) -> None:
    client = await until_connected(url)
    try:
        answer = json.loads(
            (
                await client.request("$JS.API.STREAM.CREATE.RAW", json.dumps(_STREAM).encode(), timeout=_ANSWER_SECONDS)
            ).data
        )
        if "error" in answer:
            raise RuntimeError(str(answer["error"]))
    finally:
        await client.close()


class Upserts:
    """PER_TRANSACTION events a transaction into one table, synced at each commit (WAL, FULL), on the caller's
    thread.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def measure(self, seconds: float) -> Measured:
        with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.execute(
                "create table if not exists kept (id text primary key, seen integer not null, body blob not null)"
                " without rowid"
            )
            event = an_event(0)
            began, cpu, written = time.perf_counter(), time.process_time(), 0
            while time.perf_counter() - began < seconds:
                rows = [(f"per_{(written + number) % _IDS:026}", event) for number in range(PER_TRANSACTION)]
                connection.execute("begin immediate")
                connection.executemany(_UPSERT, rows)
                connection.execute("commit")
                written += PER_TRANSACTION
            took, spent = time.perf_counter() - began, time.process_time() - cpu
        return Measured({RATE.name: written / took, CPU.name: 1000 * spent / written})


@contextmanager
def upserts() -> Iterator[Upserts]:
    with tempfile.TemporaryDirectory(prefix="rapport-raw-") as folder:
        yield Upserts(Path(folder) / "raw.db")
