"""Walls that import-linter cannot see, as functions from source text to complaints."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

ROOMS = {"__init__", "domain", "store", "handlers", "api", "effects", "settings", "main", "migrations", "rulebooks"}
BANNED_NAMES = {"utils", "helpers", "common", "base", "manager", "service"}
CLOCKS_AND_DICE = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "monotonic"),
    ("random", "random"),
    ("random", "choice"),
    ("uuid", "uuid4"),
    ("uuid", "uuid1"),
    ("secrets", "token_urlsafe"),
    ("secrets", "token_hex"),
    ("os", "urandom"),
    ("os", "getenv"),
}
FILE_LINES, FUNCTION_LINES, PARAMETERS = 400, 40, 6


def complaints(path: PurePosixPath, source: str) -> Iterator[str]:
    """Everything wrong with one module of the house (tests have their own freedom)."""
    tree = ast.parse(source)
    yield from _names(path)
    yield from _sizes(path, tree, source)
    yield from _http_habits(path, tree)
    if path.parts[0] in ("services", "gateway"):
        yield from _commits(path, tree)
    if _is_domain(path) or path.parts[0] in ("rulebook", "contracts"):
        yield from _impurities(path, tree)
    if path.parts[0] == "services" and path.name == "__init__.py" and len(path.parts) == 3:
        yield from _front_door(path, tree)


def _is_domain(path: PurePosixPath) -> bool:
    return path.stem == "domain" or "domain" in path.parts


def _names(path: PurePosixPath) -> Iterator[str]:
    if path.stem in BANNED_NAMES:
        yield f"{path}: a file called {path.stem} collects what has no home"
    if path.parts[0] == "services" and len(path.parts) >= 3 and path.parts[2].removesuffix(".py") not in ROOMS:
        yield f"{path}: {path.parts[2]} is not one of the rooms every service has"


def _sizes(path: PurePosixPath, tree: ast.Module, source: str) -> Iterator[str]:
    if source.count("\n") > FILE_LINES:
        yield f"{path}: {source.count(chr(10))} lines (at most {FILE_LINES}); make it a package of the same name"
    if "migrations" in path.parts:
        return
    for function in _functions(tree):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES:
            yield f"{path}:{function.lineno} {function.name} has {lines} lines (at most {FUNCTION_LINES})"


def _http_habits(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "BaseHTTPMiddleware":
            yield f"{path}:{node.lineno} BaseHTTPMiddleware costs 71 % of the throughput; write a pure ASGI middleware"


def _commits(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("commit", "rollback") and isinstance(node.ctx, ast.Load):
            yield f"{path}:{node.lineno} .{node.attr}: transactions are opened and closed by the chassis alone"


def _impurities(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await):
            yield f"{path}:{node.lineno} domain code is synchronous"
        if isinstance(node, ast.Call) and _called(node.func) in CLOCKS_AND_DICE:
            yield f"{path}:{node.lineno} {ast.unparse(node.func)}: time, ids and randomness are arguments"


def _called(function: ast.expr) -> tuple[str, str] | None:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.value.id, function.attr
    return None


def _front_door(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    docstring = ast.get_docstring(tree) or ""
    if len(tree.body) != 1:
        yield f"{path}: a service's __init__ holds its docstring and no code"
    for fact in ("hears", "says", "owns"):
        if fact not in docstring.lower():
            yield f"{path}: the docstring does not state what the service {fact}"


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
