"""CPU by process over the length of a turn, our own as the load generator's apart."""

from __future__ import annotations

import time
from collections.abc import Mapping

from bench.pairs.figures import CPU, CPU_OF, GENERATOR
from bench.processes import is_supported, tree_cpu_seconds


class Meter:
    """Runs from when it is made."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids) if is_supported() else {}
        self._before = self._read()
        self._own = time.process_time()

    def per(self, captures: int) -> dict[str, float]:
        """CPU-ms a capture so far: the sum, each process, the generator.

        Raises FileNotFoundError when a process has ended meanwhile.
        """
        own = time.process_time() - self._own
        spent = {name: 1000 * (after - self._before[name]) / captures for name, after in self._read().items()}
        values = {f"{CPU_OF}{name}": cost for name, cost in spent.items()} | {GENERATOR.name: 1000 * own / captures}
        return values | {CPU.name: sum(spent.values())} if spent else values

    def _read(self) -> dict[str, float]:
        return {name: tree_cpu_seconds(pid) for name, pid in self._pids.items()}
