"""What a capture costs at the door: a gateway with a broker of its own, and the bare endpoint, loaded in the same way.

Closed loop, CONNECTIONS at once; an answer that does not say success counts as refused, and
what was acknowledged must be on the stream.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.capture import stored, wait_for
from bench.load import WRITE_KEY, load
from bench.pairs.figures import P50, P99, RATE
from bench.pairs.meter import Meter
from bench.pairs.subprocesses import nats_server, python, started
from bench.pairs.turns import Measured
from chassis.web.auth import generate_key_pair
from embedded.up import free_ports

CONNECTIONS = 64
_ROOM = 10**7  # of ids, for each turn


@dataclass
class CapturePort:
    """A port that takes events, and the processes behind it. `nats_url` where captures are kept."""

    port: int
    pids: Mapping[str, int]
    nats_url: str | None = None
    turns: int = 0
    expected: int = 0

    def loaded(self, seconds: float, per_request: int) -> Measured:
        self.turns += 1
        meter = Meter(self.pids)
        result = uvloop.run(load(self.port, seconds, CONNECTIONS, self.turns * _ROOM, per_request))
        if not result.answered:
            return Measured({}, f"nothing was acknowledged, {result.refused} requests refused")
        values = meter.per(result.answered) | {
            RATE.name: result.rate,
            P50.name: result.quantile(0.5),
            P99.name: result.quantile(0.99),
        }
        self.expected += result.answered
        return Measured(values, f"{result.refused} requests refused" if result.refused else self._lost())

    def _lost(self) -> str:
        if self.nats_url is None:
            return ""
        kept = asyncio.run(stored(self.nats_url))
        return "" if kept >= self.expected else f"{self.expected} acknowledged, {kept} on the stream"


@contextmanager
def bare_door() -> Iterator[CapturePort]:
    (port,) = free_ports(1)
    with started(python("-m", "bench.pairs.bare_endpoint", str(port))) as pid:
        wait_for(f"http://127.0.0.1:{port}/openapi.json")
        yield CapturePort(port, {"bare": pid})


@contextmanager
def gateway_door(root: Path) -> Iterator[CapturePort]:
    """The gateway of the checkout at `root`, without the services behind it."""
    private_key, public_key = generate_key_pair()
    port, nats_port = free_ports(2)
    nats_url = f"nats://127.0.0.1:{nats_port}"
    with tempfile.TemporaryDirectory(prefix="rapport-door-") as folder:
        settings = {
            "GATEWAY_PORT": str(port), "GATEWAY_NATS_URL": nats_url,
            "GATEWAY_DATABASE_URL": f"sqlite:///{folder}/gateway.db",
            "GATEWAY_TOKEN_PRIVATE_KEY": private_key, "GATEWAY_TOKEN_PUBLIC_KEY": public_key,
            "GATEWAY_BOOTSTRAP_WRITE_KEY": WRITE_KEY,
        }  # fmt: skip
        with (
            nats_server(Path(folder), nats_port) as nats,
            started(python("-m", "gateway.main"), folder=root, settings=settings) as gateway,
        ):
            wait_for(f"http://127.0.0.1:{port}/readyz")
            yield CapturePort(port, {"gateway": gateway, "nats": nats}, nats_url)
