"""All commands, in one table."""

from __future__ import annotations

import typer

from cli.commands import lanes, version

app = typer.Typer(
    name="rapport",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def rapport() -> None:
    """Run Rapport, see how it is, move it and restore it."""


app.command("version")(version.show)
app.add_typer(lanes.app, name="lanes")
