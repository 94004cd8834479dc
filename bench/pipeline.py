"""How many captures a second go through all services, and what each costs: a batch of realistic traffic, sent as fast
as it is taken, until every consumer has nothing left to do.

The traffic: VISITS_EACH page views of each visitor, then half of the visitors identify
themselves, one in forty asks for a demo.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import nats
import nats.js.errors
from nats.js import JetStreamContext

from bench.latency import hire, hot
from bench.processes import cpu_seconds, is_supported
from bench.suite import BenchTarget

TARGET_RATE = 1_500
VISITS_EACH = 4
IN_FLIGHT = 8
PER_BATCH = 50
PATIENCE_SECONDS = 180.0


@dataclass(frozen=True)
class PipelineResult:
    """`cpu` is seconds per process; `settled` is when the last consumer had nothing left."""

    captures: int
    accepted_seconds: float
    settled_seconds: float
    cpu: dict[str, float]
    left: int

    def report(self) -> str:
        rate = self.captures / self.settled_seconds
        lines = [
            f"whole pipeline: {self.captures} captures accepted in {self.accepted_seconds:.1f} s and through all"
            f" services in {self.settled_seconds:.1f} s: {rate:.0f}/s (target {TARGET_RATE}/s), {self.left} left behind"
        ]
        costs = "   ".join(f"{name} {1000 * seconds / self.captures:.2f}" for name, seconds in self.cpu.items())
        return "\n".join(
            [*lines, f"  CPU-ms per capture: {costs}   sum {1000 * sum(self.cpu.values()) / self.captures:.2f}"]
            if self.cpu
            else lines
        )


def traffic(visitors: int) -> Iterator[dict[str, Any]]:
    """Events in the order in which they are sent, each with its type."""
    name = f"pipeline-{time.time_ns()}"
    for visit in range(VISITS_EACH):
        for visitor in range(visitors):
            path = ("/", "/product", "/pricing", "/customers")[visit % 4]
            yield {
                "type": "page",
                "anonymousId": f"{name}-{visitor}",
                "messageId": f"{name}-{visitor}-{visit}",
                "properties": {"path": path},
            }
    for visitor in range(0, visitors, 2):
        traits = {"email": f"{name}-{visitor}@bench.example", "title": "Marketing Manager", "employees": 120}
        yield {
            "type": "identify",
            "anonymousId": f"{name}-{visitor}",
            "userId": f"{name}-{visitor}",
            "messageId": f"{name}-{visitor}-i",
            "traits": traits,
        }
    for visitor in range(0, visitors, 40):
        yield {"type": "track", **hot(f"{name}-hot-{visitor}")}


async def measure(target: BenchTarget, *, visitors: int = 2_000) -> PipelineResult:
    """Sends the traffic of so many visitors; returns when all consumers are done, or after PATIENCE_SECONDS."""
    await hire(target)
    events = list(traffic(visitors))
    pids = target.processes() if is_supported() else {}
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    began = time.perf_counter()
    await _send(target, events)
    accepted = time.perf_counter() - began
    client = await nats.connect(target.nats_url)
    left = await _wait_until_done(client.jetstream(), began)
    settled = time.perf_counter() - began
    await client.close()
    return PipelineResult(
        len(events), accepted, settled, {name: cpu_seconds(pid) - before[name] for name, pid in pids.items()}, left
    )


async def _send(target: BenchTarget, events: list[dict[str, Any]]) -> None:
    batches = iter([events[start : start + PER_BATCH] for start in range(0, len(events), PER_BATCH)])
    key = {"authorization": aiohttp.encode_basic_auth(target.write_key, "")}
    async with aiohttp.ClientSession(headers=key) as session:

        async def send_next() -> None:
            for batch in batches:
                async with session.post(f"{target.url}/v1/batch", json={"batch": batch}) as answer:
                    answer.raise_for_status()

        await asyncio.gather(*(send_next() for _ in range(IN_FLIGHT)))


async def _wait_until_done(jetstream: JetStreamContext, began: float) -> int:
    """Nothing pending at two looks in a row: what a service says next shows up at the next one's consumer."""
    quiet = 0
    left = 0
    while quiet < 2 and time.perf_counter() - began < PATIENCE_SECONDS:
        await asyncio.sleep(0.1)
        left = await pending(jetstream)
        quiet = 0 if left else quiet + 1
    return left


async def pending(jetstream: JetStreamContext) -> int:
    """Messages that some service has yet to hear, or has in hand."""
    count = 0
    for stream in ("CAPTURE", "IDENTITY", "SCORING", "LIFECYCLE", "NURTURE", "ROUTING"):
        for consumer in await jetstream.consumers_info(stream):
            count += (consumer.num_pending or 0) + (consumer.num_ack_pending or 0)
    return count
