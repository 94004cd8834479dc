"""The walls of the house stand, and each of them can be seen red."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from tests.architecture.walls import complaints

ROOT = Path(__file__).resolve().parents[2]
WINGS = ("chassis", "contracts", "rulebook", "services", "gateway", "embedded", "bench")


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
        ("chassis/long.py", "x = 1\n" * 401, "package of the same name"),
        ("chassis/tall.py", "def f():\n" + "    x = 1\n" * 41, "f has"),
    ],
)
def test_a_breach_is_seen(path: str, source: str, word: str) -> None:
    assert any(word in complaint for complaint in complaints(PurePosixPath(path), source))


def test_rooms_that_every_service_must_have_are_there() -> None:
    for service in sorted((ROOT / "services").iterdir()):
        if not service.is_dir() or service.name.startswith("__"):
            continue
        rooms = {path.stem for path in service.iterdir()}
        assert {"__init__", "domain", "store", "handlers", "api", "settings", "main", "migrations"} <= rooms, service.name
