"""Broken parts of a document replaced by harmless ones, so that the rest can still be checked and all problems told at once."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from pydantic_core import ErrorDetails

from rulebook.source import Path

_HARMLESS: dict[str, dict[str, Any]] = {
    "rules": {"on": "repaired", "named": [], "when": "true", "effect": None, "unknown": "skip", "reason": "Repaired."},
    "examples": {"on": "repaired", "named": None, "given": {}, "expect": {}},
}
_BODY: dict[str, Any] = {"name": "repaired", "version": None, "title": "Repaired.", "definitions": {}, "rules": [], "examples": []}


def repair(data: Any, errors: Iterable[ErrorDetails]) -> tuple[Any, frozenset[Path]]:
    """A copy of `data` that is sound in shape, and the paths that were replaced: what stands there is not the author's."""
    repaired = copy.deepcopy(data) if isinstance(data, dict) else {}
    paths: set[Path] = set()
    for error in errors:
        where = error["loc"]
        if error["type"] == "extra_forbidden":
            _within(repaired, where[:-1]).pop(str(where[-1]), None)
        else:
            paths.add(_replace(repaired, where))
    for field in ("name", "title", "rules"):
        repaired.setdefault(field, _BODY[field])
    return repaired, frozenset(paths)


def _replace(data: dict[str, Any], where: Path) -> Path:
    match where:
        case ("definitions", str(name), *rest):
            if rest:  # the name is what is wrong
                data["definitions"].pop(name, None)
            else:
                data["definitions"][name] = "true"
            return ("definitions", name)
        case (("rules" | "examples") as part, int(index), *rest):
            harmless = _HARMLESS[part] | {"name": f"repaired_{index}"}
            field = rest[0] if rest else None
            if field in harmless and isinstance(data[part][index], dict):
                data[part][index][field] = harmless[field]
                return (part, index, field)
            data[part][index] = harmless
            return (part, index)
        case (str(field), *_):
            data[field] = _BODY.get(field)
            return (field,)
    return ()


def _within(data: Any, path: Path) -> dict[str, Any]:
    for step in path:
        data = data[step]
    return data if isinstance(data, dict) else {}
