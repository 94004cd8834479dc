"""Walls that import-linter cannot see, as functions from source text to complaints."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

ROOMS = {
    "__init__", "events", "commands", "domain", "store", "api", "effects", "settings", "main", "migrations",
    "rulebooks",
}  # fmt: skip
STORE_FILES = {"__init__", "tables", "rows", "load", "write", "queries"}
DOMAIN_FILES = range(4, 9)
SMALL_LINES = 40
"""A file of a service that has fewer belongs to whoever calls it; these may be small."""
MAY_BE_SMALL = {"__init__", "events", "settings", "main"}
PARTICIPLES = ("ing", "ed")
NOUNS_ALL_THE_SAME = {
    "scoring": "a service, and what it is called in the field",
    "routing": "a service, and what it is called in the field",
    "embedded": "the suite on one machine: an adjective, as in `embedded database`",
}
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
FILE_LINES, FUNCTION_LINES, HANDLER_LINES, PARAMETERS, NESTING = 300, 30, 15, 5, 3

WALL_CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("time", "time")}
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


def complaints(path: PurePosixPath, source: str) -> Iterator[str]:
    """Everything wrong with one module of the house (tests have their own freedom)."""
    tree = ast.parse(source)
    yield from _names(path)
    yield from _sizes(path, tree, source)
    yield from _http_habits(path, tree)
    if path.parts[0] in ("services", "gateway"):
        yield from _commits(path, tree)
    if path.parts[0] == "services":
        yield from _rooms(path, source)
    if path.parts[0] == "chassis" and path.stem != "clock":
        yield from _clocks(path, tree)
    if _is_domain(path) or path.parts[0] in ("rulebook", "contracts"):
        yield from _impurities(path, tree)
    if path.parts[0] == "services" and path.name == "__init__.py" and len(path.parts) == 3:
        yield from _front_door(path, tree)


def _is_domain(path: PurePosixPath) -> bool:
    return path.stem == "domain" or "domain" in path.parts


def _names(path: PurePosixPath) -> Iterator[str]:
    if path.stem in BANNED_NAMES:
        yield f"{path}: a file called {path.stem} collects what has no home"
    if "versions" in path.parts:
        return
    for name in (*path.parts[:-1], path.stem):
        if name.endswith(PARTICIPLES) and name not in NOUNS_ALL_THE_SAME:
            yield f"{path}: {name} is a participle; a module is called after what is in it"


def _rooms(path: PurePosixPath, source: str) -> Iterator[str]:
    if len(path.parts) < 3 or "versions" in path.parts:
        return
    room, name = path.parts[2].removesuffix(".py"), path.stem
    if room not in ROOMS:
        yield f"{path}: {room} is not one of the rooms every service has"
    if room == "store" and path.parts[3].removesuffix(".py") not in STORE_FILES:
        yield f"{path}: a store has tables, rows, load, write and queries"
    if room == "api" and not path.parts[3].removesuffix(".py").startswith(("__init__", "views", "routes_")):
        yield f"{path}: an api has routes_<noun> and views"
    if source.count("\n") < SMALL_LINES and name not in MAY_BE_SMALL:
        yield f"{path}: {source.count(chr(10))} lines; a file of under {SMALL_LINES} belongs to its caller"


def _sizes(path: PurePosixPath, tree: ast.Module, source: str) -> Iterator[str]:
    if source.count("\n") > FILE_LINES:
        yield f"{path}: {source.count(chr(10))} lines (at most {FILE_LINES}); make it a package of the same name"
    if "migrations" in path.parts:
        return
    for function in _functions(tree):
        where, lines = f"{path}:{function.lineno} {function.name}", _lines_of(function)
        most = HANDLER_LINES if path.name == "events.py" and function.name.startswith("on_") else FUNCTION_LINES
        if lines > most:
            yield f"{where} has {lines} lines (at most {most})"
        if (count := _parameters_of(function)) > PARAMETERS:
            yield f"{where} takes {count} parameters (at most {PARAMETERS})"
        if (depth := _depth_of(function)) > NESTING:
            yield f"{where} is nested {depth} deep (at most {NESTING})"


def _lines_of(function: _Function) -> int:
    """Without its docstring, and without the functions in it: these are counted by themselves."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    inner = [node for node in ast.walk(function) if node is not function and isinstance(node, _FUNCTIONS)]
    return lines - sum((one.end_lineno or one.lineno) - one.lineno + 1 for one in inner)


def _parameters_of(function: _Function) -> int:
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return len(every) - (bool(every) and every[0].arg in ("self", "cls"))


def _depth_of(node: ast.AST, depth: int = 0) -> int:
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*_FUNCTIONS, ast.Lambda, ast.ClassDef)):
            continue
        is_elif = isinstance(node, ast.If) and node.orelse == [child] and isinstance(child, ast.If)
        deepest = max(deepest, _depth_of(child, depth + (isinstance(child, _BLOCKS) and not is_elif)))
    return deepest


def _clocks(path: PurePosixPath, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node.func) in WALL_CLOCKS:
            yield f"{path}:{node.lineno} {ast.unparse(node.func)}: the wall clock is read in chassis.clock alone"


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


def _functions(tree: ast.Module) -> Iterator[_Function]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
