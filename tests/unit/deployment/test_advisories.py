"""A known hole fails the check, a clean answer passes it, and no answer is never taken for a clean one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from tests.support import advisories

HOLE = {
    "id": "PYSEC-2026-1",
    "modified": "2026-01-01T00:00:00Z",
    "summary": "invented",
    "details": "invented",
    "aliases": [],
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "kestrel"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.0.1"}]}],
        }
    ],
}


@pytest_asyncio.fixture
async def told() -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Where a source of advisories answers, and what it does."""
    says: dict[str, Any] = {"vulns": []}

    async def answer(_request: web.Request) -> web.Response:
        return web.json_response(says)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/query", says
    await runner.cleanup()


async def looked_up(lock: Path, url: str) -> list[str] | None:
    pinned = f"kestrel==1.0.0 \\\n    --hash=sha256:{'0' * 64}\n"
    await asyncio.to_thread(lock.write_text, pinned)
    return await asyncio.to_thread(advisories.look_up, lock, ["--vulnerability-service=osv", f"--osv-url={url}"])


async def test_a_known_hole_is_told_with_what_mends_it(told: tuple[str, dict[str, Any]], tmp_path: Path) -> None:
    url, says = told
    assert await looked_up(tmp_path / "x.lock", url) == []
    says["vulns"] = [HOLE]
    assert await looked_up(tmp_path / "x.lock", url) == ["kestrel 1.0.0: PYSEC-2026-1, mended in 1.0.1"]


async def test_no_answer_is_none(tmp_path: Path) -> None:
    assert await looked_up(tmp_path / "x.lock", "http://127.0.0.1:9/v1/query") is None
    skipped = {"dependencies": [{"name": "kestrel", "skip_reason": "Dependency not found"}]}
    assert advisories._holes(skipped) is None  # pip-audit itself ends with 0, and finds "no known vulnerabilities"
    assert advisories._holes({"dependencies": []}) is None


@pytest.mark.parametrize(
    ("found", "arguments", "status", "word"),
    [
        ([], [], 0, "0 known holes"),
        (None, [], 0, "NOT LOOKED UP"),
        (None, ["--strict"], 2, "NOT LOOKED UP"),
        (["kestrel 1.0.0: PYSEC-2026-1, mended in 1.0.1"], [], 1, "mended in 1.0.1"),
    ],
)
def test_the_three_answers_are_not_mixed_up(
    found: list[str] | None, arguments: list[str], status: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert advisories.main(arguments, lambda _lock: found) == status
    assert word in capsys.readouterr().out
