"""The suite the demo plays on: the one that runs under `var`, or a new one, detached."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from demo.errors import Trouble
from embedded.files import read_private
from embedded.notation import read_shell_file
from embedded.up import ROOT, SAFE_PATH, running_pid


@dataclass(frozen=True)
class DemoTarget:
    """Where it is, and the key of its first administrator."""

    var: Path
    url: str
    api_key: str
    was_running: bool


def ready_suite(var: Path, port: int) -> DemoTarget:
    """Bring the suite up unless it is; it stays up afterwards."""
    was_running = running_pid(var) is not None
    if not was_running:
        command = [sys.executable, "-P", "-m", "embedded.up", "--port", str(port), "--var", str(var), "--detach"]
        ended = subprocess.run(command, cwd=ROOT, env={**os.environ, **SAFE_PATH}, check=False)  # noqa: S603 - our own
        if ended.returncode != 0:
            raise Trouble(f"The suite did not start; what it says stands above, and more in {var / 'log'}.")
    known = read_shell_file(read_private(var / "rapport.env"))
    return DemoTarget(var, known["RAPPORT_URL"], known["RAPPORT_API_KEY"], was_running)
