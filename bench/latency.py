"""From a capture being due to the alert that a rep receives, at a steady rate against the whole suite.

Open loop: capture n is due at start + n / rate, and its latency counts from when it was due, so that a stall is not
hidden by waiting. Most captures are visits of strangers; every HOT_EVERY-th is somebody of good fit who asks for a
demo, and must become an MQL and bring about an alert, whose `correlation` header is the capture's id.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import nats
from nats.aio.msg import Msg

from bench.percentiles import Percentiles
from bench.suite import BenchTarget
from contracts.ids import hash_id

CONNECTIONS = 32
PATIENCE_SECONDS = 15.0
HOT_EVERY = 20
TARGET_P50_MS, TARGET_P99_MS = 30.0, 120.0
REPS = 4
STEPS = {
    "recognized": "identity.interaction.recognized.v1.>",
    "scored": "scoring.score.changed.v1.>",
    "became mql": "lifecycle.stage.entered.v1.>",
    "alert": "alerts.rep.>",
}


@dataclass
class Run:
    """One measurement; the times are seconds since a capture was due, by capture id. Only hot captures are followed."""

    target: BenchTarget
    rate: int
    seconds: int
    name: str = field(default_factory=lambda: f"bench-{time.time_ns()}")
    due: dict[str, float] = field(default_factory=dict)
    answered: list[float] = field(default_factory=list)
    arrived: dict[str, dict[str, float]] = field(default_factory=lambda: {step: {} for step in STEPS})
    refused: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, session: aiohttp.ClientSession, number: int, due: float) -> None:
        message_id = f"{self.name}-{number}"
        is_hot = number % HOT_EVERY == 0
        if is_hot:
            self.due[hash_id("cap", self.target.source_id, message_id)] = due
        path, event = ("track", hot(message_id)) if is_hot else ("page", visit(message_id))
        async with session.post(f"{self.target.url}/v1/{path}", json=event) as answer:
            await answer.read()
        if answer.status == 200:
            self.answered.append(time.perf_counter() - due)
        else:
            self.refused += 1

    def hearing(self, step: str) -> Callable[[Msg], Coroutine[Any, Any, None]]:
        """Notes when each hot capture had come so far."""
        arrived = self.arrived[step]

        async def hear(message: Msg) -> None:
            capture_id = (message.headers or {}).get("correlation", "")
            if capture_id in self.due:
                # the last one: several moves may be made at once
                arrived[capture_id] = time.perf_counter() - self.due[capture_id]
                self.heard.set()

        return hear

    async def wait_for_alerts(self) -> None:
        while len(self.arrived["alert"]) < len(self.due):
            self.heard.clear()
            await self.heard.wait()

    def report(self) -> str:
        counts = (
            f"{len(self.answered)} acknowledged, {self.refused} refused; {len(self.arrived['alert'])} alerts of"
            f" {len(self.due)} hot leads"
        )
        lines = [
            f"capture -> alert at {self.rate}/s for {self.seconds} s: {counts}",
            f"  {'answered':<11} {Percentiles.of(self.answered)}",
        ]
        lines += [f"  {step:<11} {Percentiles.of(list(times.values()))}" for step, times in self.arrived.items()]
        return "\n".join([*lines, f"  target      p50 {TARGET_P50_MS:6.1f} ms   p99 {TARGET_P99_MS:6.1f} ms"])


def visit(message_id: str) -> dict[str, Any]:
    """A stranger looks at a page."""
    return {"anonymousId": message_id, "messageId": message_id, "name": "/product", "properties": {"path": "/product"}}


def hot(message_id: str) -> dict[str, Any]:
    """Somebody of good fit asks for a demo."""
    traits = {
        "email": f"{message_id}@bench.example",
        "name": "Bea Ench",
        "title": "VP Sales",
        "company": "Bench",
        "employees": 900,
    }
    return {
        "event": "Demo Requested",
        "anonymousId": message_id,
        "messageId": message_id,
        "context": {"traits": traits},
    }


async def measure(target: BenchTarget, *, rate: int = 200, seconds: int = 10) -> Run:
    """Send rate * seconds captures; return when each hot one has its alert, or after PATIENCE_SECONDS."""
    run = Run(target, rate, seconds)
    await hire(target)
    client = await nats.connect(target.nats_url)
    for step, subject in STEPS.items():
        await client.subscribe(subject, cb=run.hearing(step))
    await client.flush()
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    key = {"authorization": aiohttp.encode_basic_auth(target.write_key, "")}
    async with aiohttp.ClientSession(connector=connector, headers=key) as session:
        await _send_all(session, run)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(run.wait_for_alerts(), PATIENCE_SECONDS)
    await client.close()
    return run


async def hire(target: BenchTarget) -> None:
    """Reps who can be asked."""
    key = {"authorization": f"Bearer {target.api_key}"}
    async with aiohttp.ClientSession(headers=key) as session:
        for number in range(REPS):
            rep = {"name": f"Rep {number}", "external_id": f"bench-{number}"}
            async with session.post(f"{target.url}/v1/reps", json=rep) as answer:
                answer.raise_for_status()


async def _send_all(session: aiohttp.ClientSession, run: Run) -> None:
    start = time.perf_counter() + 0.1
    sending = []
    for number in range(run.rate * run.seconds):
        due = start + number / run.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        sending.append(asyncio.create_task(run.send(session, number, due)))
    await asyncio.gather(*sending)
