"""`rapport backup`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from backup.archive import ArchiveExists, ArchiveReader
from backup.cut import NoCut
from backup.export import BackupTaken, take_backup
from backup.failures import FAILURES
from backup.installation import NATS_URL, Installation, InstallationUnknown, NatsAway, from_environment
from backup.manifest import ArchiveRefused, Manifest
from backup.restoration import told
from cli.installation import VAR, Var
from cli.output import AsJson, fail, tell
from embedded import restoration
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
        sys.stderr.write(f"{line}\n")


def _take(file: Path, var: Path, with_keys: bool, as_json: bool) -> BackupTaken:
    try:
        installation, keys = _where(var.resolve(), with_keys)
        return asyncio.run(take_backup(installation, file, keys=keys, progress=show_progress))
    except ArchiveExists as error:
        fail(str(error), "It is not overwritten: give another name.", as_json=as_json)
    except (InstallationUnknown, StoresRefused, FileNotFoundError) as error:
        fail(str(error), f"Give --var, or set {NATS_URL} and the addresses of the stores.", as_json=as_json)
    except NatsAway as error:
        fail(f"NATS: {error}", "The suite has to run while it is backed up: `make up`.", as_json=as_json)
    except NoCut as error:
        fail(str(error), "Somebody holds a transaction open: see `rapport status`, and try again.", as_json=as_json)
    except FAILURES as error:
        fail(f"the back-up was given up: {error}", "Nothing was left behind. Try again.", as_json=as_json)


def _where(var: Path, with_keys: bool) -> tuple[Installation, bytes | None]:
    """The environment's installation, or the one under `var`."""
    if os.environ.get(NATS_URL):
        if with_keys:
            raise InstallationUnknown(
                "--with-keys is for an embedded suite: what the environment holds is kept elsewhere"
            )
        return from_environment(os.environ), None
    secrets = var / restoration.SECRETS
    if not secrets.exists():
        raise InstallationUnknown(f"there is no suite under {var}")
    plan = restoration.known_plan(var, json.loads((var / "ports.json").read_text()))
    installation = Installation(restoration.backup_url(plan), restoration.store_urls(plan, os.environ), {})
    return installation, secrets.read_bytes() if with_keys else None
