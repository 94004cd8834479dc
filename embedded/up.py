"""`make up`: prepare `var/`, start every process, say where things are; Ctrl-C stops all of it."""

from __future__ import annotations

import signal

if __name__ == "__main__":  # while the rest is read Ctrl-C ends it without a word: nothing has begun
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from chassis.clock import wall_clock
from chassis.lanes import LanePlanRefused
from deployment.nats_config import take_over_store
from embedded import forks, processes
from embedded.environment import FIRST_KEYS, EnvironmentRefused, caller_settings, wanted_ports
from embedded.files import UMASK, make_private, write_private
from embedded.lanes import keep_lanes
from embedded.lock import DESCRIPTOR_VARIABLE, Lock, is_held, note_of, take
from embedded.notation import ValueRefused
from embedded.plan import LANES_FILE, NATS_USERS, Plan
from embedded.ports import GATEWAY, PortTaken, last_ports
from embedded.ports import free_ports as free_ports
from embedded.ports import kept_ports as kept_ports
from embedded.processes import running_pid as running_pid
from embedded.readiness import PATIENCE_SECONDS, PATIENCE_VARIABLE, Start, StartFailed
from embedded.secrets import SecretsUnreadable, load_or_make
from embedded.stores import VARIABLES, StoresRefused, chosen_stores

ROOT = Path(__file__).resolve().parent.parent
SAFE_PATH = {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
"""Modules of the suite come from here and from its environment, whatever lies in the folder it is called in."""
_REFUSALS = (
    EnvironmentRefused,
    LanePlanRefused,
    PortTaken,
    SecretsUnreadable,
    StoresRefused,
    StartFailed,
    ValueRefused,
)
_OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES")
_LOCK_SECONDS = 2.0


INTERRUPTED = "stopped before it began; nothing runs."
INTERRUPTED_CODE = 130  # 128 and the signal's number, as shells have it


class CannotStart(Exception):
    """Why the suite cannot start, and what to do about it."""


@dataclass(frozen=True)
class Wish:
    """How a suite is to run. `environment` is the caller's; `say` tells a person what goes on."""

    var: Path
    port: int
    environment: Mapping[str, str]
    is_detached: bool = False
    lanes: int | None = None  # as last time
    say: Callable[[str], None] = print

    @property
    def patience_seconds(self) -> float:
        """For how long nothing may move before the start is given up. Raises EnvironmentRefused."""
        text = self.environment.get(PATIENCE_VARIABLE, "")
        try:
            return float(text or PATIENCE_SECONDS)
        except ValueError:
            raise EnvironmentRefused(f"{PATIENCE_VARIABLE} is a number of seconds") from None


@dataclass(frozen=True)
class Started:
    """A suite that is ready."""

    plan: Plan
    seconds: float


def main() -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    wish = _wish(_arguments())
    try:
        return run(wish, lambda started: wish.say(announcement(started, is_detached=wish.is_detached)))
    except CannotStart as error:
        wish.say(f"rapport cannot start: {error}")
        return 1
    except KeyboardInterrupt:
        wish.say(INTERRUPTED)
        return INTERRUPTED_CODE


def run(wish: Wish, announce: Callable[[Started], None]) -> int:
    """Start the suite and `announce` it when it is ready; detached, return then, else when it has ended.

    Answers the exit code. Raises CannotStart.
    """
    os.umask(UMASK)
    try:
        make_private(wish.var)
        lock = _claim(wish)
        before = last_ports(wish.var / "ports.json").get("nats")
        plan = prepare(wish.var, wish.port, detached=wish.is_detached, lanes=wish.lanes, environment=wish.environment)
        if before not in (None, plan.ports["nats"]):
            wish.say(f"NATS is on port {plan.ports['nats']} now, and was on {before}: tell reps' tools")
        lock.note(process=os.getpid(), since=wall_clock().isoformat(timespec="seconds"), url=plan.url)
        return (_run_detached if wish.is_detached else _run_here)(wish, plan, lock, announce)
    except _REFUSALS as refusal:
        raise CannotStart(str(refusal)) from None
    except OSError as error:
        raise CannotStart(f"{error.filename or wish.var}: {error.strerror}") from error


def prepare(
    var: Path, port: int, *, detached: bool, lanes: int | None = None, environment: Mapping[str, str] | None = None
) -> Plan:
    """Write everything the processes need under `var`. Port 0 means that of the last time, or any free one."""
    environment = environment or {}
    for folder in (var, var / "log", var / "nats"):
        folder.mkdir(parents=True, exist_ok=True)
    overrides = caller_settings(environment, port)
    ports = kept_ports(var / "ports.json", wanted_ports(environment, port))
    first_keys = {name: overrides[variable] for name, variable in FIRST_KEYS.items() if variable in overrides}
    secrets = load_or_make(var / "secrets.json", NATS_USERS, first_keys)
    counted = keep_lanes(var / LANES_FILE, lanes)
    plan = Plan(ROOT, var, ports.pop(GATEWAY), ports, secrets, counted, overrides=overrides)
    plan = replace(plan, stores=chosen_stores(var, environment, secrets))
    take_over_store(var / "nats")
    write_private(var / "nats.conf", plan.nats_config())
    write_private(var / "supervisord.conf", plan.supervisor_config((ROOT / "Procfile").read_text(), detached=detached))
    write_private(var / "rapport.env", plan.rapport_env())
    return plan


def _claim(wish: Wish) -> Lock:
    """The lock on the folder; what a killed supervisor left there is ended first. Raises CannotStart."""
    lock = take(wish.var)
    find = partial(processes.holders if lock is None else processes.former, wish.var)
    found = find()
    if (keeper := processes.keeper(found)) is not None:
        raise CannotStart(f"it is running already {_who(wish.var, keeper)}; {_OTHER_FOLDER}")
    if found:
        names = ", ".join(f"{one.name} ({one.pid})" for one in found)
        wish.say(f"the supervisor of the last suite was killed; what it left is ended in order first: {names}")
        processes.end(find)
    if lock is not None:
        return lock
    deadline = time.monotonic() + _LOCK_SECONDS
    while (lock := take(wish.var)) is None:
        if time.monotonic() > deadline:
            raise CannotStart(f"{wish.var} is held by processes that cannot be seen from here, {_who(wish.var)}")
        time.sleep(0.05)
    return lock


_OTHER_FOLDER = "stop it with `make down`, or use another folder with VAR="


def _who(var: Path, keeper: processes.SuiteProcess | None = None) -> str:
    note = note_of(var)
    since = f"since {note['since']}, at {note['url']}" if {"since", "url"} <= set(note) else "which is just starting"
    pid = keeper.pid if keeper is not None else note.get("process", "unknown")
    return f"(process {pid}, {since})"


def _supervisor(wish: Wish, plan: Plan, lock: Lock) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C reaches this process alone, which stops the others in order."""
    return subprocess.Popen(  # noqa: S603 - our own command
        supervisor_command(plan),
        cwd=plan.root,
        env=_environment(wish, lock),
        pass_fds=(lock.descriptor,),
        start_new_session=True,
    )


def _run_here(wish: Wish, plan: Plan, lock: Lock, announce: Callable[[Started], None]) -> int:
    began = time.monotonic()
    # a shell ignores it for what it starts in the background; we mean it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    start = Start(plan, lambda: supervisor.poll() is None, wish.say, wish.patience_seconds)
    supervisor = _supervisor(wish, plan, lock)
    try:
        signal.signal(signal.SIGTERM, lambda *_: supervisor.terminate())
        if start.wait():
            announce(Started(plan, time.monotonic() - began))
        code = supervisor.wait()
    except KeyboardInterrupt:
        wish.say("stopping ...")
        supervisor.terminate()
        code = supervisor.wait()
    except StartFailed:
        supervisor.terminate()
        supervisor.wait()
        raise
    if left := processes.end(partial(processes.holders, plan.var)):
        raise CannotStart(f"its supervisor was killed; {len(left)} processes that it left were ended in order")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # whoever asks for it again has it
    wish.say("stopped.")
    return 0 if code in (0, -signal.SIGTERM) else code


def _run_detached(wish: Wish, plan: Plan, lock: Lock, announce: Callable[[Started], None]) -> int:
    began = time.monotonic()
    start = Start(plan, lambda: is_held(plan.var), wish.say, wish.patience_seconds)
    subprocess.run(  # noqa: S603 - our own command; what fails is seen by the lock
        supervisor_command(plan), cwd=plan.root, env=_environment(wish, lock), pass_fds=(lock.descriptor,), check=False
    )
    lock.release()
    try:
        if not start.wait():
            raise StartFailed(f"its supervisor ended; see {plan.var / 'log' / 'supervisord.log'}")
    except (StartFailed, KeyboardInterrupt):
        processes.end(partial(processes.holders, plan.var))
        raise
    announce(Started(plan, time.monotonic() - began))
    return 0


def supervisor_command(plan: Plan) -> list[str]:
    """What keeps the processes."""
    return [sys.executable, "-P", "-m", "embedded.supervisor", "-c", str(plan.var / "supervisord.conf")]


def _environment(wish: Wish, lock: Lock) -> dict[str, str]:
    # what holds an administrator's password ends here; make hands on what stood on its command line as well
    given = {name: text for name, text in wish.environment.items() if name not in (*VARIABLES, *_OF_MAKE)}
    scripts = str(Path(sys.executable).parent)  # where `python` and `nats-server` of this environment are
    return {
        **given,
        "PATH": f"{scripts}{os.pathsep}{wish.environment.get('PATH', '')}",
        **SAFE_PATH,
        DESCRIPTOR_VARIABLE: str(lock.descriptor),
    }


def announcement(started: Started, *, is_detached: bool) -> str:
    """What a person is told of a suite that is ready."""
    plan = started.plan
    env_file = _shown(plan.var / "rapport.env")
    how_to_stop = "`make down` stops it." if is_detached else "Ctrl-C stops it."
    return f"""
Rapport is ready after {started.seconds:.1f} s. {how_to_stop}

  gateway    {plan.url}         API documentation at {plan.url}/docs
  write key  {plan.secrets.write_key}
  API key    {plan.secrets.api_key}
  events     nats://127.0.0.1:{plan.ports["nats"]} (user and password in the file below)

  . {env_file}                 sets RAPPORT_URL, RAPPORT_WRITE_KEY, RAPPORT_API_KEY, RAPPORT_NATS_URL
  {_shown(plan.var / "log")}                           has a log per process
"""


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _wish(arguments: argparse.Namespace) -> Wish:
    return Wish(
        var=arguments.var.resolve(),
        port=arguments.port,
        environment=os.environ | ({forks.VARIABLE: "0"} if arguments.exec else {}),
        is_detached=arguments.detach,
        lanes=arguments.lanes,
        say=lambda text: print(text, flush=True),  # noqa: T201 - to whoever started it
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="embedded.up", description="Run the whole suite on this machine.")
    parser.add_argument("--port", type=int, default=8080, help="the gateway's port; 0 takes that of the last time")
    parser.add_argument("--var", type=Path, default=Path("var"), help="where stores, logs and keys live")
    parser.add_argument(
        "--lanes",
        type=int,
        help="ordered ways that messages travel in; default: as last time. While it runs: rapport lanes",
    )
    parser.add_argument("--detach", action="store_true", help="return when every process is ready")
    parser.add_argument("--exec", action="store_true", help="start an interpreter for each process instead of forking")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
