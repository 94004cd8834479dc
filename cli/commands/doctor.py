"""`rapport doctor`."""

from __future__ import annotations

import os
from dataclasses import asdict

import typer

from cli.checks.diagnosis import CheckState, Diagnosis
from cli.installation import VAR, Var, installation
from cli.output import AsJson, Exit, tell

_SIGNS = {CheckState.FINE: "ok", CheckState.WARNING: "!", CheckState.BAD: "!!", CheckState.UNKNOWN: "?"}


def run(var: Var = VAR, as_json: AsJson = False) -> None:
    """Look at everything, and say what to do about what is amiss. Ends with 1 when something is bad."""
    from cli.bus import be_quiet  # with NATS's client and the stores' drivers: not for every command
    from cli.checks import folder, stores, suite

    be_quiet()
    place = installation(var)
    found = [*folder.look(place.var, os.environ), *suite.look(place, as_json=as_json), *stores.look(place.var)]
    tell(found if not as_json else [asdict(one) for one in found], _in_words, as_json=as_json)
    raise typer.Exit(Exit.FAILED if any(one.state is CheckState.BAD for one in found) else Exit.FINE)


def _in_words(found: list[Diagnosis]) -> str:
    lines = [line for one in found for line in _lines(one)]
    amiss = sum(one.state in (CheckState.WARNING, CheckState.BAD) for one in found)
    unseen = sum(one.state is CheckState.UNKNOWN for one in found)
    end = f"{amiss} of {len(found)} need somebody." if amiss else "Nothing is amiss."
    return "\n".join([*lines, "", end + (f" {unseen} could not be looked at." if unseen else "")])


def _lines(one: Diagnosis) -> list[str]:
    head = f"{_SIGNS[one.state]:>2}  {one.check}: {one.says}"
    return [head, f"      {one.remedy}"] if one.remedy else [head]
