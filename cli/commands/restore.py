"""`rapport restore`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from backup import restoration as engine
from backup.archive import ArchiveExists, ArchiveNotWritten, ArchiveReader
from backup.export import KEYS, take_backup
from backup.failures import FAILURES
from backup.installation import NATS_URL, Installation, InstallationUnknown, NatsAway, from_environment
from backup.manifest import ArchiveRefused
from backup.restoration import InstallationOccupied, Restored
from chassis.clock import wall_clock
from cli.commands.backup import File, logs_aside, read_archive, show_progress
from cli.installation import VAR, InstallationAccess, Var
from cli.installation import installation as here
from cli.output import AsJson, fail, tell
from embedded import restoration as suite
from embedded.files import ForeignFile
from embedded.secrets import SecretRefused, Secrets, SecretsUnreadable
from embedded.stores import StoresRefused

Replace = Annotated[bool, typer.Option("--replace", help="Move aside what is there, and say where to.")]


@dataclass
class Aside:
    """Where what was there is, once it is not there any more."""

    place: str = ""

    @property
    def way_back(self) -> str:
        """What to do when a restore breaks off."""
        if self.place:
            return f"What was there is in {self.place}: `rapport restore {self.place} --replace` brings it back."
        return "What it wrote was taken away again, and what was there is as it was: mend the cause, and try anew."


def bring_back(file: File, var: Var = VAR, replace: Replace = False, as_json: AsJson = False) -> None:
    """Bring FILE back into an empty installation whose services do not run; they go on from there when they start."""
    logs_aside()
    read_archive(file, as_json)
    aside, place = Aside(), here(var)
    try:
        restored = asyncio.run(_bring_back(ArchiveReader(file), place, replace, aside))
    except suite.FolderHeld as error:
        fail(f"nothing was restored: {error}", "Then try again.", as_json=as_json)
    except (InstallationOccupied, ArchiveExists, ArchiveNotWritten) as error:
        remedy = "Stop the services; restore into an empty installation" + ("." if replace else ", or with --replace.")
        fail(f"nothing was restored: {error}", remedy, as_json=as_json)
    except (ArchiveRefused, SecretsUnreadable) as error:
        fail(f"nothing was restored: {error}", as_json=as_json)
    except ForeignFile as error:
        fail(f"nothing was restored: {error.filename}: {error.strerror}", as_json=as_json)
    except (InstallationUnknown, StoresRefused) as error:
        fail(str(error), as_json=as_json)
    except NatsAway as error:
        remedy = aside.way_back if aside.place else "It has to run, alone: the services must not."
        fail(f"NATS: {error}", remedy, as_json=as_json)
    except (*FAILURES, suite.NatsNotStarted) as error:
        fail(f"the restore broke off: {error}", aside.way_back, as_json=as_json)
    tell(_summary(restored, aside.place), _words, as_json=as_json)


async def _bring_back(archive: ArchiveReader, place: InstallationAccess, replace: bool, aside: Aside) -> Restored:
    if place.environment.get(NATS_URL):
        installation = from_environment(place.environment)
        engine.check_fit(archive.manifest, installation)
        return await _into_servers(archive, installation, Path(), aside if replace else None)
    if place.apart:
        raise InstallationUnknown(place.apart)
    with suite.alone(place.var):
        return await _into_folder(archive, place, replace, aside)


async def _into_servers(
    archive: ArchiveReader, installation: Installation, folder: Path, aside: Aside | None
) -> Restored:
    """Streams and databases of servers cannot be renamed: what is there becomes an archive in `folder`, which is a way
    back, where it may be moved `aside`.
    """
    if aside is not None and await engine.occupied(installation):
        place = folder / f"before-{_moment()}.tar"
        try:
            await take_backup(installation, place)
        except FAILURES as error:
            raise InstallationOccupied(f"what is there cannot be moved into an archive ({error})") from None
        aside.place = str(place)
        await engine.clear(installation)
    return await engine.restore(archive, installation, progress=show_progress)


async def _into_folder(archive: ArchiveReader, place: InstallationAccess, replace: bool, aside: Aside) -> Restored:
    """Into a stopped suite, its NATS alone; with the keys of the archive, if it has some and here are none. All is
    judged first; what was there comes back when it breaks off; keys are written when it is done.
    """
    var, stores = place.var, suite.store_urls(place.var, os.environ)
    places = Installation("", stores, {})
    engine.check_fit(archive.manifest, places)
    engine.check_room(archive.manifest, var)
    secrets = _secrets(archive, var)
    if any(places.kind(name) != "sqlite" for name in stores):
        with suite.nats_alone(var, secrets) as plan:
            installation = Installation(suite.backup_url(plan), stores, {})
            restored = await _into_servers(archive, installation, var, aside if replace else None)
    else:
        if (kept := suite.kept_files(var)) and not replace:
            raise InstallationOccupied(f"{kept[0]} is there")
        with suite.moved_aside(var, _moment()) as former, suite.nats_alone(var, secrets) as plan:
            installation = Installation(suite.backup_url(plan), stores, {})
            restored = await engine.restore(archive, installation, progress=show_progress)
        aside.place = str(former or "")
    suite.keep_secrets(var, secrets)
    return restored


def _secrets(archive: ArchiveReader, var: Path) -> Secrets:
    try:
        return suite.secrets_for(var, archive.small(KEYS) if archive.manifest.has_keys else None)
    except SecretRefused as refusal:
        raise ArchiveRefused(f"its {KEYS}: {refusal}") from None


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
