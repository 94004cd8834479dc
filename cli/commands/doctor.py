"""`rapport doctor`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict

import typer

from chassis.terminal import printable
from cli.checks.diagnosis import CheckState, Diagnosis, bad
from cli.installation import VAR, Var, installation
from cli.output import AsJson, Exit, tell

_SIGNS = {CheckState.FINE: "ok", CheckState.WARNING: "!", CheckState.BAD: "!!", CheckState.UNKNOWN: "?"}

_LONGEST_REASON = 300


def run(var: Var = VAR, as_json: AsJson = False) -> None:
    """Look at everything, and say what to do about what is amiss. Ends with 1 when something is bad."""
    from cli.bus import be_quiet  # with NATS's client and the stores' drivers: not for every command
    from cli.checks import folder, stores, suite

    be_quiet()
    place = installation(var)
    looks = {
        "folder": lambda: folder.look(place.var, os.environ),
        "suite": lambda: suite.look(place, as_json=as_json),
        "stores": lambda: stores.look(place),
    }
    found = [one for where, look in looks.items() for one in _whole(where, look)]
    tell(found if not as_json else [asdict(one) for one in found], _in_words, as_json=as_json)
    raise typer.Exit(Exit.FAILED if any(one.state is CheckState.BAD for one in found) else Exit.FINE)


def _whole(where: str, look: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    """What `look` finds; where it breaks, what it found before is told, and that it broke."""
    try:
        yield from look()
    except Exception as error:  # whatever it was: who calls a doctor wants to hear of the rest as well
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        yield bad(where, f"the look broke off: {type(error).__name__}: {reason}", "Please report it; the rest holds.")


def _in_words(found: list[Diagnosis]) -> str:
    lines = [line for one in found for line in _lines(one)]
    amiss = sum(one.state in (CheckState.WARNING, CheckState.BAD) for one in found)
    unseen = sum(one.state is CheckState.UNKNOWN for one in found)
    end = f"{amiss} of {len(found)} need somebody." if amiss else "Nothing is amiss."
    return "\n".join([*lines, "", end + (f" {unseen} could not be looked at." if unseen else "")])


def _lines(one: Diagnosis) -> list[str]:
    head = f"{_SIGNS[one.state]:>2}  {one.check}: {printable(one.says)}"
    return [head, f"      {printable(one.remedy)}"] if one.remedy else [head]
