"""A whole run: stages put up one after the other, the scenes that were asked for played, the report written after
each.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.capture import sync_milliseconds
from bench.pairs import report
from bench.pairs.comparison import Comparison, compare
from bench.pairs.options import Options
from bench.pairs.scenes import STAGES, Scene
from bench.pairs.turns import Turn, take_turns


def play(options: Options, chosen: Collection[str], path: Path, minutes: float) -> list[Comparison]:
    """No round begins after so many minutes. What was measured until an error stays in the report."""
    deadline = time.monotonic() + 60 * minutes
    facts = machine(options)
    done: list[Comparison] = []
    for scene in _scenes(options, chosen, deadline):
        _say(f"-- {scene.card.scenario}")
        turns = list(_told(take_turns(scene.contenders, options.rounds, deadline=deadline)))
        done.append(compare(scene.card, turns, options.tolerance))
        report.write(path, facts, done)
        _say(report.summary(done[-1]))
    return done


def machine(options: Options) -> dict[str, Any]:
    """Where and of what: figures of different machines are not to be compared."""
    with tempfile.TemporaryDirectory(prefix="rapport-sync-") as folder:
        sync = sync_milliseconds(Path(folder))
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "ours": options.name,
        "against": options.against_name or None,
        "cores": os.cpu_count(),
        "load": [round(one, 2) for one in os.getloadavg()],
        "fsync_ms": round(sync, 3),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _scenes(options: Options, chosen: Collection[str], deadline: float) -> Iterator[Scene]:
    for stage in STAGES:
        wanted = [name for name in stage.scenes if name in chosen]
        if not wanted:
            continue
        if time.monotonic() >= deadline:
            _say(f"no time left for {', '.join(wanted)}")
            continue
        with stage.opened(options) as scenes:
            yield from (scene for scene in scenes if scene.card.scenario in chosen)


def _told(turns: Iterator[Turn]) -> Iterator[Turn]:
    """As they come, because a run takes long."""
    for turn in turns:
        values = "   ".join(
            f"{name} {value:,.4g}" for name, value in turn.measured.values.items() if " of " not in name
        )
        _say(f"   round {turn.round + 1}  {turn.contender:<18} {values} {turn.measured.complaint}")
        yield turn


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
