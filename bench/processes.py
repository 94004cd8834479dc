"""What processes cost: CPU time and memory, as the kernel counts them (Linux)."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")
# fields of /proc/<pid>/stat after the name: the parent; user and system time, of the process and of its dead
_PARENT, _OWN, _REAPED = 1, slice(11, 13), slice(13, 15)


def is_supported() -> bool:
    """Whether this kernel tells."""
    return Path("/proc/self/stat").exists()


def cpu_seconds(pid: int) -> float:
    """User and system time that the process has used."""
    return sum(map(int, _fields(pid)[_OWN])) / _TICKS


def tree_cpu_seconds(pid: int) -> float:
    """The same of a process and all that it has started, living or dead: a service may have workers."""
    ticks = 0
    for member in [pid, *descendants(pid)]:
        fields = _fields(member)
        ticks += sum(map(int, fields[_OWN])) + sum(map(int, fields[_REAPED]))
    return ticks / _TICKS


def resident_bytes(pid: int) -> int:
    """Memory in use, shared libraries counted with each process that has them."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def proportional_bytes(pid: int) -> int:
    """The same with shared pages divided among those who share them: what all processes together really take."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return resident_bytes(pid)


def tree_proportional_bytes(pid: int) -> int:
    """Of a process and all that it has started."""
    return sum(map(proportional_bytes, [pid, *descendants(pid)]))


def descendants(pid: int) -> Iterator[int]:
    """All that a process has started and what those have started, as far as they live."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            children.setdefault(int(_fields(int(folder.name))[_PARENT]), []).append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
    waiting = children.get(pid, [])
    while waiting:
        one = waiting.pop()
        yield one
        waiting += children.get(one, [])


def naming(text: str) -> Iterator[int]:
    """Those whose command line has the text, but for the one that asks."""
    for folder in _PROC.glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if text.encode() in (folder / "cmdline").read_bytes() and int(folder.name) != os.getpid():
                yield int(folder.name)


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
