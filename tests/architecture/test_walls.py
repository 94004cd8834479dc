"""The walls of the house stand, and each of them can be seen red."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath

import grimp
import pytest

from tests.architecture.walls import DOMAIN_FILES, STORE_FILES, complaints

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted(path for path in (ROOT / "services").iterdir() if path.is_dir() and not path.name.startswith("__"))
NAMES = ROOT / "docs" / "decisions" / "0031-class-names-that-stand-twice.md"
MOST_SERVICE_FILES = 170
WINGS = (
    "chassis",
    "contracts",
    "semantics",
    "rulebook",
    "people_kernel",
    "services",
    "gateway",
    "deployment",
    "cli",
    "backup",
    "embedded",
    "demo",
    "bench",
)


def test_every_module_of_the_house_keeps_the_walls() -> None:
    found = [
        complaint
        for wing in WINGS
        for path in sorted((ROOT / wing).rglob("*.py"))
        for complaint in complaints(PurePosixPath(path.relative_to(ROOT)), path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("path", "source", "word"),
    [
        ("services/identity/domain.py", "async def resolve(): ...", "synchronous"),
        ("services/identity/domain/graph.py", "from datetime import datetime\nmoment = datetime.now()", "arguments"),
        ("gateway/domain/keys.py", "import secrets\nkey = secrets.token_urlsafe(4)", "arguments"),
        ("rulebook/evaluate.py", "import random\nx = random.random()", "arguments"),
        ("services/scoring/store.py", "async def save(session):\n    await session.commit()", "chassis alone"),
        ("services/scoring/helpers.py", "x = 1", "no home"),
        ("services/scoring/calculations.py", "x = 1", "rooms"),
        ("services/scoring/__init__.py", '"""Hears all, says little."""', "owns"),
        ("services/scoring/__init__.py", '"""Hears, says, owns."""\nx = 1', "no code"),
        ("chassis/app.py", "class Slow(BaseHTTPMiddleware): ...", "71 %"),
        ("chassis/long.py", "x = 1\n" * 301, "package of the same name"),
        ("chassis/tall.py", "def f():\n" + "    x = 1\n" * 30, "f has 31 lines"),
        ("services/scoring/events.py", "async def on_leads(events):\n" + "    x = 1\n" * 15, "on_leads has 16 lines"),
        ("people_kernel/wide.py", "def f(a, b, c, d, e, g): ...", "6 parameters"),
        ("chassis/deep.py", "def f():\n if a:\n  for b in c:\n   with d:\n    if e: ...", "4 deep"),
        ("chassis/bus/settling.py", "x = 1", "participle"),
        ("demo/cast/started.py", "x = 1", "participle"),
        ("chassis/web/health.py", "from datetime import datetime\nnow = datetime.now()", "chassis.clock"),
        ("services/scoring/store/people.py", "x = 1\n" * 50, "tables, rows, load"),
        ("services/scoring/api/people.py", "x = 1\n" * 50, "routes_<noun>"),
        ("services/scoring/domain/grid.py", "x = 1\n" * 39, "belongs to its caller"),
    ],
)
def test_a_breach_is_seen(path: str, source: str, word: str) -> None:
    assert any(word in complaint for complaint in complaints(PurePosixPath(path), source))


def test_what_is_well_is_not_complained_of() -> None:
    nested = "def f(self, a, b, c, d, e):\n if a:\n  for b in c:\n   if d: ...\n   elif e: ...\n" + " x = 1\n" * 25
    assert list(complaints(PurePosixPath("chassis/well.py"), nested)) == []


def test_every_service_has_the_same_rooms() -> None:
    for service in SERVICES:
        rooms = {path.stem for path in service.iterdir() if not path.name.startswith("__py")}
        assert {"__init__", "events", "domain", "store", "api", "settings", "main", "migrations"} <= rooms
        store = {path.stem for path in (service / "store").iterdir() if not path.name.startswith("__py")}
        assert store == STORE_FILES, service.name
        domain = [path for path in (service / "domain").glob("*.py") if path.stem != "__init__"]
        assert len(domain) in DOMAIN_FILES, service.name


def test_services_are_not_split_too_finely() -> None:
    # migrations only ever grow
    files = [path for service in SERVICES for path in service.rglob("*.py") if path.parent.name != "versions"]
    assert len(files) <= MOST_SERVICE_FILES


def test_no_module_leads_back_to_itself() -> None:
    graph = grimp.build_graph(*WINGS, include_external_packages=False)
    order = TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules})
    try:
        order.prepare()
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))


def test_a_class_name_means_one_thing_or_its_list_says_why() -> None:
    homes: dict[str, set[str]] = {}
    for wing in WINGS:
        for path in sorted((ROOT / wing).rglob("*.py")):
            for name in re.findall(r"(?m)^class (\w+)", path.read_text()):
                if not name.startswith("_"):
                    homes.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    twice = {name for name, paths in homes.items() if len(paths) > 1}
    assert twice == set(re.findall(r"(?m)^\| `(\w+)` \|", NAMES.read_text()))
