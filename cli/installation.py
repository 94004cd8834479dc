"""Which installation a command is about: what the environment says (RAPPORT_URL, RAPPORT_API_KEY, ...), else
`rapport.env` in the suite's folder. No secret stands on a command line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from cli.output import fail
from embedded.up import ROOT

Var = Annotated[
    Path,
    typer.Option(
        "--var", envvar="RAPPORT_VAR", metavar="FOLDER", help="The suite's folder: stores, streams, logs, keys."
    ),
]
VAR = ROOT / "var"
_KEYS = ("RAPPORT_URL", "RAPPORT_API_KEY", "RAPPORT_WRITE_KEY", "RAPPORT_NATS_URL", "RAPPORT_OPERATOR_NATS_URL")


@dataclass(frozen=True)
class InstallationAccess:
    """What is known of it: by the names of rapport.env."""

    var: Path
    known: Mapping[str, str]

    def need(self, name: str, *, as_json: bool) -> str:
        """What `name` says; ends the command with the remedy where nobody said it."""
        if not (text := self.known.get(name, "")):
            fail(
                f"no {name} in the environment, and none in {self.var / 'rapport.env'}",
                "Start a suite with `rapport up`, name its folder with --var, or set the variable.",
                as_json=as_json,
            )
        return text


def installation(var: Path) -> InstallationAccess:
    """The one that `var` and the environment speak of."""
    told = {name: text for name in _KEYS if (text := os.environ.get(name, ""))}
    return InstallationAccess(var.resolve(), _written(var / "rapport.env") | told)


def _written(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
