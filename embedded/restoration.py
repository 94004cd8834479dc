"""A stopped suite's NATS alone, for whoever brings its streams back; and where a suite's stores are."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from deployment.backup_user import BACKUP
from deployment.catalogue import PROCESSES
from deployment.nats_config import nats_config
from embedded.files import UMASK, make_private
from embedded.lock import take
from embedded.plan import NATS_USERS, Plan
from embedded.ports import GATEWAY, kept_ports
from embedded.secrets import load_or_make
from embedded.stores import known_stores
from embedded.up import ROOT

SECRETS: Final = "secrets.json"
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 60.0
_STORES: Final = ("*.db", "*.db-wal", "*.db-shm")
_LATE: Final = "2m"  # what is restored is synced once, at the end, and not a piece at a time: forty times as fast


class FolderHeld(Exception):
    """A suite lives in the folder, or somebody else restores into it."""


class NatsNotStarted(Exception):
    """The server alone does not start. The text says where its log is."""


def planned(var: Path) -> Plan:
    """The plan of the suite that is or will be under `var`."""
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    return known_plan(var, kept_ports(var / "ports.json"))


def known_plan(var: Path, ports: Mapping[str, int]) -> Plan:
    """The plan of the suite under `var`, its secrets made if there are none yet. Raises StoresRefused."""
    inner = {name: port for name, port in ports.items() if name != GATEWAY}
    secrets = load_or_make(var / SECRETS, NATS_USERS)
    return Plan(ROOT, var, ports.get(GATEWAY, 0), inner, secrets, stores=known_stores(var))


def store_urls(plan: Plan, environment: Mapping[str, str]) -> dict[str, str]:
    """Where the store of each process is; what `environment` says counts before the plan."""
    names = {process.name: f"{process.prefix}DATABASE_URL" for process in PROCESSES}
    return {process: environment.get(name) or plan.environment(process)[name] for process, name in names.items()}


def kept_files(var: Path) -> list[Path]:
    """Streams and stores under `var`."""
    stores = [path for pattern in _STORES for path in sorted(var.glob(pattern))]
    return [path for path in [var / "nats"] if path.exists() and any(path.iterdir())] + stores


def take_keys(var: Path, keys: bytes) -> None:
    """Use the `keys` of an archive where there are none yet."""
    path = var / SECRETS
    var.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(keys)


def move_aside(var: Path, moment: str) -> Path:
    """Move everything that a suite keeps under `var`, keys and logs excepted, into a folder of its own."""
    aside = var / f"before-{moment}"
    aside.mkdir(mode=0o700)
    for path in kept_files(var):
        path.rename(aside / path.name)
    return aside


@contextmanager
def alone(var: Path) -> Iterator[None]:
    """Inside the block no suite starts under `var`; what is written is its owner's alone. Raises FolderHeld."""
    os.umask(UMASK)
    make_private(var)
    lock = take(var)
    if lock is None:
        raise FolderHeld(f"the suite under {var} runs: stop it with `make down`")
    try:
        lock.note(process=os.getpid(), restores=True)
        yield
    finally:
        lock.release()


@contextmanager
def nats_alone(var: Path) -> Iterator[Plan]:
    """The server of the suite under `var`, which does not run, and nothing else; all it wrote is on disk at the end.

    Raises NatsNotStarted.
    """
    for folder in (var, var / "log", var / "nats"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    plan = planned(var)
    config, log = var / "nats-restore.conf", var / "log" / "nats-restore.log"
    config.touch(mode=0o600)
    config.write_text(nats_config(replace(plan.nats, sync=_LATE)))
    with log.open("ab") as output:
        server = subprocess.Popen([_binary(), "-c", str(config)], stdout=output, stderr=output)  # noqa: S603 - our own
    try:
        _wait_for(plan.ports["nats"], server, log)
        yield plan
    finally:
        server.terminate()
        server.wait(_STOP_SECONDS)
        config.unlink()
        plan.nats.pid_file.unlink(missing_ok=True)
        _sync(var / "nats")


def backup_url(plan: Plan) -> str:
    """The bus, for whoever takes a back-up or brings it back."""
    return plan.nats_url(BACKUP)


def _binary() -> str:
    beside = Path(sys.executable).parent
    found = shutil.which("nats-server", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise NatsNotStarted("there is no nats-server: run `make setup`")
    return found


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return
        time.sleep(0.02)
    raise NatsNotStarted(f"nats-server did not start; see {log}")


def _sync(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
