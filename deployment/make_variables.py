"""Slips among the variables on make's command line, which make itself takes in silence: `make up DATABSE=...`.

Run by the Makefile with the interpreter at hand, before anything is set up: nothing but the standard library. It says
what was meant, or nothing; what looks like none of ours is the caller's business.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable

KNOWN = (
    "PORT", "VAR", "LANES", "DATABASE", "DETACH", "FORK", "NATS_PORT", "NATS_MONITOR_PORT", "BASE_PORT",
    "PEOPLE", "SEED", "AGAINST", "SCENES", "FAIL", "ARGS", "STRICT", "WORKERS", "PYTHON", "VENV", "UPGRADE",
    "CURDIR", "OURS",
)  # fmt: skip
_CLOSE = 0.75
# settings and ports of processes, which the suite looks through itself when it starts
_CHECKED_LATER = ("RAPPORT_", "GATEWAY_", "IDENTITY_", "SCORING_", "LIFECYCLE_", "NURTURE_", "ROUTING_", "METRICS_")


def slips(names: Iterable[str]) -> list[str]:
    """What is said of those that are nearly one of ours."""
    return [
        f"{name}: there is no such variable; did you mean {meant[0]}?"
        for name in names
        if name not in KNOWN and not name.upper().startswith(_CHECKED_LATER)
        if (meant := difflib.get_close_matches(name.upper(), KNOWN, n=1, cutoff=_CLOSE))
    ]


if __name__ == "__main__":
    sys.stdout.write("; ".join(slips(sys.argv[1:])))
