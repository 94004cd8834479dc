"""`rapport settings`."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Annotated, Any

import typer

from cli.output import AsJson, fail, tell
from deployment.catalogue import PROCESSES
from deployment.suite_settings import SUITE_SETTINGS

_SUITE = "suite"
Process = Annotated[
    str | None, typer.Argument(metavar="[SERVICE]", help=f"Of this one only; `{_SUITE}`: of all together.")
]


def show(process: Process = None, as_json: AsJson = False) -> None:
    """List every setting: its variable, its type, its default, and what it means; * marks those that are set here."""
    from deployment.setting_catalogue import settings_of  # with every settings class: not for every command

    names = (_SUITE, *(one.name for one in PROCESSES))
    if process is not None and process not in names:
        fail(f"there is no service {process}", f"There are {', '.join(names)}.", as_json=as_json)
    found = list(SUITE_SETTINGS) if process in (None, _SUITE) else []
    found += [setting for one in PROCESSES if process in (None, one.name) for setting in settings_of(one)]
    answer = [asdict(one) | {"is_set": one.variable in os.environ} for one in found]
    tell(answer, _in_words, as_json=as_json)


def _in_words(answer: list[dict[str, Any]]) -> str:
    return "\n".join(line for one in answer for line in _lines(one))


def _lines(one: dict[str, Any]) -> list[str]:
    default = "must be given" if one["default"] is None else f"default {one['default']}"
    return [f"{'*' if one['is_set'] else ' '} {one['variable']}: {one['type']}; {default}", f"      {one['meaning']}"]
