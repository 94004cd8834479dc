"""What one capture costs, as measured: CPU by process, rows and bytes by kind of traffic.

Sources: `bench/REPORT.md` (web traffic at full speed, two cores), `python -m bench.hops` (what a batch costs beside its
messages), `python -m bench --only bytes`, `docs/scale.md` (PostgreSQL). Measure anew when these change; the shape of
the arithmetic stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

BATCH: Final = 250
"""The most messages that a service takes at once."""


@dataclass(frozen=True, slots=True)
class ServiceCost:
    """A service's CPU-ms: for each batch, and for each capture on top (of the captures it hears of, their share).

    `heard` is how many messages a capture makes for it, on average over web traffic.
    """

    batch_ms: float
    capture_ms: float
    heard: float = 1.0

    @property
    def message_ms(self) -> float:
        """Of one message, its batch left out."""
        return self.capture_ms / self.heard

    def batch_of(self, size: int) -> float:
        """CPU-ms of a batch of so many messages."""
        return self.batch_ms + size * self.message_ms

    @property
    def ceiling(self) -> float:
        """Captures a second that one process can follow: its batches full, a core to itself."""
        return BATCH / self.heard / self.batch_of(BATCH) * 1000


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a capture of a kind leaves for good: rows and bytes in stores, bytes in streams."""

    rows: float
    store_bytes: float
    stream_bytes: float


SERVICES: Final[Mapping[str, ServiceCost]] = {
    "identity": ServiceCost(0.95, 0.126),
    "scoring": ServiceCost(1.5, 0.214),
    "lifecycle": ServiceCost(1.1, 0.045, heard=0.2),
    "nurture": ServiceCost(1.3, 0.055, heard=0.2),
    "routing": ServiceCost(1.1, 0.015, heard=0.1),
    "metrics": ServiceCost(0.8, 0.078),
}
GATEWAY_MS: Final = {"one a request": 0.072, "twenty a request": 0.024}
NATS_MS: Final = 0.14
"""nats-server, for a capture with all that it brings about, one node, synced."""
REPLICAS: Final = 3
POSTGRES_MS: Final = 0.33
"""PostgreSQL's own processes, all services' databases together, for a capture of a mix in which every ninth says for
the first time who somebody is (the services themselves: 1.5). Web traffic costs services half of that.
"""
WAL_BYTES: Final = 11_200
"""What PostgreSQL writes ahead for such a capture, whole pages after a checkpoint included."""

FIRST_VIEW: Final = Traffic(rows=7, store_bytes=2_100, stream_bytes=1_900)
NEXT_VIEW: Final = Traffic(rows=3, store_bytes=1_100, stream_bytes=1_800)
KNOWN_PERSON: Final = Traffic(rows=40, store_bytes=27_000, stream_bytes=20_000)
