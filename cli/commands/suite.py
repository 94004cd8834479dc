"""`rapport up` and `rapport down`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cli.installation import VAR, Var, installation
from cli.output import AsJson, Exit, fail, shown, tell
from contracts.limits import LANES
from embedded.down import stop
from embedded.files import ForeignFile
from embedded.up import INTERRUPTED, INTERRUPTED_CODE, CannotStart, Started, Wish, announcement, run

Port = Annotated[
    int, typer.Option(min=0, max=65535, envvar=["RAPPORT_PORT"], help="The gateway's; 0 takes that of the last time.")
]
Lanes = Annotated[int | None, typer.Option(min=1, max=LANES, help="Ordered ways that messages travel in.")]
Detach = Annotated[bool, typer.Option("--detach", help="Return when every process is ready.")]


def up(
    var: Var = VAR,
    port: Port = 8080,
    lanes: Lanes = None,
    detach: Detach = False,
    as_json: AsJson = False,
) -> None:
    """Run the whole suite on this machine.

    Where its stores are says RAPPORT_DATABASE (or DATABASE) in the environment: postgresql://user:password@host/ or an
    address with {service} in it. Said once, it is kept; without it they are SQLite files in the folder. NATS_PORT and
    BASE_PORT give ports, which are kept as well; `rapport settings suite` lists the rest.
    """
    wish = Wish(
        var=var.resolve(),
        port=port,
        environment=os.environ,
        is_detached=detach,
        lanes=lanes,
        say=_say_beside if as_json else _say,
    )
    try:
        code = run(wish, lambda started: _announce(started, is_detached=detach, as_json=as_json))
    except CannotStart as refusal:
        fail(f"cannot start: {refusal}", as_json=as_json)
    except KeyboardInterrupt:
        _say_beside(INTERRUPTED)
        raise typer.Exit(INTERRUPTED_CODE) from None
    raise typer.Exit(code)


def down(var: Var = VAR, as_json: AsJson = False) -> None:
    """Stop the suite of a folder, however it was started, and wait until it is gone."""
    try:
        end = stop(installation(var).folder(as_json=as_json))
    except ForeignFile as refusal:
        fail(f"{refusal.filename}: {refusal.strerror}", as_json=as_json)
    answer = {"was_running": end.was_running, "orphans": list(end.orphans), "held_by": end.held_by}
    tell(answer, lambda _: end.in_words(), as_json=as_json)
    raise typer.Exit(Exit.FINE if end.is_gone else Exit.FAILED)


def _announce(started: Started, *, is_detached: bool, as_json: bool) -> None:
    plan = started.plan
    answer = {
        "url": plan.url,
        "seconds": round(started.seconds, 1),
        "var": str(plan.var),
        "environment": str(plan.var / "rapport.env"),
        "ports": {"gateway": plan.port, **plan.ports},
    }
    tell(answer, lambda _: announcement(started, is_detached=is_detached), as_json=as_json)


def _say(text: str) -> None:
    sys.stdout.write(f"{shown(text)}\n")
    sys.stdout.flush()


def _say_beside(text: str) -> None:
    sys.stderr.write(f"{shown(text)}\n")
