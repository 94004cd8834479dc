"""`rapport restore`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from backup import restoration as engine
from backup.archive import ArchiveExists, ArchiveReader
from backup.export import KEYS, take_backup
from backup.failures import FAILURES
from backup.installation import NATS_URL, Installation, InstallationUnknown, NatsAway, from_environment
from backup.manifest import ArchiveRefused
from backup.restoration import InstallationOccupied, Restored
from chassis.clock import wall_clock
from cli.commands.backup import File, logs_aside, read_archive, show_progress
from cli.installation import VAR, Var
from cli.output import AsJson, fail, tell
from embedded import restoration as suite
from embedded.plan import Plan
from embedded.stores import StoresRefused

Replace = Annotated[bool, typer.Option("--replace", help="Move aside what is there, and say where to.")]


def bring_back(file: File, var: Var = VAR, replace: Replace = False, as_json: AsJson = False) -> None:
    """Bring FILE back into an empty installation whose services do not run; they go on from there when they start."""
    logs_aside()
    read_archive(file, as_json)
    try:
        restored, aside = asyncio.run(_bring_back(ArchiveReader(file), var.resolve(), replace))
    except (InstallationOccupied, ArchiveExists, suite.FolderHeld) as error:
        remedy = "Stop the services; restore into an empty installation, or with --replace."
        fail(f"nothing was restored: {error}", remedy, as_json=as_json)
    except ArchiveRefused as error:
        fail(f"nothing was restored: {error}", as_json=as_json)
    except (InstallationUnknown, StoresRefused, suite.NatsNotStarted) as error:
        fail(str(error), as_json=as_json)
    except NatsAway as error:
        fail(f"NATS: {error}", "It has to run, alone: the services must not.", as_json=as_json)
    except FAILURES as error:
        fail(f"the restore broke off: {error}", "What it wrote was taken away again: try anew.", as_json=as_json)
    tell(_summary(restored, aside), _words, as_json=as_json)


async def _bring_back(archive: ArchiveReader, var: Path, replace: bool) -> tuple[Restored, str]:
    if not os.environ.get(NATS_URL):
        return await _into_suite(archive, var, replace)
    installation, aside = from_environment(os.environ), ""
    engine.check_fit(archive.manifest, installation)
    if replace and await engine.occupied(installation):
        aside = await _moved_into_archive(installation, _moment())
    return await engine.restore(archive, installation, progress=show_progress), aside


async def _moved_into_archive(installation: Installation, moment: str) -> str:
    """Streams and databases of servers cannot be renamed: what is there becomes an archive, which is a way back."""
    name = f"before-{moment}.tar"
    try:
        await take_backup(installation, Path(name))
    except FAILURES as error:
        raise InstallationOccupied(f"what is there cannot be moved into an archive ({error})") from None
    await engine.clear(installation)
    return name


async def _into_suite(archive: ArchiveReader, var: Path, replace: bool) -> tuple[Restored, str]:
    """Into a stopped suite, its NATS alone; with the keys of the archive, if it has some and here are none."""
    with suite.alone(var):
        return await _into_folder(archive, var, replace)


async def _into_folder(archive: ArchiveReader, var: Path, replace: bool) -> tuple[Restored, str]:
    kept, aside = suite.kept_files(var), ""
    if kept and not replace:
        raise InstallationOccupied(f"{kept[0]} is there")
    if archive.manifest.has_keys:
        suite.take_keys(var, b"".join([piece async for piece in archive.read(KEYS)]))
    engine.check_fit(archive.manifest, _installation(suite.planned(var)))
    if kept:
        aside = str(suite.move_aside(var, _moment()))
    with suite.nats_alone(var) as plan:
        return await engine.restore(archive, _installation(plan), progress=show_progress), aside


def _installation(plan: Plan) -> Installation:
    return Installation(suite.backup_url(plan), suite.store_urls(plan, os.environ), {})


def _moment() -> str:
    return f"{wall_clock():%Y%m%d-%H%M%S}"


def _summary(restored: Restored, aside: str) -> dict[str, Any]:
    return {
        "seconds": round(restored.seconds, 2),
        "moved_aside": aside,
        "cut_off": restored.cut_off,
        "already_said": restored.known,
    }


def _words(answer: Mapping[str, Any]) -> str:
    lines = [f"restored in {answer['seconds']} s; start the services"]
    if answer["moved_aside"]:
        lines.append(f"what was there is in {answer['moved_aside']}")
    lines.append(f"messages from after the cut, left out: {sum(answer['cut_off'].values())}")
    return "\n".join(lines)
