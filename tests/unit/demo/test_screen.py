"""The line of progress and the market's clock."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest

from demo.clock import MarketClock
from demo.screen import WIDTH, ProgressLine

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_a_line_every_ten_percent() -> None:
    out = StringIO()
    progress = ProgressLine(200, out)
    for done in range(201):
        progress.show(done, "02 Mar")
    lines = out.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("[####....")
    assert lines[-1] == f"[{'#' * 40}] 100 %  02 Mar"


def test_a_terminal_keeps_one_line() -> None:
    out = Terminal()
    progress = ProgressLine(2, out)
    progress.show(1, "a")
    progress.show(2, "b" * 200)
    assert "\n" not in out.getvalue()
    assert all(len(line) < WIDTH for line in out.getvalue().split("\r"))


def test_an_announcement_does_not_tear_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    out = Terminal()
    progress = ProgressLine(2, out)
    progress.show(1, "02 Mar")
    progress.interrupt("first alert")
    assert capsys.readouterr().out == "first alert\n"
    assert out.getvalue().endswith(f"{'02 Mar':<{WIDTH - 1 - 50}}")
    progress.end()
    assert out.getvalue().endswith("\r")


async def test_who_waits_for_an_hour_goes_on_when_the_market_comes_to_it() -> None:
    clock = MarketClock(NOW)
    waiting = asyncio.create_task(clock.reached(NOW + timedelta(hours=2)))
    await clock.advance(NOW + timedelta(hours=1))
    await asyncio.sleep(0)
    assert not waiting.done()
    await clock.advance(NOW + timedelta(hours=2))
    await asyncio.wait_for(waiting, 30)


async def test_the_market_never_goes_back() -> None:
    clock = MarketClock(NOW)
    await clock.advance(NOW - timedelta(hours=1))
    assert clock.moment == NOW
