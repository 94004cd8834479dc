"""`rapport backup`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from backup.archive import ArchiveExists, ArchiveNotWritten, ArchiveReader
from backup.cut import NoCut
from backup.export import BackupTaken, take_backup
from backup.failures import FAILURES
from backup.installation import NATS_URL, Installation, InstallationUnknown, NatsAway, from_environment
from backup.manifest import ArchiveRefused, Manifest
from backup.restoration import told
from cli.installation import VAR, InstallationAccess, Var
from cli.installation import installation as here
from cli.output import AsJson, fail, shown, tell
from embedded import restoration
from embedded.ports import last_ports
from embedded.secrets import SecretsUnreadable
from embedded.stores import StoresRefused

File = Annotated[Path, typer.Argument(help="The archive.")]


def take(
    file: File,
    var: Var = VAR,
    verify: Annotated[bool, typer.Option("--verify", help="Take none: read FILE and say whether it is whole.")] = False,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Put the keys of an embedded suite into it as well.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write streams and stores, as they are at one moment, into FILE; the suite goes on meanwhile."""
    logs_aside()
    if verify:
        tell(summary(read_archive(file, as_json)), words, as_json=as_json)
        return
    taken = _take(file, var, with_keys, as_json)
    answer = summary(taken.manifest) | {"file": str(file), "seconds": round(taken.seconds, 2)}
    tell(answer, words, as_json=as_json)


def read_archive(file: Path, as_json: bool) -> Manifest:
    """The manifest of an archive that is whole; ends the command when it is not."""
    try:
        reader = ArchiveReader(file)
        reader.verify()
    except ArchiveRefused as refusal:
        fail(f"the archive cannot be used: {refusal}", "Nothing was touched. Take another one.", as_json=as_json)
    return reader.manifest


def summary(manifest: Manifest) -> dict[str, Any]:
    """An archive as JSON."""
    return {
        "version": manifest.version,
        "taken_at": manifest.taken_at,
        "frozen_ms": manifest.frozen_ms,
        "streams": {name: part.cut for name, part in manifest.streams.items()},
        "stores": {name: part.kind for name, part in manifest.stores.items()},
        "bytes": sum(member.stored for member in manifest.members),
        "bytes_unpacked": sum(member.size for member in manifest.members),
        "has_keys": manifest.has_keys,
        "words": list(told(manifest)),
    }


def words(answer: Mapping[str, Any]) -> str:
    """The same for people."""
    lines = [*answer["words"]]
    if "seconds" in answer:
        speed = answer["bytes_unpacked"] / 1e6 / max(answer["seconds"], 0.01)
        lines.append(f"{answer['file']}: {answer['seconds']} s, {speed:.0f} MB/s as it is in the stores")
    return "\n".join(lines)


def logs_aside() -> None:
    """What the parts log goes to standard error: standard output is the answer's."""
    structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))


def show_progress(line: str) -> None:
    """On standard error, where somebody looks."""
    if sys.stderr.isatty():
        sys.stderr.write(f"{shown(line)}\n")


def _take(file: Path, var: Path, with_keys: bool, as_json: bool) -> BackupTaken:
    try:
        installation, keys = _where(here(var), with_keys)
        return asyncio.run(take_backup(installation, file, keys=keys, progress=show_progress))
    except ArchiveExists as error:
        fail(str(error), "It is not overwritten: give another name.", as_json=as_json)
    except ArchiveNotWritten as error:
        fail(str(error), "Name a folder that is there, and that you may write into.", as_json=as_json)
    except (InstallationUnknown, StoresRefused, SecretsUnreadable, FileNotFoundError) as error:
        fail(str(error), f"Give --var, or set {NATS_URL} and the addresses of the stores.", as_json=as_json)
    except NatsAway as error:
        fail(f"NATS: {error}", "The suite has to run while it is backed up: `make up`.", as_json=as_json)
    except NoCut as error:
        fail(str(error), "Somebody holds a transaction open: see `rapport status`, and try again.", as_json=as_json)
    except FAILURES as error:
        fail(f"the back-up was given up: {error}", "Nothing was left behind. Try again.", as_json=as_json)


def _where(place: InstallationAccess, with_keys: bool) -> tuple[Installation, bytes | None]:
    """The environment's installation, or the one under `var`."""
    var, environment = place.var, place.environment
    if environment.get(NATS_URL):
        if with_keys:
            raise InstallationUnknown(
                "--with-keys is for an embedded suite: what the environment holds is kept elsewhere"
            )
        return from_environment(environment), None
    if place.apart:
        raise InstallationUnknown(place.apart)
    if not (var / restoration.SECRETS).exists():
        raise InstallationUnknown(f"there is no suite under {var}")
    secrets = restoration.secrets_for(var)
    plan = restoration.known_plan(var, last_ports(var / "ports.json"), secrets)
    if "nats" not in plan.ports:
        raise InstallationUnknown(f"{var / 'ports.json'} does not say where NATS is: start the suite")
    installation = Installation(restoration.backup_url(plan), restoration.store_urls(var, environment), {})
    return installation, secrets.written().encode() if with_keys else None
