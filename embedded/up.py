"""`make up`: prepare `var/`, start every process, say where things are; Ctrl-C stops all of it."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from chassis.lanes import LanePlanRefused
from deployment.nats_config import take_over_store
from embedded.lanes import keep_lanes
from embedded.plan import LANES_FILE, NATS_USERS, PORT_NAMES, Plan
from embedded.secrets import load_or_make

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_SECONDS = 60.0
_LOOK_SECONDS = 0.03
_PORTS = range(20_000, 32_768)  # Linux takes those from 32768 on for outgoing connections, others those from 49152 on


class CannotStart(Exception):
    """Why the suite cannot start, and what to do about it."""


def main() -> int:
    arguments = _arguments()
    try:
        plan = prepare(arguments.var.resolve(), arguments.port, detached=arguments.detach, lanes=arguments.lanes)
        command = supervisor_command(plan, forks=not arguments.exec)
        return _run_detached(plan, command) if arguments.detach else _run_here(plan, command)
    except (CannotStart, LanePlanRefused) as error:
        _say(f"rapport cannot start: {error}")
        return 1


def prepare(var: Path, port: int, *, detached: bool, lanes: int | None = None) -> Plan:
    """Write everything the processes need under `var`. Port 0 means any free one."""
    refuse_if_running(var)
    for folder in (var, var / "log", var / "nats"):
        folder.mkdir(parents=True, exist_ok=True)
    if port and not _is_free(port):
        raise CannotStart(f"port {port} is taken; choose another with PORT=")
    secrets = load_or_make(var / "secrets.json", NATS_USERS)
    port = port or free_ports(1)[0]
    ports = kept_ports(var / "ports.json", taken=port)
    plan = Plan(ROOT, var, port, ports, secrets, keep_lanes(var / LANES_FILE, lanes))
    take_over_store(var / "nats")
    _write_private(var / "nats.conf", plan.nats_config())
    _write_private(var / "supervisord.conf", plan.supervisor_config((ROOT / "Procfile").read_text(), detached=detached))
    _write_private(var / "rapport.env", plan.rapport_env())
    return plan


def refuse_if_running(var: Path) -> None:
    pid = running_pid(var)
    if pid is not None:
        raise CannotStart(
            f"it is running already (process {pid}); stop it with `make down`, or use another folder with VAR="
        )


def running_pid(var: Path) -> int | None:
    """The process id of the supervisord that keeps `var`, if it lives."""
    try:
        pid = int((var / "supervisord.pid").read_text())
        os.kill(pid, 0)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    return pid


def kept_ports(path: Path, taken: int = 0) -> dict[str, int]:
    """The ports of PORT_NAMES: those of the last time where they are free, because reps were told where NATS is, and
    others watch the rest.
    """
    try:
        last = {name: int(port) for name, port in json.loads(path.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        last = {}
    fresh = dict(zip(PORT_NAMES, (port for port in free_ports(len(PORT_NAMES) + 1) if port != taken), strict=False))
    kept = {
        name: port
        for name, port in last.items()
        if name in fresh and port != taken and port not in fresh.values() and _is_free(port)
    }
    ports = fresh | kept
    path.write_text(json.dumps(ports, indent=2))
    return ports


def free_ports(count: int) -> list[int]:
    """Ports that are free now, and that the system gives no outgoing connection before they are listened on: on a busy
    machine that takes a while.
    """
    candidates = random.SystemRandom().sample(_PORTS, len(_PORTS))
    return list(itertools.islice((port for port in candidates if _is_free(port)), count))


def _run_here(plan: Plan, command: list[str]) -> int:
    started = time.monotonic()
    # a shell ignores it for what it starts in the background; we mean it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # a session of its own: Ctrl-C reaches this process alone, which stops the others in order
    supervisor = subprocess.Popen(command, cwd=plan.root, env=_environment(), start_new_session=True)  # noqa: S603 - our own command
    signal.signal(signal.SIGTERM, lambda *_: supervisor.terminate())
    try:
        if _wait_until_ready(plan, supervisor):
            _announce(plan, started, "Ctrl-C stops it.")
        code = supervisor.wait()
    except KeyboardInterrupt:
        _say("stopping ...")
        supervisor.terminate()
        code = supervisor.wait()
    except CannotStart:
        supervisor.terminate()
        supervisor.wait()
        raise
    _say("stopped.")
    return 0 if code in (0, -signal.SIGTERM) else code


def _run_detached(plan: Plan, command: list[str]) -> int:
    started = time.monotonic()
    subprocess.run(command, cwd=plan.root, env=_environment(), check=True)  # noqa: S603 - our own command
    try:
        _wait_until_ready(plan, None)
    except CannotStart:
        pid = running_pid(plan.var)
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
        raise
    _announce(plan, started, "`make down` stops it.")
    return 0


def supervisor_command(plan: Plan, *, forks: bool = True) -> list[str]:
    """What keeps the processes: ours, which forks them, or supervisord as it is, which starts an interpreter for
    each.
    """
    module = "embedded.supervisor" if forks and sys.platform == "linux" else "supervisor.supervisord"
    return [sys.executable, "-m", module, "-c", str(plan.var / "supervisord.conf")]


def _environment() -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)  # where `python` and `nats-server` of this environment are
    return {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"}


def _wait_until_ready(plan: Plan, supervisor: subprocess.Popen[bytes] | None) -> bool:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    waiting = plan.ready_urls()
    while waiting:
        if supervisor is not None and supervisor.poll() is not None:
            return False
        waiting = {name: url for name, url in waiting.items() if not _answers(url)}
        if waiting and time.monotonic() > deadline:
            raise CannotStart(
                f"not ready within {READY_WITHIN_SECONDS:.0f} s: {', '.join(waiting)}; see {plan.var / 'log'}"
            )
        if waiting:
            time.sleep(_LOOK_SECONDS)
    return True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _announce(plan: Plan, started: float, how_to_stop: str) -> None:
    env_file = _shown(plan.var / "rapport.env")
    _say(f"""
Rapport is ready after {time.monotonic() - started:.1f} s. {how_to_stop}

  gateway    {plan.url}         API documentation at {plan.url}/docs
  write key  {plan.secrets.write_key}
  API key    {plan.secrets.api_key}
  events     nats://127.0.0.1:{plan.ports["nats"]} (user and password in the file below)

  . {env_file}                 sets RAPPORT_URL, RAPPORT_WRITE_KEY, RAPPORT_API_KEY, RAPPORT_NATS_URL
  {_shown(plan.var / "log")}                           has a log per process
""")


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600, exist_ok=True)
    path.write_text(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="embedded.up", description="Run the whole suite on this machine.")
    parser.add_argument("--port", type=int, default=8080, help="the gateway's port; 0 takes any free one")
    parser.add_argument("--var", type=Path, default=Path("var"), help="where stores, logs and keys live")
    parser.add_argument(
        "--lanes",
        type=int,
        help="ordered ways that messages travel in; default: as last time. While it runs: rapport lanes",
    )
    parser.add_argument("--detach", action="store_true", help="return when every process is ready")
    parser.add_argument("--exec", action="store_true", help="start an interpreter for each process instead of forking")
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
