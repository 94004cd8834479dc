"""Which installation a command is about: the folder that --var names; where none is named, what the environment says
(RAPPORT_URL, RAPPORT_API_KEY, ...), else `rapport.env` in the suite's folder. Never half of one and half of another.
No secret stands on a command line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from cli.output import fail
from deployment.catalogue import PROCESSES
from embedded.files import ForeignFile, read_private
from embedded.notation import read_shell_file
from embedded.up import ROOT

_is_named: ContextVar[bool] = ContextVar("_is_named", default=False)


def _note_source(context: typer.Context, var: Path) -> Path:
    source = context.get_parameter_source("var")
    _is_named.set(source is not None and source.name == "COMMANDLINE")
    return var


def _note_again(context: typer.Context, var: Path | None) -> Path | None:
    if var is not None:
        _note_source(context, var)
    return var


Var = Annotated[
    Path,
    typer.Option(
        "--var",
        envvar="RAPPORT_VAR",
        metavar="FOLDER",
        callback=_note_source,
        help="The suite's folder: stores, streams, logs, keys. Given here, nothing of another is read.",
    ),
]
VarHere = Annotated[
    Path | None, typer.Option("--var", metavar="FOLDER", callback=_note_again, help="The suite's folder.")
]
"""Of a subcommand, beside the one that may stand before it."""
VAR = ROOT / "var"
_ADDRESSES = ("RAPPORT_URL", "RAPPORT_NATS_URL", "RAPPORT_OPERATOR_NATS_URL")
_KEYS = (*_ADDRESSES, "RAPPORT_API_KEY", "RAPPORT_WRITE_KEY")
_OTHERS = (
    "BACKUP_NATS_URL",
    *(f"{one.prefix}{rest}" for one in PROCESSES for rest in ("DATABASE_URL", "MIGRATION_DATABASE_URL", "NATS_URL")),
)
"""By these the environment speaks of an installation's parts as well."""
APART_REMEDY = "Name the folder with --var, which then counts alone, or unset these variables."


@dataclass(frozen=True)
class InstallationAccess:
    """What is known of it: by the names of rapport.env. `environment`: what may be asked for the rest of it.

    `apart`: that the environment speaks of another installation than the folder, of which nothing is read then.
    """

    var: Path
    known: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    apart: str = ""

    def need(self, name: str, *, as_json: bool) -> str:
        """What `name` says; ends the command with the remedy where nobody said it."""
        if not (text := self.known.get(name, "")):
            fail(
                self.apart or f"no {name} in the environment, and none in {self.var / 'rapport.env'}",
                APART_REMEDY
                if self.apart
                else "Start a suite with `rapport up`, name its folder with --var, or set the variable.",
                as_json=as_json,
            )
        return text

    def folder(self, *, as_json: bool) -> Path:
        """The suite's folder; ends the command where the environment speaks of another suite."""
        if self.apart:
            fail(self.apart, APART_REMEDY, as_json=as_json)
        return self.var


def installation(var: Path) -> InstallationAccess:
    """The one that --var names, if it was given; else the one that the environment and `var` speak of."""
    place, given, written = var.resolve(), dict(os.environ), _written(var / "rapport.env")
    if _is_named.get():
        rest = {name: text for name, text in given.items() if name not in (*_KEYS, *_OTHERS)}
        return InstallationAccess(place, written, rest)
    told = {name: text for name in _KEYS if (text := given.get(name, ""))}
    others = [name for name in _ADDRESSES if _speaks_of_another(told.get(name, ""), written.get(name, ""))]
    if not others:
        return InstallationAccess(place, written | told, given)
    apart = f"{', '.join(others)} in the environment and {place / 'rapport.env'} speak of two installations"
    # two words of the environment against each other: nobody knows which is meant
    return InstallationAccess(place, {} if given.get("RAPPORT_VAR") else told, given, apart)


def _speaks_of_another(told: str, written: str) -> bool:
    return bool(told and written) and _door(told) != _door(written)


def _door(url: str) -> tuple[str, int | None] | str:
    """Where an address leads, whoever goes there and however the way is written."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").replace("localhost", "127.0.0.1"), parts.port
    except ValueError:
        return url
    return host, port or {"https": 443, "http": 80}.get(parts.scheme)


def _written(path: Path) -> dict[str, str]:
    try:
        return read_shell_file(read_private(path))
    except ForeignFile as refusal:
        # with an address out of it, the key of the environment would go to whoever wrote it
        fail(f"{refusal.filename}: {refusal.strerror}")
    except (OSError, ValueError):
        return {}
