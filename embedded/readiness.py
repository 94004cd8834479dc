"""Waiting until a suite that was started is ready: for as long as something of it moves.

A process moves while it uses a processor, waits for one (a busy machine is no reason to give up), or reads and writes
the disk. Who only asks again and again for what is not there does none of it worth mentioning. A process that ended
several times has given up.
"""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from embedded.plan import Plan
from embedded.processes import SUPERVISOR, SuiteProcess, holders

PATIENCE_VARIABLE, PATIENCE_SECONDS = "RAPPORT_PATIENCE_SECONDS", 60.0
"""For how long nothing may move."""
ELSEWHERE_SECONDS = 300.0
"""How long a start may take where the system does not tell what processes do (it has no /proc)."""
_EXITS = 3  # of a process that was not ready yet: what is wrong passes with none of them
_LOOK_SECONDS, _WINDOW_SECONDS, _TELL_SECONDS = 0.03, 5.0, 20.0
# of a window; on a crowded machine who only asks now and then is seen waiting 7 % of the time, who has work all of it
_BUSY_SHARE, _BUSY_BYTES = 0.2, 256 * 1024
_TAIL_BYTES, _WORDS = 8_192, 400
_GIVEN_UP = re.compile(r"gave up: (?:\w+:)?(\w+) entered FATAL")
_ENDED = re.compile(r"exited: (\w+) \((?:exit status \d+|terminated by \w+); not expected\)")


class StartFailed(Exception):
    """The suite did not come up, and what its last words were."""


@dataclass(frozen=True)
class Effort:
    """What a process had so far: seconds of a processor, those included that it waited for one; bytes of the disk."""

    seconds: float
    disk_bytes: int


@dataclass(slots=True)
class Movement:
    """Since when nothing moves. Moments are seconds of one clock."""

    moved_at: float
    looked_at: float
    last: Mapping[int, Effort] = field(default_factory=dict)

    def look(self, efforts: Mapping[int, Effort], now: float) -> float:
        """Take in what each process, by its id, had until `now`; answers for how many seconds nothing has moved."""
        window = now - self.looked_at
        if any(pid not in self.last or _has_moved(self.last[pid], effort, window) for pid, effort in efforts.items()):
            self.moved_at = now
        self.last, self.looked_at = dict(efforts), now
        return now - self.moved_at


def _has_moved(before: Effort, now: Effort, window: float) -> bool:
    return now.seconds - before.seconds >= _BUSY_SHARE * window or now.disk_bytes - before.disk_bytes >= _BUSY_BYTES


def effort_of(pid: int) -> Effort | None:
    """What the process had so far; None where nobody tells."""
    folder = Path("/proc", str(pid))
    try:
        ran, waited, *_ = map(int, (folder / "schedstat").read_text().split())
        disk = dict(line.split(": ") for line in (folder / "io").read_text().splitlines())
    except (OSError, ValueError):
        return None
    return Effort((ran + waited) / 1e9, int(disk["read_bytes"]) + int(disk["write_bytes"]))


class Start:
    """A suite that is about to start. `is_kept` says whether it still lives; `tell` hears what is waited for."""

    def __init__(
        self, plan: Plan, is_kept: Callable[[], bool], tell: Callable[[str], None], patience_seconds: float
    ) -> None:
        self._plan, self._is_kept, self._tell, self._patience_seconds = plan, is_kept, tell, patience_seconds
        self._log = plan.var / "log" / "supervisord.log"
        self._begins_at = self._log.stat().st_size if self._log.exists() else 0
        now = time.monotonic()
        self._movement, self._began, self._told_at, self._next_look = Movement(now, now), now, now, now + 1.0

    def wait(self) -> bool:
        """Until every process is ready: True; False when the supervisor ended by itself, as one who was told to does.

        Raises StartFailed.
        """
        waiting = self._plan.ready_urls()
        while waiting := {name: url for name, url in waiting.items() if not _answers(url)}:
            if not self._is_kept():
                return False
            if time.monotonic() >= self._next_look:
                self._look(waiting)
            time.sleep(_LOOK_SECONDS)
        return True

    def _look(self, waiting: Mapping[str, str]) -> None:
        now = time.monotonic()
        self._next_look = now + _WINDOW_SECONDS
        if given_up := self._given_up(waiting):
            raise StartFailed("; ".join(f"{name} has given up: {self._last_words(name)}" for name in given_up))
        still = self._still_seconds(waiting, now)
        if still > self._patience_seconds:
            words = "; ".join(f"{name}: {self._why_not(name)}" for name in waiting)
            raise StartFailed(
                f"nothing has moved for {still:.0f} s ({PATIENCE_VARIABLE} gives it longer). Not ready are {words}"
            )
        if now - self._told_at >= _TELL_SECONDS:
            self._told_at = now
            self._tell(f"waiting for {', '.join(waiting)} ({now - self._began:.0f} s)")

    def _given_up(self, waiting: Iterable[str]) -> list[str]:
        with suppress(OSError), self._log.open(errors="replace") as log:
            log.seek(self._begins_at)
            text = log.read()
            over, ended = set(_GIVEN_UP.findall(text)), Counter(_ENDED.findall(text))
            return [name for name in waiting if name in over or ended[name] >= _EXITS]
        return []

    def _still_seconds(self, waiting: Iterable[str], now: float) -> float:
        if not Path("/proc/self/schedstat").exists():
            return self._patience_seconds - ELSEWHERE_SECONDS + now - self._began
        efforts = {one.pid: effort for one in self._at_work(waiting) if (effort := effort_of(one.pid)) is not None}
        return self._movement.look(efforts, now)

    def _at_work(self, waiting: Iterable[str]) -> list[SuiteProcess]:
        found = holders(self._plan.var)
        if all(one.name != SUPERVISOR for one in found):
            raise StartFailed("its supervisor was killed")
        return [one for one in found if one.name in {*waiting, SUPERVISOR}]

    def _why_not(self, name: str) -> str:
        return _reason(self._plan.reason_url(name)) or self._last_words(name)

    def _last_words(self, name: str) -> str:
        log = self._plan.var / "log" / f"{name}.log"
        return f"{last_words(log) or 'it said nothing'} (more in {log})"


def last_words(log: Path) -> str:
    """The last line of a log that says something; of a line of JSON what happened and why."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return _in_words(lines[-1])[:_WORDS] if lines else ""


def _in_words(line: str) -> str:
    try:
        told = json.loads(line)
        parts = [told[key] for key in ("event", "reason", "error", "exception") if told.get(key)]
    except (ValueError, TypeError, AttributeError):
        return line.strip()
    return ": ".join(str(part).strip().splitlines()[-1] for part in parts)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _reason(url: str) -> str:
    """Why a process says that it is not ready; empty when it says nothing."""
    try:
        urllib.request.urlopen(url, timeout=2)  # noqa: S310 - our own address
    except urllib.error.HTTPError as answer:
        with suppress(ValueError, AttributeError):
            found = json.loads(answer.read()).get("errors", [])
            return ", ".join(f"{one.get('field')} {one.get('reason')}" for one in found)
    except OSError:
        pass
    return ""
