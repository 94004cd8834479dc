"""`rapport replay`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chassis.terminal import printable
from cli.installation import VAR, Var
from cli.output import AsJson, Exit, tell
from cli.table import table

Service = Annotated[str | None, typer.Option(help="Of this service only.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what there is, and change nothing.")]


def run(service: Service = None, dry_run: DryRun = False, var: Var = VAR, as_json: AsJson = False) -> None:
    """Send all that was set aside on its way again: dead letters, events that NATS refused, timers that keep failing.

    Each is applied once, however often it is sent. It does not compute a service anew from its streams: that does not
    exist. The suite may run meanwhile.
    """
    from cli import set_aside  # with NATS's client and the stores' drivers: not for every command

    answer = set_aside.replay(var, service, is_dry=dry_run, as_json=as_json)
    tell(answer, _in_words, as_json=as_json)
    raise typer.Exit(Exit.FAILED if answer["refused"] else Exit.FINE)


def _in_words(answer: dict[str, Any]) -> str:
    word = "on their way again" if answer["is_done"] else "set aside"
    rows = [(name, counts["events"], counts["timers"]) for name, counts in answer["services"].items()]
    lines = [f"letter {one['letter']} stays: {printable(one['reason'])}" for one in answer["refused"]]
    return "\n".join(
        [f"{answer['dead_letters']} dead letters {word}", *lines, table(("service", f"events {word}", "timers"), rows)]
    )
