"""All commands, in one table."""

from __future__ import annotations

import typer

from cli.commands import (
    backup,
    dead,
    doctor,
    keys,
    lanes,
    migrate,
    replay,
    restore,
    settings,
    status,
    suite,
    version,
)
from cli.output import AsJson
from cli.usage import RapportGroup

app = typer.Typer(
    name="rapport",
    cls=RapportGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def rapport(as_json: AsJson = False) -> None:
    """Run Rapport, see how it is, move it and restore it."""


app.command("up")(suite.up)
app.command("down")(suite.down)
app.command("status")(status.show)
app.command("doctor")(doctor.run)
app.command("migrate")(migrate.run)
app.add_typer(keys.app, name="keys")
app.command("backup")(backup.take)
app.command("restore")(restore.bring_back)
app.add_typer(lanes.app, name="lanes")
app.add_typer(dead.app, name="dead")
app.command("replay")(replay.run)
app.command("settings")(settings.show)
app.command("version")(version.show)
