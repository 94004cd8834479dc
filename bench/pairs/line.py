"""A whole suite as a contender: traffic through its public doors until nobody has anything left to hear; CPU by
process, rate, what stays.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import nats

from bench import latency
from bench.pairs.figures import ANSWER_P99, P50, P99, RATE
from bench.pairs.footprint import Footprint, footprint
from bench.pairs.meter import Meter
from bench.pairs.quiescence import until_heard
from bench.pairs.traffic import TimedRequest
from bench.pairs.turns import Measured
from bench.suite import BenchTarget

IN_FLIGHT = 8
PATIENCE_SECONDS = 240.0  # for one turn


@dataclass(frozen=True)
class Line:
    """A running suite and its processes."""

    target: BenchTarget
    pids: Mapping[str, int]

    def through(self, requests: Sequence[TimedRequest]) -> Measured:
        """As fast as it is taken."""
        return asyncio.run(_through(self, requests))

    def alerts(self, rate: int, seconds: int) -> Measured:
        """Steady traffic, and how long alerts take."""
        return asyncio.run(_alerts(self, rate, seconds))

    def fill(self, requests: Iterable[TimedRequest], patience: float) -> None:
        """Without measuring. Raises TimeoutError."""
        asyncio.run(_fill(self, requests, patience))


async def _through(line: Line, requests: Sequence[TimedRequest]) -> Measured:
    captures = sum(request.captures for request in requests)
    before = await footprint(line.target)
    client = await nats.connect(line.target.nats_url)
    try:
        meter, began = Meter(line.pids), time.perf_counter()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await send(line.target, requests)
        rest = await until_heard(client.jetstream(), PATIENCE_SECONDS)
        values = meter.per(captures) | {RATE.name: captures / (rest.at - began)}
    finally:
        await client.close()
    after = await footprint(line.target)
    return Measured(values | after.since(before, captures), missing(before, after, captures, rest.left))


async def _alerts(line: Line, rate: int, seconds: int) -> Measured:
    """An alert that has not come counts as one that came when patience ended, so that a late one is no better than a
    slow one.
    """
    meter = Meter(line.pids)
    run = await latency.measure(line.target, rate=rate, seconds=seconds)
    client = await nats.connect(line.target.nats_url)
    try:
        rest = await until_heard(client.jetstream(), PATIENCE_SECONDS)
    finally:
        await client.close()
    values = meter.per(rate * seconds)
    taken = [run.arrived["alert"].get(capture, latency.PATIENCE_SECONDS) for capture in run.due]
    values |= {P50.name: 1000 * quantile(taken, 0.5), P99.name: 1000 * quantile(taken, 0.99)}
    if run.answered:
        values[ANSWER_P99.name] = 1000 * quantile(run.answered, 0.99)
    refused = f"{run.refused} captures refused" if run.refused else ""
    return Measured(values, refused or (f"{rest.left} messages were not heard" if rest.left else ""))


async def _fill(line: Line, requests: Iterable[TimedRequest], patience: float) -> None:
    client = await nats.connect(line.target.nats_url)
    try:
        async with asyncio.timeout(patience):
            await send(line.target, requests)
            rest = await until_heard(client.jetstream(), patience)
    finally:
        await client.close()
    if rest.left:
        raise TimeoutError(f"{rest.left} messages were not heard")


async def send(target: BenchTarget, requests: Iterable[TimedRequest]) -> None:
    """IN_FLIGHT at a time. Raises aiohttp.ClientResponseError when one is refused."""
    waiting = iter(requests)
    key = {"authorization": aiohttp.encode_basic_auth(target.write_key, "")}
    async with aiohttp.ClientSession(headers=key) as session:

        async def send_next() -> None:
            for request in waiting:
                headers = {"content-type": request.content_type}
                async with session.post(
                    f"{target.url}{request.path}", data=request.body, headers=headers, allow_redirects=False
                ) as answer:
                    answer.raise_for_status()

        await asyncio.gather(*(send_next() for _ in range(IN_FLIGHT)))


def quantile(seconds: Sequence[float], part: float) -> float:
    """Nearest rank."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def missing(before: Footprint, after: Footprint, captures: int, left: int) -> str:
    if left:
        return f"{left} messages were not heard"
    captured = after.captured - before.captured
    return "" if captured == captures else f"{captured} of {captures} captures are on the stream"
