"""When the watchdog restarts NATS, and when it does not."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from contracts.limits import FREE_BYTES
from embedded.watchdog import Patience, refusals, server_pid

ROOMY, FULL = 2 * FREE_BYTES, FREE_BYTES - 1


def restarts(looks: list[tuple[bool, int]], patience: Patience | None = None, start: float = 0.0) -> list[float]:
    """The seconds at which a restart is due, looking once a second."""
    kept = patience or Patience()
    return [
        at
        for at, (refuses, free) in enumerate(looks, start=int(start))
        if kept.is_due(refuses=refuses, free_bytes=free, now=float(at))
    ]


def test_it_is_restarted_when_it_goes_on_refusing_though_there_is_room() -> None:
    assert restarts([(False, ROOMY), (True, ROOMY), (True, ROOMY)]) == [2]


def test_it_is_left_alone_while_the_disk_is_full() -> None:
    assert restarts([(True, FULL)] * 60) == []
    assert restarts([(True, FULL)] * 60 + [(True, ROOMY)] * 2) == [61]


def test_it_is_left_alone_when_it_takes_writes_or_refused_for_a_moment_only() -> None:
    assert restarts([(False, ROOMY)] * 60) == []
    assert restarts([(True, ROOMY), (False, ROOMY)] * 30) == []


def test_what_refuses_again_at_once_is_restarted_ever_more_rarely_but_never_given_up() -> None:
    found = restarts([(True, ROOMY)] * 1000)
    pauses = [later - earlier for earlier, later in pairwise(found)]
    assert pauses[:4] == [5, 10, 20, 40]
    assert set(pauses[5:]) == {120}


def test_after_a_long_calm_the_pauses_begin_anew() -> None:
    patience = Patience()
    restarts([(True, ROOMY)] * 200, patience)
    assert restarts([(False, ROOMY)] + [(True, ROOMY)] * 9, patience, start=2000) == [2002, 2007]


def test_only_write_errors_are_a_reason() -> None:
    frozen = "JetStream stream 'RAPPORT > CAPTURE' write error: write /var/1.blk: no space left on device"
    amiss = "JetStream stream 'RAPPORT > DEAD' could not be recovered"
    health = {"status": "error", "errors": [{"type": "STREAM", "error": frozen}, {"type": "STREAM", "error": amiss}]}
    assert refusals(json.dumps(health).encode()) == [frozen]
    for nothing in (b"", b"not json", b"[]", b'{"status":"ok"}', b'{"errors":null}'):
        assert refusals(nothing) == []


def test_a_process_id_that_an_older_server_left_behind_is_not_believed(tmp_path: Path) -> None:
    path, now = tmp_path / "nats.pid", datetime.now(UTC)
    assert server_pid(path, now) is None
    path.write_text("4711")
    assert server_pid(path, now) == 4711
    old = (now - timedelta(minutes=1)).timestamp()
    os.utime(path, (old, old))
    assert server_pid(path, now) is None
    path.write_text("")
    assert server_pid(path, now) is None
