"""The lanes of a suite in a folder: where they are kept over restarts, and who is asked while they change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from chassis.lanes import LanePlan, read_plan
from deployment.lane_change import write_plan
from embedded.plan import LANES_FILE, SERVICES


class NothingRuns(Exception):
    """There is no suite in the folder."""


@dataclass(frozen=True)
class Suite:
    """A suite that was started in a folder: its file of lanes, NATS as the observer sees it, and all its processes."""

    file: Path
    nats_url: str
    urls: dict[str, str]


def keep_lanes(path: Path, lanes: int | None) -> int:
    """How many lanes to start with: `lanes` where they are given, else those of the last time. Raises LanePlanRefused.

    A change that was interrupted stays as it was left; `rapport lanes set` goes on with it.
    """
    known = read_plan(path)
    if lanes is None and known is not None:
        return max(known.said, known.known)
    write_plan(path, LanePlan.of(lanes or 1))
    return lanes or 1


def suite_in(var: Path) -> Suite:
    """Raises NothingRuns."""
    try:
        known = dict(line.split("=", 1) for line in (var / "rapport.env").read_text().splitlines())
        ports = json.loads((var / "ports.json").read_text())
        urls = {name: f"http://127.0.0.1:{ports[name]}" for name in SERVICES}
        return Suite(var / LANES_FILE, known["RAPPORT_NATS_URL"], urls | {"gateway": known["RAPPORT_INNER_URL"]})
    except (OSError, ValueError, KeyError) as error:
        raise NothingRuns(f"no suite was started in {var}: {error}") from None
