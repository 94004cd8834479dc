"""What the suite takes at rest: the memory of all its processes after a measurement's warmth has gone, or just after
the start.
"""

from __future__ import annotations

from bench.processes import is_supported, proportional_bytes, resident_bytes
from bench.suite import BenchTarget

TARGET_MB = 1_200


def report(target: BenchTarget) -> str:
    """Resident memory by process, and the sum, with shared pages counted once in `together`."""
    if not is_supported():
        return "memory at rest: this kernel does not tell"
    pids = target.processes()
    resident = {name: resident_bytes(pid) / 1e6 for name, pid in pids.items()}
    together = sum(proportional_bytes(pid) for pid in pids.values()) / 1e6
    each = "   ".join(f"{name} {size:.0f}" for name, size in resident.items())
    return (
        f"memory at rest: {sum(resident.values()):.0f} MB resident, {together:.0f} MB together (target {TARGET_MB}"
        f" MB)\n  {each}"
    )
