"""The arithmetic: how many processes, cores and bytes a load needs. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bench.scale.costs import (
    FIRST_VIEW,
    GATEWAY_MS,
    KNOWN_PERSON,
    NATS_MS,
    NEXT_VIEW,
    POSTGRES_MS,
    REPLICAS,
    SERVICES,
    WAL_BYTES,
    ServiceCost,
)

BUSY: Final = 0.6
"""How busy a process may be at the peak: beyond that a restart or a rush takes long to catch up with."""
_DAY_SECONDS: Final = 86_400
_PEAK_TO_MEAN: Final = 3.0


@dataclass(frozen=True, slots=True)
class ExpectedLoad:
    """Captures a second at the peak; people in the base, of whom some are known by name; events a request."""

    peak: float
    people: int
    known_share: float = 0.05
    events_a_request: str = "one a request"

    @property
    def mean(self) -> float:
        """Captures a second over the day: at the peak there are three times as many."""
        return self.peak / _PEAK_TO_MEAN


@dataclass(frozen=True, slots=True)
class Need:
    """What a load needs. Processes by service; cores at the peak; bytes."""

    processes: Mapping[str, int]
    cores: Mapping[str, float]
    store_bytes: float
    stream_bytes_a_day: float
    rows_a_second: float
    wal_bytes_a_second: float

    @property
    def lanes(self) -> int:
        """A power of two that gives each process of the largest service two lanes at least, so that they move evenly;
        1 where one process of each is enough.
        """
        most = max(self.processes[name] for name in SERVICES)
        return 1 if most == 1 else 2 ** math.ceil(math.log2(2 * most))


def processes(cost: ServiceCost, peak: float, busy: float = BUSY) -> int:
    """How many processes of a service follow `peak` captures a second, each no busier than `busy`."""
    return max(1, math.ceil(peak / (cost.ceiling * busy)))


def need(load: ExpectedLoad) -> Need:
    """What `load` needs."""
    door = GATEWAY_MS[load.events_a_request] * load.peak / 1000
    cores = {name: load.peak / cost.ceiling for name, cost in SERVICES.items()}
    known = load.people * load.known_share
    return Need(
        processes={"gateway": max(1, math.ceil(door / BUSY))}
        | {name: processes(cost, load.peak) for name, cost in SERVICES.items()},
        cores={"gateway": door, "nats": NATS_MS * load.peak / 1000, "postgresql": POSTGRES_MS * load.peak / 1000}
        | cores,
        store_bytes=(load.people - known) * FIRST_VIEW.store_bytes + known * KNOWN_PERSON.store_bytes,
        stream_bytes_a_day=load.mean * _DAY_SECONDS * NEXT_VIEW.stream_bytes,
        rows_a_second=load.peak * NEXT_VIEW.rows,
        wal_bytes_a_second=load.peak * WAL_BYTES,
    )


def replicated(stream_bytes: float) -> float:
    """On the disks of all nodes together."""
    return REPLICAS * stream_bytes
