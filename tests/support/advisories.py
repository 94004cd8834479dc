"""Are there known holes in what we depend on? `python -m tests.support.advisories` asks pip-audit, for each lock file.

Three answers, and they are not mixed up: nothing is known (0), a hole is known (1), and NOT LOOKED UP, where no source
of advisories can be reached. The last one passes, as whoever works without a way out could check nothing else either,
and says so in a way that nobody overlooks; with `--strict`, as a release wants it, it fails (2).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-embedded.lock", "requirements-dev.lock")
_SECONDS = 120
_FRAME = "!" * 78


def look_up(lock: Path, options: Sequence[str] = ()) -> list[str] | None:
    """The known holes in what a lock file pins, a line each; None: they could not be looked up."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        command = [
            sys.executable,
            "-P",
            "-m",
            "pip_audit",
            "--disable-pip",
            "--require-hashes",
            "--progress-spinner=off",
        ]
        command += ["--format=json", f"--output={told}", "--timeout=10", "--requirement", str(lock), *options]
        try:
            ended = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return None
        if ended.returncode not in (0, 1) or not told.exists() or not told.read_text().strip():
            return None  # it ends with 1 for both: holes are told in the file
        return _holes(json.loads(told.read_text()))


def _holes(told: Any) -> list[str] | None:
    packages = told["dependencies"]
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in packages
        for hole in one.get("vulns", ())
    ]
    # what it could not ask about it skips, and says "no known vulnerabilities found"
    is_skipped = not packages or any("skip_reason" in one for one in packages)
    return None if is_skipped and not holes else holes


def main(arguments: Sequence[str] = (), ask: Callable[[Path], list[str] | None] = look_up) -> int:
    """The exit status."""
    status = 0
    for name in LOCKS:
        holes = ask(ROOT / name)
        if holes is None:
            _say(f"{_FRAME}\n{name}: known holes were NOT LOOKED UP: no source of advisories can be reached\n{_FRAME}")
            status = max(status, 2 if "--strict" in arguments else 0)
        else:
            _say("\n".join([f"{name}: {len(holes)} known holes", *holes]))
            status = 1 if holes or status == 1 else status
    return status


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
