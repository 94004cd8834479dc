"""A small container platform that believes its probes: each process alone, asked every second, restarted by liveness,
sent traffic by readiness.

async with Supervisor(plan, logs) as platform:
    await platform.until_ready(within=60)
    ...                                         # break something
    await platform.until_unready("gateway", within=30)
    platform.restarts, platform.story("gateway"), platform.notes("gateway")
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from embedded.plan import WATCHDOG, Plan
from tests.support.eventually import eventually

READY, ALIVE, FORMS = "/readyz", "/healthz", "/readyz/forms"
_PERIOD_SECONDS = 1.0
_PROBE_SECONDS = 3.0
_DEAD_AFTER = 5  # failed liveness probes in a row
_UNREADY_AFTER = 3  # failed readiness probes in a row, as on Kubernetes: one that is late says nothing yet
_CUT = 1000  # characters of an answer that are kept
_STOP_SECONDS = 15.0


@dataclass(frozen=True)
class Sight:
    """What a probe said, when it said something else than before. `at` counts seconds from the platform's start."""

    at: float
    process: str
    probe: str
    is_ready: bool
    why: str = ""


@dataclass(frozen=True)
class Restart:
    """A process that was started again, and why."""

    at: float
    process: str
    why: str


@dataclass(slots=True)
class _Container:
    process: subprocess.Popen[bytes]
    was_alive: bool = False  # it has time to start; then liveness counts
    silent: int = 0  # liveness probes in a row that failed
    unready_since: float | None = None  # counted from when it was alive
    missed: dict[str, int] = field(default_factory=dict)  # probes in a row that failed, by which probe


class Supervisor:
    """Runs `processes` of `plan` (default: all), each with `environment` on top of its own settings.

    Use as an async context manager.

    `unready_seconds`: also restart what was alive and not ready for so long, and after each time that this did not help
    only after twice as long (`patience`, by process); by default readiness restarts nothing.
    """

    def __init__(
        self,
        plan: Plan,
        logs: Path,
        *,
        processes: Iterable[str] | None = None,
        environment: Mapping[str, str] | None = None,
        unready_seconds: float | None = None,
    ) -> None:
        self.plan = plan
        self.processes = [name for name in plan.commands() if processes is None or name in set(processes)]
        self.timeline: list[Sight] = []
        self.restarts: list[Restart] = []
        self._logs = logs
        self._environment = dict(environment or {})
        self._unready_seconds = unready_seconds
        self.patience: dict[str, float] = {}
        self._containers: dict[str, _Container] = {}
        self._known: dict[tuple[str, str], Sight] = {}
        self._notes: dict[str, list[dict[str, str]]] = {}
        self._began = time.monotonic()
        self._tasks: list[asyncio.Task[None]] = []
        self._held: set[str] = set()
        self._client = httpx.AsyncClient(timeout=_PROBE_SECONDS)

    @property
    def now(self) -> float:
        """Seconds since the platform began."""
        return time.monotonic() - self._began

    def is_ready(self, process: str, probe: str = READY) -> bool:
        """What the last probe said; whoever routes traffic goes by this."""
        known = self._known.get((process, probe))
        return known is not None and known.is_ready

    def why_not(self, process: str, probe: str = READY) -> str:
        """Why the last probe said no."""
        known = self._known.get((process, probe))
        return "not asked yet" if known is None else known.why

    def notes(self, process: str) -> list[str]:
        """What the last answer of `/readyz` said was set aside: `part: reason`."""
        return [f"{note['field']}: {note['reason']}" for note in self._notes.get(process, [])]

    def story(self, process: str, probe: str = READY) -> list[bool]:
        """How readiness went: True, False, True is ready, then not, then again."""
        return [sight.is_ready for sight in self.timeline if (sight.process, sight.probe) == (process, probe)]

    async def until_ready(self, *names: str, within: float) -> None:
        """Wait until `names` (default: all that have a probe) are ready."""
        wanted = names or tuple(name for name in self.processes if name != WATCHDOG)

        def all_ready() -> bool:
            assert not (missing := {name: self.why_not(name) for name in wanted if not self.is_ready(name)}), missing
            return True

        try:
            await eventually(all_ready, within=within)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs(*wanted)}") from None

    async def until_unready(self, process: str, probe: str = READY, *, within: float) -> str:
        """Wait until `process` says that it is not ready; gives back why."""
        await eventually(lambda: (process, probe) in self._known and not self.is_ready(process, probe), within=within)
        return self.why_not(process, probe)

    def start(self, process: str) -> None:
        """Start a process that was held back."""
        self._held.discard(process)
        self._spawn(process)

    def hold(self, process: str) -> None:
        """SIGKILL, and do not start it again before `start`; before the platform began: do not start it with the
        others.
        """
        self._held.add(process)
        if process in self._containers:
            self.kill(process)

    def kill(self, process: str) -> None:
        """SIGKILL; the platform starts it again."""
        self._containers[process].process.kill()
        self._containers[process].process.wait()

    def logs(self, *processes: str, characters: int = 1500) -> str:
        """The end of what processes wrote."""
        paths = [self._logs / f"{name}.log" for name in processes or self.processes]
        return "\n".join(f"--- {path.name}\n{path.read_text()[-characters:]}" for path in paths if path.exists())

    async def stop(self) -> None:
        """Ask everything to end, NATS last, and start nothing again before `start_all`."""
        self._held.update(self.processes)
        last = [name for name in self.processes if name == "nats"]
        for names in ([name for name in self.processes if name not in last], last):
            running = [self._containers[name].process for name in names if name in self._containers]
            for process in running:
                process.send_signal(signal.SIGTERM)
            await asyncio.gather(*(asyncio.to_thread(_wait_or_kill, process) for process in running))

    def start_all(self, plan: Plan) -> None:
        """Start everything by `plan`, which may differ from the one before in its settings."""
        self.plan = plan
        for name in self.processes:
            self.start(name)

    async def __aenter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        for name in self.processes:
            if name not in self._held:
                self._spawn(name)
            self._tasks.append(asyncio.create_task(self._look_after(name), name=f"platform: {name}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()
        await self.stop()

    def _spawn(self, name: str) -> None:
        binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        environment = {**os.environ, "PATH": binaries, **self.plan.environment(name), **self._environment}
        command = shlex.split(self.plan.commands()[name])
        with (self._logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self.plan.root, env=environment, stdout=log, stderr=log)
        self._containers[name] = _Container(process)
        for probe in (READY, ALIVE, FORMS):
            if (name, probe) in self._known:
                self._see(name, probe, False, "it has just been started")

    async def _look_after(self, name: str) -> None:
        ready = self.plan.ready_urls().get(name)
        while True:
            await asyncio.sleep(_PERIOD_SECONDS)
            if name in self._held and name not in self._containers:
                continue
            if ready is not None:
                await self._ask(name, READY, self.plan.reason_url(name))
                if name == "gateway":
                    await self._ask(name, FORMS, f"{self.plan.url}{FORMS}")
                await self._ask(name, ALIVE, _alive_url(name, ready))
            self._mend(name)

    async def _ask(self, name: str, probe: str, url: str) -> None:
        try:
            answer = await self._client.get(url)
            is_ready, why = answer.status_code == 200, "" if answer.status_code == 200 else answer.text[:_CUT]
            self._notes[name] = _notes(answer) if probe == READY else self._notes.get(name, [])
        except httpx.HTTPError as error:
            is_ready, why = False, repr(error)
        container = self._containers[name]
        container.missed[probe] = 0 if is_ready else container.missed.get(probe, 0) + 1
        if is_ready or probe == ALIVE or container.missed[probe] >= _UNREADY_AFTER:
            self._see(name, probe, is_ready, why)
        if probe == ALIVE:
            container.was_alive |= is_ready
            container.silent = container.silent + 1 if container.was_alive and not is_ready else 0
        elif probe == READY and is_ready:
            container.unready_since = None
            self.patience.pop(name, None)
        elif probe == READY and container.was_alive:
            container.unready_since = container.unready_since or self.now

    def _see(self, name: str, probe: str, is_ready: bool, why: str) -> None:
        before = self._known.get((name, probe))
        self._known[name, probe] = Sight(self.now, name, probe, is_ready, why)
        if before is None or before.is_ready != is_ready:
            self.timeline.append(self._known[name, probe])

    def _mend(self, name: str) -> None:
        container = self._containers[name]
        unready = self.now - (container.unready_since or self.now)
        patience = self.patience.get(name, self._unready_seconds)
        if (code := container.process.poll()) is not None:
            why = f"it ended with {code}"
        elif container.silent >= _DEAD_AFTER:
            why = f"it does not answer: {self.why_not(name, ALIVE)}"
        elif patience is not None and unready > patience:
            why = f"it was not ready for {unready:.0f} s: {self.why_not(name)}"
            self.patience[name] = 2 * patience
        else:
            return
        if code is None:
            self.kill(name)
        if name not in self._held:
            self.restarts.append(Restart(self.now, name, why))
            self._spawn(name)


def _alive_url(name: str, ready: str) -> str:
    return f"{ready}?js-server-only=true" if name == "nats" else ready.removesuffix(READY) + ALIVE


def _notes(answer: httpx.Response) -> list[dict[str, str]]:
    try:
        body = answer.json()
    except json.JSONDecodeError:
        return []
    found: list[dict[str, str]] = body.get("notes") or []
    return found


def _wait_or_kill(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
