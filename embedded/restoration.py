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
from embedded.files import UMASK, make_private, open_private, write_private
from embedded.lock import take
from embedded.plan import NATS_USERS, Plan
from embedded.ports import GATEWAY, kept_ports
from embedded.secrets import Secrets, completed, kept_secrets, read_secrets
from embedded.stores import known_stores
from embedded.up import ROOT

SECRETS: Final = "secrets.json"
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 60.0
_STORES: Final = ("*.db", "*.db-wal", "*.db-shm")
_BEGUN: Final = "*.restoring"
_LATE: Final = "2m"  # what is restored is synced once, at the end, and not a piece at a time: forty times as fast


class FolderHeld(Exception):
    """A suite lives in the folder, or somebody else restores into it."""


class NatsNotStarted(Exception):
    """The server alone does not start. The text says where its log is."""


def known_plan(var: Path, ports: Mapping[str, int], secrets: Secrets) -> Plan:
    """The plan of the suite that is or will be under `var`. Raises StoresRefused."""
    inner = {name: port for name, port in ports.items() if name != GATEWAY}
    return Plan(ROOT, var, ports.get(GATEWAY, 0), inner, secrets, stores=known_stores(var))


def secrets_for(var: Path, keys: bytes | None = None) -> Secrets:
    """Those that are kept under `var`, else those that `keys` of an archive hold, else new ones; nothing is written.

    Raises SecretsUnreadable, SecretRefused.
    """
    judged = read_secrets(keys) if keys is not None else None
    return completed(kept_secrets(var / SECRETS) or judged, NATS_USERS)


def keep_secrets(var: Path, secrets: Secrets) -> None:
    """Write `secrets`, if they are not what is there."""
    if kept_secrets(var / SECRETS) != secrets:
        write_private(var / SECRETS, secrets.written())


def store_urls(var: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Where the store of each process is; what `environment` says counts before the folder. Raises StoresRefused."""
    kept = known_stores(var)
    return {
        process.name: environment.get(f"{process.prefix}DATABASE_URL") or kept[process.name] for process in PROCESSES
    }


def kept_files(var: Path) -> list[Path]:
    """Streams and stores under `var`."""
    stores = [path for pattern in _STORES for path in sorted(var.glob(pattern))]
    return [path for path in [var / "nats"] if path.exists() and any(path.iterdir())] + stores


@contextmanager
def moved_aside(var: Path, moment: str) -> Iterator[Path | None]:
    """Inside the block everything that a suite keeps under `var`, keys and logs excepted, is in the folder that is
    handed out; None where there is nothing. When the block ends by an error all is as it was, and what was begun is
    gone.
    """
    kept, aside = kept_files(var), var / f"before-{moment}"
    if kept:
        aside.mkdir(mode=0o700)
    try:
        for path in kept:
            path.rename(aside / path.name)
    except BaseException:
        _put_back(var, aside)
        raise
    try:
        yield aside if kept else None
    except BaseException:
        for path in (*kept_files(var), *var.glob(_BEGUN)):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        _put_back(var, aside)
        raise


def _put_back(var: Path, aside: Path) -> None:
    if aside.is_dir():
        for path in list(aside.iterdir()):
            path.rename(var / path.name)
        aside.rmdir()


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
def nats_alone(var: Path, secrets: Secrets) -> Iterator[Plan]:
    """The server of the suite under `var`, which does not run, and nothing else, with the passwords of `secrets`; all
    it wrote is on disk at the end.

    Raises NatsNotStarted.
    """
    for folder in (var, var / "log", var / "nats"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    plan = known_plan(var, kept_ports(var / "ports.json"), secrets)
    config, log = var / "nats-restore.conf", var / "log" / "nats-restore.log"
    write_private(config, nats_config(replace(plan.nats, sync=_LATE, log=None)))
    with os.fdopen(open_private(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab") as output:
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
