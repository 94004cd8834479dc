"""What the demo writes: text to stdout, and one line of progress to stderr."""

from __future__ import annotations

import sys
from typing import TextIO

WIDTH = 100
_BAR = 40
_STEP = 10  # percent; how often a log without a terminal gets a line


def say(text: str = "") -> None:
    """One or more lines for whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class ProgressLine:
    """A bar that stays on one line of a terminal; elsewhere a line every ten percent."""

    def __init__(self, total: int, out: TextIO = sys.stderr) -> None:
        self._total, self._out = max(total, 1), out
        self._is_live = out.isatty()
        self._told = 0
        self._line = ""

    def show(self, done: int, about: str) -> None:
        """So much is done; `about` says where the market is."""
        percent = min(100, done * 100 // self._total)
        filled = percent * _BAR // 100
        self._line = f"[{'#' * filled}{'.' * (_BAR - filled)}] {percent:3d} %  {about}"[: WIDTH - 1]
        if self._is_live:
            self._out.write(f"\r{self._line:<{WIDTH - 1}}")
        elif percent >= self._told + _STEP:
            self._told = percent - percent % _STEP
            self._out.write(f"{self._line}\n")
        self._out.flush()

    def interrupt(self, text: str) -> None:
        """Say something without tearing the bar."""
        self._clear()
        say(text)
        if self._is_live and self._line:
            self._out.write(f"\r{self._line:<{WIDTH - 1}}")
            self._out.flush()

    def end(self) -> None:
        """The bar goes; what it told last stays in a log."""
        self._clear()
        self._line = ""

    def _clear(self) -> None:
        if self._is_live:
            self._out.write("\r" + " " * (WIDTH - 1) + "\r")
            self._out.flush()
