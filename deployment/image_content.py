"""What an image carries: the packages that its start module reaches by import, and no other service.

`python -m deployment.image_content identity /app` copies them from the current folder and compiles them, as the
Dockerfile does. Needs nothing but Python's own library.
"""

from __future__ import annotations

import ast
import compileall
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from py_compile import PycInvalidationMode
from typing import Final

TOOLS: Final = "tools"
"""The image of the command `rapport`, for jobs beside the suite."""
_LEFT_OUT: Final = ("__pycache__", "*.pyc")


class NothingToStart(Exception):
    """There is no module here that an image of this name would start."""


def start_module(image: str) -> str:
    """What `python -m` starts in the image: a service by its name, `gateway`, or `tools`."""
    if image == TOOLS:
        return "cli.__main__"
    return "gateway.main" if image == "gateway" else f"services.{image}.main"


def folders(image: str, root: Path) -> tuple[str, ...]:
    """The folders of `root` that the image needs, shortest first; `services` stands for its `__init__.py` alone.

    Raises NothingToStart.
    """
    start = start_module(image)
    if _source(root, start) is None:
        raise NothingToStart(f"{image}: there is no {start}; give a service, gateway or {TOOLS}")
    found = {_folder(module) for module in reached(root, start)}
    if image == TOOLS:  # a store is restored by the migrations that made it; they are found by name
        found |= {str(path.parent.relative_to(root)) for path in root.glob("*/**/migrations/__init__.py")}
        found = {folder for folder in found if not _is_within(folder, found)}
    return tuple(sorted(found, key=lambda folder: (folder.count("/"), folder)))


def copy(image: str, root: Path, target: Path) -> None:
    """Put what the image needs into `target`, compiled, so that a container with a read-only root starts fast."""
    for folder in folders(image, root):
        for package in (PurePosixPath(folder), *PurePosixPath(folder).parents):
            if (root / package / "__init__.py").exists():
                (target / package).mkdir(parents=True, exist_ok=True)
                shutil.copy(root / package / "__init__.py", target / package)
        if folder != "services":
            ignored = shutil.ignore_patterns(*_LEFT_OUT)
            shutil.copytree(root / folder, target / folder, ignore=ignored, dirs_exist_ok=True)
    # by content, not by time: the same source makes the same layer
    compiled = compileall.compile_dir(target, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)
    if not compiled:
        raise SyntaxError(f"{target}: what was copied does not compile")


def reached(root: Path, start: str) -> set[str]:
    """The modules of ours that are imported from `start` on, wherever in a file the import stands."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        path = _source(root, module)
        if module in seen or path is None:
            continue
        seen.add(module)
        waiting += _parents(module)
        waiting += _imports(module, path)
    return seen


def _source(root: Path, module: str) -> Path | None:
    """The file of `module`; None for a name of somebody else's, or of a thing in a module."""
    path = root.joinpath(*module.split("."))
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _parents(module: str) -> list[str]:
    return [str(parent).replace("/", ".") for parent in PurePosixPath(module.replace(".", "/")).parents][:-1]


def _imports(module: str, path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise SyntaxError(f"{path}: a relative import; the house imports by whole names")
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_within(folder: str, others: set[str]) -> bool:
    return any(str(parent) in others - {"services"} for parent in PurePosixPath(folder).parents)


def _folder(module: str) -> str:
    """The folder that comes along with `module`: a service's own, or the whole package."""
    first, *rest = module.split(".")
    return f"{first}/{rest[0]}" if first == "services" and rest else first


def main() -> None:
    """Copy, or say what would be."""
    image, *target = sys.argv[1:]
    if target:
        copy(image, Path.cwd(), Path(target[0]))
    else:
        sys.stdout.write("\n".join(folders(image, Path.cwd())) + "\n")


if __name__ == "__main__":
    main()
