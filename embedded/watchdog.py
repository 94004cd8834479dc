"""Restarts a NATS that goes on refusing writes although its disk has room again.

A stream whose write failed (the disk was full) keeps that error until the server is started anew; `/healthz` names it.
The server is ended here, by the process id it wrote itself, and supervisord starts it again. Nothing is done while a
restart cannot help. One JSON object a line is logged.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contracts.limits import FREE_BYTES

_LOOK_SECONDS = 1.0
_LOOKS = 2  # that find it refusing with room, one after the other: a restart costs everybody a second
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 5.0, 120.0
_CALM_SECONDS = 600.0  # without a restart, and the pauses begin anew
_END_SECONDS = 10.0  # that the server is given to end in order
_REFUSING = "write error"


@dataclass(slots=True)
class Patience:
    """When a restart is due. Moments are seconds of one clock."""

    seen: int = 0
    pause: float = _FIRST_PAUSE_SECONDS
    restarted_at: float = -_CALM_SECONDS

    def is_due(self, *, refuses: bool, free_bytes: int, now: float) -> bool:
        """Whether the server, just looked at, should be restarted now.

        What refuses again soon after is restarted ever more rarely.
        """
        self.seen = self.seen + 1 if refuses and free_bytes >= FREE_BYTES else 0
        if self.seen < _LOOKS:
            return False
        since = now - self.restarted_at
        if since >= _CALM_SECONDS:
            self.pause = _FIRST_PAUSE_SECONDS
        elif since < self.pause:
            return False
        else:
            self.pause = min(2 * self.pause, _LONGEST_PAUSE_SECONDS)
        self.seen, self.restarted_at = 0, now
        return True


def refusals(health: bytes) -> list[str]:
    """What a `/healthz?details=true` says of streams that take no writes.

    Whatever else is amiss, a restart is not known to mend.
    """
    try:
        errors = json.loads(health).get("errors") or []
    except (ValueError, AttributeError):
        return []
    return [text for error in errors if _REFUSING in (text := str(error.get("error", "")))]


def server_pid(pid_file: Path, started_at: datetime) -> int | None:
    """The server's process id, if the file is of the server that started then: a full disk may have kept an older
    one's.
    """
    try:
        written_at = datetime.fromtimestamp(pid_file.stat().st_mtime, UTC)
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return None
    return pid if written_at >= started_at - timedelta(seconds=1) else None


def main() -> None:
    """Watch until SIGTERM."""
    monitor, store, pid_file = (
        os.environ["WATCHDOG_MONITOR_URL"],
        Path(os.environ["WATCHDOG_STORE"]),
        Path(os.environ["WATCHDOG_PID_FILE"]),
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    patience, before = Patience(), False
    _log("watchdog.started", store=str(store))
    while True:
        found, free = refusals(_get(f"{monitor}/healthz?details=true")), shutil.disk_usage(store).free
        if bool(found) != before:
            _log("nats.refuses" if found else "nats.takes_writes", reasons=found, free_bytes=free)
            before = bool(found)
        if patience.is_due(refuses=bool(found), free_bytes=free, now=time.monotonic()):
            _restart(monitor, pid_file)
        time.sleep(_LOOK_SECONDS)


def _restart(monitor: str, pid_file: Path) -> None:
    pid = None
    with suppress(ValueError, KeyError):
        pid = server_pid(pid_file, datetime.fromisoformat(json.loads(_get(f"{monitor}/varz"))["start"][:19] + "+00:00"))
    if pid is None:
        _log("nats.not_found", pid_file=str(pid_file))
        return
    _log("nats.restarted", pid=pid, reason="it refuses writes although there is room")
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _END_SECONDS
        while time.monotonic() < deadline:
            os.kill(pid, 0)
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)


def _get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
            return bytes(answer.read())
    except urllib.error.HTTPError as answer:
        return bytes(answer.read())
    except OSError:
        return b""


def _log(event: str, **what: object) -> None:
    line = {"event": event, "service": "watchdog", "timestamp": datetime.now(UTC).isoformat(), **what}
    with suppress(OSError):  # the log may be on the disk that is full
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
