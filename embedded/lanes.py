"""The lanes of a suite in a folder: where they are kept over restarts, and who is asked while they change."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chassis.lanes import LanePlan, LanePlanRefused, read_plan
from contracts.limits import LANES
from deployment.lane_change import write_plan
from embedded.files import read_private
from embedded.notation import read_shell_file
from embedded.plan import LANES_FILE, SERVICES
from embedded.ports import last_ports


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
    wanted = 1 if lanes is None else lanes
    if not 1 <= wanted <= LANES:
        raise LanePlanRefused(f"{wanted} lanes there cannot be: say a number from 1 to {LANES}")
    write_plan(path, LanePlan.of(wanted))
    return wanted


def suite_in(var: Path) -> Suite:
    """Raises NothingRuns."""
    try:
        known = read_shell_file(read_private(var / "rapport.env"))
        ports = last_ports(var / "ports.json")
        urls = {name: f"http://127.0.0.1:{ports[name]}" for name in SERVICES}
        return Suite(var / LANES_FILE, known["RAPPORT_NATS_URL"], urls | {"gateway": known["RAPPORT_INNER_URL"]})
    except (OSError, ValueError, KeyError) as error:
        raise NothingRuns(f"no suite was started in {var}: {error}") from None
