"""`rapport migrate`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.installation import VAR, Var
from cli.output import AsJson, Exit, tell
from cli.table import table

if TYPE_CHECKING:
    from cli.migrations import Migrated

Process = Annotated[list[str] | None, typer.Argument(metavar="[SERVICE]...", help="By default all.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what is lacking, and change nothing.")]


def run(process: Process = None, dry_run: DryRun = False, var: Var = VAR, as_json: AsJson = False) -> None:
    """Bring stores to the newest revision. A suite that starts does it by itself; this is for doing it before."""
    from cli import migrations  # with Alembic and the stores' drivers: not for every command

    answer = migrations.migrated(var, process or (), is_dry=dry_run, as_json=as_json)
    tell(answer if not as_json else [asdict(one) for one in answer], _in_words, as_json=as_json)
    raise typer.Exit(Exit.FAILED if any(one.error for one in answer) else Exit.FINE)


def _in_words(answer: list[Migrated]) -> str:
    return table(("service", "migrations"), [(one.service, one.in_words()) for one in answer])
