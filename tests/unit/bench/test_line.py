"""What a turn of a whole suite counts, and when it does not count."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.bytes import ByteCount
from bench.load import Load
from bench.pairs.footprint import Footprint, count_store
from bench.pairs.line import missing, quantile
from bench.pairs.quiescence import LOOKS, until_heard


def a_footprint(captured: int, rows: float = 0, size: float = 0) -> Footprint:
    return Footprint(ByteCount(rows, size), ByteCount(captured * 2, captured * 300), captured)


def test_what_one_capture_leaves_is_what_has_grown_by_their_number() -> None:
    left = a_footprint(110, 80, 20_000).since(a_footprint(10, 30, 10_000), 100)
    assert left == {"rows": 0.5, "bytes in stores": 100.0, "bytes in streams": 300.0, "messages": 2.0}


def test_a_store_is_counted_without_what_only_passes_through(tmp_path: Path) -> None:
    path = tmp_path / "identity.db"
    with closing(sqlite3.connect(path)) as connection:
        for table in ("person", "inbox", "outbox"):
            connection.execute(f"create table {table} (id text primary key)")
            connection.executemany(f"insert into {table} values (?)", [(str(number),) for number in range(50)])
        connection.execute("create index by_id on person (id)")
        connection.commit()
        (page,) = connection.execute("pragma page_size").fetchone()
    assert count_store(path) == ByteCount(50, 3 * page)  # the table, its key, its index


@pytest.mark.parametrize(
    ("captured", "left", "said"),
    [(100, 0, ""), (99, 0, "99 of 100 captures"), (101, 0, "101 of 100"), (100, 3, "3 messages were not heard")],
)
def test_a_turn_does_not_count_when_something_is_missing(captured: int, left: int, said: str) -> None:
    complaint = missing(a_footprint(10), a_footprint(10 + captured), 100, left)
    assert (said in complaint) if said else complaint == ""


def test_a_quantile_is_a_value_that_was_measured() -> None:
    assert [quantile([0.4, 0.1, 0.3, 0.2], part) for part in (0.0, 0.5, 0.99)] == [0.1, 0.3, 0.4]


class Streams:
    """Answers what is pending, look by look, on one of the six streams."""

    def __init__(self, looks: list[int]) -> None:
        self.looks = looks

    async def consumers_info(self, stream: str) -> list[SimpleNamespace]:
        if stream != "CAPTURE":
            return []
        return [
            SimpleNamespace(num_pending=self.looks.pop(0) if len(self.looks) > 1 else self.looks[0], num_ack_pending=0)
        ]


async def test_rest_is_several_quiet_looks_in_a_row_and_began_with_the_first() -> None:
    streams = Streams([5, 0, 4, *[0] * LOOKS, 7])
    rest = await until_heard(streams, 60)  # type: ignore[arg-type]
    assert rest.left == 0
    assert streams.looks == [7]
    assert rest.at > 0


async def test_patience_ends_and_tells_what_is_left() -> None:
    rest = await until_heard(Streams([8]), 0)  # type: ignore[arg-type]
    assert rest.left == 8


async def test_a_request_of_many_events_is_as_long_as_it_says() -> None:
    for per_request, path in ((1, b"/v1/track"), (20, b"/v1/batch")):
        load = Load(1, 1, 7 * 10**7, per_request)
        requests = [load.request(), load.request()]
        for request in requests:
            head, _, body = request.partition(b"\r\n\r\n")
            assert head.startswith(b"POST " + path)
            assert f"Content-Length: {len(body)}".encode() in head
            assert body.count(b'"messageId"') == per_request
        assert requests[0] != requests[1]
