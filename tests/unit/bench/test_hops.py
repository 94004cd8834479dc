"""What a hop asks of its store grows with the batch, not with the store."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bench import hops
from chassis.message import OutMessage
from chassis.store.statements import COMPILERS

ROOT = Path(__file__).parents[3]
_READ_WHOLE = {
    "SCAN chassis_version",  # one row each
    "SCAN version",
    "SCAN outbox",  # in the order of its numbers, a page at a time, and empty most of the time
    "SCAN rulebook",  # these five hold what people wrote by hand
    "SCAN treatment",
    "SCAN campaign",
    "SCAN rep",
    "SCAN credential",
}
"""Tables that may be read whole."""


@pytest.mark.timeout(360)
def test_no_statement_of_a_hop_reads_all_that_there_is(tmp_path: Path) -> None:
    # in a process of its own: there, nothing but these hops was compiled
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    output = subprocess.run(
        [sys.executable, __file__, str(tmp_path)], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    found = json.loads(output)
    assert [*found] == ["identity", "scoring", "lifecycle", "nurture", "metrics"]
    assert {name: steps for name, steps in found.items() if steps} == {}


async def _whole_reads(folder: Path) -> dict[str, list[str]]:
    """Service -> the steps in which a table is read that may have grown."""
    streams = {
        "CAPTURE": [OutMessage(event.subjects(1)[0], event.headers(), event.body()) for event in hops.captures(60)]
    }
    found = {}
    for name in ("identity", "scoring", "lifecycle", "nurture", "metrics"):
        async with hops.running(name, folder) as (processors, far, heard):
            for stream, processor in processors.items():
                mine = [
                    one
                    for one in hops.received(stream, streams.get(stream, []))
                    if one.subject.rpartition(".")[0] in heard
                ]
                for begin in range(0, len(mine), 25):
                    await processor.apply(mine[begin : begin + 25])
        streams[far.stream] = far.said
        found[name] = [step for step in _steps(folder / f"{name}.db") if not any(map(step.startswith, _READ_WHOLE))]
    return found


def _steps(store: Path) -> list[str]:
    """The steps in which SQLite would read a table from one end to the other, of all statements that were compiled and
    fit this store.
    """
    steps = set()
    with sqlite3.connect(store) as connection:
        for sql in COMPILERS["sqlite"].texts:
            try:
                plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", ["[]"] * sql.count("?")).fetchall()
            except sqlite3.Error:  # of another service
                continue
            steps |= {f"{detail} in {' '.join(sql.split())}" for *_, detail in plan if detail.startswith("SCAN ")}
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    connection.close()
    return sorted(step for step in steps if step.split()[1] in tables)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_whole_reads(Path(sys.argv[1])))))
