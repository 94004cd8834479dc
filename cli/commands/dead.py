"""`rapport dead`: what failed for good, and sending it on its way again."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from chassis.terminal import printable
from cli.installation import VAR, Var
from cli.output import AsJson, Exit, fail, tell
from cli.table import table

app = typer.Typer(no_args_is_help=True, help="What failed for good: look at it, and send it on its way again.")
Service = Annotated[str | None, typer.Option(help="Of this service only.")]
Number = Annotated[int, typer.Argument(help="As `list` shows it.")]
Numbers = Annotated[list[int] | None, typer.Argument(help="As `list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="All there are.")]


@app.command("list")
def list_letters(service: Service = None, var: Var = VAR, as_json: AsJson = False) -> None:
    """List them: what failed, where and why."""
    from cli import dead_letters  # with NATS's client: not for every command

    tell(dead_letters.listed(var, service, as_json), _listed, as_json=as_json)


@app.command()
def show(number: Number, var: Var = VAR, as_json: AsJson = False) -> None:
    """Show one with its headers and body, which may hold personal data."""
    from cli import dead_letters  # with NATS's client: not for every command

    answer = dead_letters.shown(var, number, as_json)
    tell(answer, _shown, as_json=as_json)


@app.command()
def replay(
    numbers: Numbers = None,
    every: All = False,
    service: Service = None,
    var: Var = VAR,
    as_json: AsJson = False,
) -> None:
    """Send them on their way again, to the service that gave them up; it applies each once, however often it comes."""
    if every == bool(numbers):
        fail("say which: numbers, or --all", as_json=as_json, code=Exit.MISUSED)
    from cli import dead_letters  # with NATS's client: not for every command

    answer = dead_letters.sent_again(var, numbers or None, service, as_json)
    tell(answer, lambda one: _sent(one["replayed"], one["refused"]), as_json=as_json)
    raise typer.Exit(Exit.FAILED if answer["refused"] else Exit.FINE)


def _shown(letter: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {printable(str(value))}" for name, value in letter.items())


def _listed(letters: list[dict[str, Any]]) -> str:
    if not letters:
        return "There is no dead letter."
    head = ("letter", "service", "died_at", "subject", "reason")
    return table(head, [[*(letter[name] for name in head[:-1]), _why(letter)] for letter in letters])


def _why(letter: dict[str, Any]) -> str:
    return f"unreadable: {letter['unreadable']}" if letter.get("unreadable") else str(letter["reason"])


def _sent(sent: list[int], refused: list[dict[str, Any]]) -> str:
    lines = [f"letter {one['letter']} stays: {printable(one['reason'])}" for one in refused]
    return "\n".join([f"{len(sent)} on their way again." if sent else "There was none to send.", *lines])
