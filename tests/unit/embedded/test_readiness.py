"""A start is waited for as long as something of it moves."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from embedded.readiness import Effort, Movement, effort_of, last_words

BYTES = 256 * 1024


def looks(*efforts: Effort, window: float = 5.0) -> list[float]:
    """For how long nothing has moved, at each look at one process."""
    movement = Movement(0.0, 0.0)
    return [movement.look({7: effort}, (number + 1) * window) for number, effort in enumerate(efforts)]


def test_who_uses_a_processor_or_waits_for_one_moves() -> None:
    assert looks(Effort(0.0, 0), Effort(1.0, 0), Effort(2.0, 0)) == [0.0, 0.0, 0.0]


def test_who_uses_the_disk_moves() -> None:
    assert looks(Effort(0.0, 0), Effort(0.0, BYTES)) == [0.0, 0.0]


def test_who_only_asks_again_and_again_stands_still() -> None:
    assert looks(Effort(0.0, 0), Effort(0.35, 4096), Effort(0.7, 8192), Effort(1.05, 12_288)) == [0.0, 5.0, 10.0, 15.0]


def test_a_process_that_is_new_has_moved() -> None:
    movement = Movement(0.0, 0.0)
    movement.look({7: Effort(0, 0)}, 5.0)
    assert movement.look({7: Effort(0, 0)}, 10.0) == 5.0
    assert movement.look({8: Effort(0, 0)}, 15.0) == 0.0
    assert movement.look({}, 20.0) == 5.0


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the system does not tell")
def test_the_system_tells_what_a_process_had() -> None:
    before = effort_of(os.getpid())
    assert before is not None
    until = time.process_time() + 0.05
    while time.process_time() < until:
        pass
    after = effort_of(os.getpid())
    assert after is not None
    assert after.seconds - before.seconds >= 0.05


def test_nobody_tells_of_a_process_that_is_gone() -> None:
    assert effort_of(2**22 + 1) is None


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("Traceback\n  line 3\nSettingsRefused: IDENTITY_LANES: no\n\n", "SettingsRefused: IDENTITY_LANES: no"),
        ('{"event": "store.awaited", "reason": "ConnectionRefusedError"}\n', "store.awaited: ConnectionRefusedError"),
        ('{"event": "bus.failed", "exception": "Trace\\nOSError: no"}\n', "bus.failed: OSError: no"),
        ("[]\n", "[]"),
    ],
)
def test_the_last_words_of_a_log(tmp_path: Path, log: str, words: str) -> None:
    path = tmp_path / "identity.log"
    path.write_text(log)
    assert last_words(path) == words
    assert last_words(tmp_path / "nowhere") == ""
