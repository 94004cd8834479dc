"""From a capture being due to its answer, and to the changed score on the bus, at a steady rate against the whole suite.

Open loop: capture n is due at start + n / rate, and its latency counts from when it was due, so that a stall is not hidden by waiting.
Every capture is of a new visitor and worth points, so each must bring about one scoring.score.changed, whose `correlation` header is
the capture's id.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

import aiohttp
import nats
from nats.aio.msg import Msg

from bench.percentiles import Percentiles
from contracts.ids import hash_id

CONNECTIONS = 32
PATIENCE_SECONDS = 15.0


@dataclass(frozen=True)
class Target:
    """A running suite and a source of it."""

    url: str
    write_key: str
    source_id: str
    nats_url: str


@dataclass
class Run:
    """One measurement; the times are seconds since a capture was due, by capture id."""

    target: Target
    rate: int
    seconds: int
    name: str = field(default_factory=lambda: f"bench-{time.time_ns()}")
    due: dict[str, float] = field(default_factory=dict)
    acknowledged: dict[str, float] = field(default_factory=dict)
    recognized: dict[str, float] = field(default_factory=dict)
    scored: dict[str, float] = field(default_factory=dict)
    refused: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, session: aiohttp.ClientSession, number: int, due: float) -> None:
        visitor = f"{self.name}-{number}"
        capture_id = hash_id("cap", self.target.source_id, visitor)
        self.due[capture_id] = due
        event = {"event": "Form Submitted", "anonymousId": visitor, "messageId": visitor, "properties": {"form": "Demo"}}
        async with session.post(f"{self.target.url}/v1/track", json=event) as answer:
            await answer.read()
        if answer.status == 200:
            self.acknowledged[capture_id] = time.perf_counter() - due
        else:
            self.refused += 1

    async def hear_recognized(self, message: Msg) -> None:
        self._note(message, self.recognized)

    async def hear_scored(self, message: Msg) -> None:
        self._note(message, self.scored)
        self.heard.set()

    def _note(self, message: Msg, arrivals: dict[str, float]) -> None:
        capture_id = (message.headers or {}).get("correlation", "")
        if capture_id in self.due:
            arrivals.setdefault(capture_id, time.perf_counter() - self.due[capture_id])

    async def wait_for_scores(self) -> None:
        while len(self.scored) < len(self.acknowledged):
            self.heard.clear()
            await self.heard.wait()

    def report(self) -> str:
        counts = f"{len(self.acknowledged)} acknowledged, {self.refused} refused, {len(self.scored)} scored"
        return (
            f"capture -> score, {self.rate}/s for {self.seconds} s: {counts}\n"
            f"  answered      {Percentiles.of(list(self.acknowledged.values()))}\n"
            f"  recognized    {Percentiles.of(list(self.recognized.values()))}\n"
            f"  score on bus  {Percentiles.of(list(self.scored.values()))}"
        )


async def measure(target: Target, *, rate: int = 200, seconds: int = 10) -> Run:
    """Send rate * seconds captures; return when each has its score, or after PATIENCE_SECONDS."""
    run = Run(target, rate, seconds)
    client = await nats.connect(target.nats_url)
    await client.subscribe("identity.interaction.recognized.v1.>", cb=run.hear_recognized)
    await client.subscribe("scoring.score.changed.v1.>", cb=run.hear_scored)
    await client.flush()
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    key = {"authorization": aiohttp.encode_basic_auth(target.write_key, "")}
    async with aiohttp.ClientSession(connector=connector, headers=key) as session:
        await _send_all(session, run)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(run.wait_for_scores(), PATIENCE_SECONDS)
    await client.close()
    return run


async def _send_all(session: aiohttp.ClientSession, run: Run) -> None:
    start = time.perf_counter() + 0.1
    sending = []
    for number in range(run.rate * run.seconds):
        due = start + number / run.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        sending.append(asyncio.create_task(run.send(session, number, due)))
    await asyncio.gather(*sending)
