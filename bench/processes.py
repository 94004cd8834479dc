"""What processes cost: CPU time and memory, as the kernel counts them (Linux)."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def is_supported() -> bool:
    """Whether this kernel tells."""
    return Path("/proc/self/stat").exists()


def cpu_seconds(pid: int) -> float:
    """User and system time that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int) -> int:
    """Memory in use, shared libraries counted with each process that has them."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def proportional_bytes(pid: int) -> int:
    """The same with shared pages divided among those who share them: what all processes together really take."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return resident_bytes(pid)
