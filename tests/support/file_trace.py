"""Which files of the house run while something happens, in the order in which each of them first does."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = ("tests", ".venv")


class FileTrace:
    """`files` are relative to the house, such as `services/scoring/events.py`; without tests and what we depend on."""

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def note(self, frame: FrameType, event: str, _: Any) -> None:
        """What `sys.setprofile` calls."""
        if event == "call":
            self._names.setdefault(frame.f_code.co_filename)

    @property
    def files(self) -> list[str]:
        """Those that ran so far."""
        paths = [Path(name) for name in list(self._names)]
        ours = [path.relative_to(ROOT) for path in paths if path.is_relative_to(ROOT)]
        return [path.as_posix() for path in ours if path.parts[0] not in _NOT_OURS]


@contextmanager
def traced() -> Iterator[FileTrace]:
    """Everything that this process does inside the block, whatever thread does it."""
    trace = FileTrace()
    before = sys.getprofile()
    threading.setprofile(trace.note)
    sys.setprofile(trace.note)
    try:
        yield trace
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
