"""`rapport version`."""

from __future__ import annotations

import platform

from chassis.version import VERSION, revision
from cli.output import AsJson, tell


def show(as_json: AsJson = False) -> None:
    """Say which version this is."""
    answer = {"version": VERSION, "revision": revision(), "python": platform.python_version()}
    tell(answer, lambda one: " ".join(filter(None, ("rapport", one["version"], one["revision"]))), as_json=as_json)
