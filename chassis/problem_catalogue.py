"""Write every public problem to contracts/problem_types.json: `python -m chassis.problem_catalogue`; `--check` fails on
drift. The gateway has a page for each of them, and may not import the services.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chassis.errors import NOT_READY, Problem

ROOT = Path(__file__).resolve().parent.parent
PATH = ROOT / "contracts" / "problem_types.json"
_NOT_READY_MEANS = "A process does not do its work just now; the errors name what stands still."
WINGS = ("chassis", "people_kernel", "services", "gateway")


def main() -> int:
    text = json.dumps(catalogue(), indent=2, ensure_ascii=False) + "\n"
    if PATH.exists() and PATH.read_text() == text:
        return 0
    if "--check" in sys.argv[1:]:
        sys.stderr.write(f"{PATH.relative_to(ROOT)} is not what the code says; run `make contracts` and commit it\n")
        return 1
    PATH.write_text(text)
    return 0


def catalogue() -> list[dict[str, Any]]:
    """Slug, title, status and meaning of every problem, by slug; where two classes share one, the first module's."""
    told = {NOT_READY: {"slug": NOT_READY, "title": "Not ready", "status": 503, "meaning": _NOT_READY_MEANS}}
    for kind in sorted(problems(), key=lambda kind: (kind.__module__, kind.__name__)):
        title, meaning = kind.__new__(kind).title, " ".join((kind.__doc__ or "").split())
        told.setdefault(kind.slug, {"slug": kind.slug, "title": title, "status": kind.status, "meaning": meaning})
    return [told[slug] for slug in sorted(told)]


def problems() -> list[type[Problem]]:
    """Every kind of problem that some module of ours defines; imports all of them."""
    for wing in WINGS:
        for name in _modules_of(wing):
            importlib.import_module(name)
    return [kind for kind in _below(Problem) if kind.__module__.startswith(WINGS)]


def _modules_of(wing: str) -> Iterator[str]:
    package = importlib.import_module(wing)
    for found in pkgutil.walk_packages(package.__path__, f"{wing}."):
        if ".migrations" not in found.name and not found.name.endswith("__main__"):
            yield found.name


def _below(kind: type[Problem]) -> Iterator[type[Problem]]:
    for child in kind.__subclasses__():
        yield child
        yield from _below(child)


if __name__ == "__main__":
    sys.exit(main())
