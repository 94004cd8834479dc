"""The suite's folder on this machine: who holds it, who may read it, room, ports, settings."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from cli.checks.diagnosis import Diagnosis, bad, fine, unknown, warning
from contracts.limits import FREE_BYTES
from embedded.environment import EnvironmentRefused, caller_settings
from embedded.files import foreign_files, is_open
from embedded.lock import is_held, note_of
from embedded.ports import is_free
from embedded.processes import holders, keeper

_SCARCE_SHARE = 0.1


def look(var: Path, environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    """All of it."""
    yield _settings(environment)
    if not (var / "secrets.json").exists():
        yield unknown("folder", f"{var} holds no suite; --var names another, and the checks of it are left out")
        return
    yield _owner(var)
    yield _holder(var)
    yield _rights(var)
    yield _room(var)
    if not is_held(var):
        yield _ports(var)


def _owner(var: Path) -> Diagnosis:
    foreign = list(foreign_files(var))
    if not foreign:
        return fine("owner", f"everything in {var} is yours")
    return bad(
        "owner",
        f"{len(foreign)} files or folders are somebody else's, {foreign[0]} among them; the suite does not start there",
        "Look as their owner, or find out who put them there, and move them away.",
    )


def _holder(var: Path) -> Diagnosis:
    if not is_held(var):
        return warning("folder", f"nothing runs in {var}", "Start it: `rapport up`.")
    found = holders(var)
    if (one := keeper(found)) is not None:
        since = note_of(var).get("since", "not known")
        return fine("folder", f"{len(found)} processes run in {var}, kept by {one.pid} since {since}")
    if not found:
        return bad("folder", f"{var} is held by processes that cannot be seen from here", "Look as their user.")
    names = ", ".join(f"{one.name} ({one.pid})" for one in found)
    return bad("folder", f"the supervisor was killed and left {names}", "Start it anew: `rapport up` ends them first.")


def _rights(var: Path) -> Diagnosis:
    open_ones = [path for path in (var, *var.rglob("*")) if is_open(path)]
    if not open_ones:
        return fine("rights", f"everything in {var} is its owner's alone")
    return bad(
        "rights",
        f"others may read {len(open_ones)} files or folders, {open_ones[0]} among them",
        f"chmod -R go= {var}; `rapport up` does it as well.",
    )


def _room(var: Path) -> Diagnosis:
    disk = shutil.disk_usage(var)
    says = f"{disk.free / 1e9:.1f} of {disk.total / 1e9:.1f} GB are free, the suite has {_bytes_in(var) / 1e9:.2f} GB"
    if disk.free < FREE_BYTES:
        return bad("disk", says, "Make room at once: streams refuse writes when there is none.")
    if disk.free < _SCARCE_SHARE * disk.total:
        return warning("disk", says, "Make room, or shorten what is kept.")
    return fine("disk", says)


def _bytes_in(folder: Path) -> int:
    total = 0
    for place, _, files in os.walk(folder):
        for name in files:
            path = Path(place, name)
            total += path.lstat().st_size if path.exists() else 0
    return total


def _ports(var: Path) -> Diagnosis:
    try:
        ports = json.loads((var / "ports.json").read_text())
        taken = [f"{name} {port}" for name, port in ports.items() if not is_free(int(port))]
    except (OSError, ValueError, AttributeError):
        return warning("ports", "which ports it had is not known", "`rapport up` takes others and notes them.")
    if taken:
        return warning(
            "ports",
            f"another program has {', '.join(taken)}",
            "End it, or name others: PORT=, NATS_PORT=, BASE_PORT=. Reps were told where NATS is.",
        )
    return fine("ports", "those of the last time are free")


def _settings(environment: Mapping[str, str]) -> Diagnosis:
    try:
        given = caller_settings(environment, int(environment.get("GATEWAY_PORT", "0") or 0))
    except (EnvironmentRefused, ValueError) as refusal:
        return bad("settings", str(refusal), "Unset it here; `rapport settings` lists what there is.")
    return fine("settings", f"{len(given)} are set here" if given else "none is set here; the defaults hold")
