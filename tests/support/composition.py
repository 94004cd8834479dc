"""The compose file as compose reads it: variables replaced, a missing one refused by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docker-compose.yml"
_VARIABLE = re.compile(r"\$\{(\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


class VariableMissing(Exception):
    """A variable that has no default is not given."""


@dataclass(frozen=True)
class Container:
    """What compose makes of one entry of `services`."""

    name: str
    entry: Mapping[str, Any]

    @property
    def image(self) -> str:
        return str(self.entry["image"])

    @property
    def is_ours(self) -> bool:
        """Built from this repository."""
        return "build" in self.entry

    @property
    def is_job(self) -> bool:
        """It ends when it has done its work."""
        return bool(self.entry["restart"] == "no")

    @property
    def service(self) -> str:
        """Which process the image carries; empty for the tools and for images of others."""
        return str(self.entry.get("build", {}).get("args", {}).get("SERVICE", ""))

    @property
    def command(self) -> list[str]:
        return [str(word) for word in self.entry.get("command", [])]

    @property
    def environment(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.entry.get("environment", {}).items()}

    @property
    def health(self) -> list[str]:
        """The command of the health check, without the word CMD; empty where there is none."""
        return [str(word) for word in self.entry.get("healthcheck", {}).get("test", [])][1:]

    @property
    def profiles(self) -> list[str]:
        return list(self.entry.get("profiles", []))


def read_file(path: Path = FILE) -> dict[str, Any]:
    """The file as it is written, anchors followed, variables left alone."""
    known: dict[str, Any] = yaml.safe_load(path.read_text())
    return known


def containers(environment: Mapping[str, str], path: Path = FILE) -> dict[str, Container]:
    """Every entry of `services`, with the variables of `environment`. Raises VariableMissing."""
    services = replaced(read_file(path)["services"], environment)
    return {name: Container(name, entry) for name, entry in services.items()}


def replaced(value: Any, environment: Mapping[str, str]) -> Any:
    """`value` with its variables replaced, however deep. Raises VariableMissing."""
    if isinstance(value, dict):
        return {key: replaced(each, environment) for key, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, environment) for each in value]
    return _VARIABLE.sub(lambda found: _value(found, environment), value) if isinstance(value, str) else value


def required(path: Path = FILE) -> set[str]:
    """The variables without which nothing starts."""
    return {found[1] for found in _VARIABLE.finditer(path.read_text()) if found["kind"] == "?"}


def optional(path: Path = FILE) -> dict[str, str]:
    """The variables that have a default, with it."""
    return {found[1]: found["rest"] for found in _VARIABLE.finditer(path.read_text()) if found["kind"] == "-"}


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str:
    given = environment.get(found[1], "")
    if given or found["kind"] is None:
        return given
    if found["kind"] == "?":
        raise VariableMissing(found[1])
    return found["rest"]
