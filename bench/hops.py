"""What a hop costs without a broker: CPU per batch, from the messages to what the next service hears.

Messages go into a service's processor, its transaction and its relay, and what is said into the next service.

    python -m bench.hops [--against CHECKOUT] [--rounds 3] [--sizes 1 10 250]

With `--against`, this file measures another checkout of the house as well, in turns with this one: on a
shared machine only such pairs say anything.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

CALLS = {1: 150, 10: 60, 250: 6}
"""Batches that are timed, by their size; as many go ahead untimed."""
_START = datetime(2026, 1, 1, tzinfo=UTC)
_TURNS = 8
"""For the relay, after each batch; what it does later is counted with the next one."""
_NAMES = ("identity", "scoring", "lifecycle", "nurture", "metrics")


@dataclass
class Far:
    """The broker's far side: takes everything at once, and keeps it for the next service."""

    stream: str
    said: list[Any] = field(default_factory=list)
    max_payload: int = 1 << 20
    is_ready: bool = True

    async def publish(self, messages: Sequence[Any]) -> None:
        self.said += messages


@asynccontextmanager
async def running(name: str, folder: Path) -> AsyncIterator[Any]:
    """A service without its bus: (runtime, far side, what it hears by stream)."""
    from importlib import import_module

    from chassis.metrics import Metrics
    from chassis.runtime import Runtime
    from chassis.store.database import Database
    from chassis.store.migrate import migrate
    from chassis.store.relay import Relay
    from chassis.telemetry import Telemetry

    settings = getattr(import_module(f"services.{name}.settings"), f"{name.capitalize()}Settings")
    url = f"sqlite:///{folder / name}.db"
    service = import_module(f"services.{name}.main").create_service(
        settings(database_url=url, token_public_key="unused")
    )
    await migrate(url, service.migrations)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(url))
        far = Far(name.upper())
        runtime = Runtime(name, service.settings, database, far, Metrics(name), Telemetry(name, 0.01))  # type: ignore[arg-type]
        if service.extras is not None:
            runtime.service = await stack.enter_async_context(service.extras(runtime))
        runtime.relay = Relay(database, far.publish, purge_seconds=3600.0)
        relaying = asyncio.create_task(runtime.relay.run())
        processors = await _processors(runtime, service)
        heard = {event.wire_name for taker in service.subscriptions for event in taker.event_types}
        yield processors, far, heard
        await runtime.relay.stop()
        await relaying


async def _processors(runtime: Any, service: Any) -> dict[str, Any]:
    from chassis.lifespan import consumer_specs
    from chassis.message import Mark, StreamState
    from chassis.processor import Processor

    processors = {}
    for spec in consumer_specs(service.name, service.settings, service.subscriptions):
        processors[spec.stream] = Processor(runtime, spec, service.subscriptions)
        await processors[spec.stream].open(StreamState(spec.stream, Mark(0, _START), 1))
    return processors


def captures(count: int) -> list[Any]:
    """Nine in ten look at pages; one in ten says who they are, with what interests scoring and metrics."""
    from contracts.envelope import Meta
    from contracts.events.gateway import InteractionReceived
    from contracts.ids import derive_id
    from contracts.values import Identifier, IdentifierKind, Interaction, InteractionKind, SourceKind

    events = []
    for number in range(count):
        when, who = _START + timedelta(seconds=number), number // 5
        tells = number % 10 == 9
        named = [Identifier(kind=IdentifierKind.ANONYMOUS_ID, value=f"visitor-{who}")]
        if tells:
            named.insert(0, Identifier(kind=IdentifierKind.EMAIL, value=f"visitor-{who}@bench{who % 50}.example"))
        interaction = Interaction(
            interaction_id=derive_id("int", when, str(number)),
            kind=InteractionKind.IDENTIFY if tells else InteractionKind.PAGE,
            source_id="src_bench",
            source_kind=SourceKind.WEB,
            message_id=f"m{number}",
            occurred_at=when,
            received_at=when,
            traits={"email": named[0].value, "title": "Marketing Manager", "employees": 120} if tells else {},
            properties={} if tells else {"path": ("/", "/product", "/pricing", "/customers")[number % 4]},
            context={"campaign": {"source": "search", "name": f"c{who % 7}"}} if number % 5 == 0 else {},
        )
        event_id = derive_id("evt", when, str(number))
        meta = Meta(event_id=event_id, at=when, correlation_id=event_id)
        events.append(InteractionReceived(meta=meta, interaction=interaction, identifiers=tuple(named)))
    return events


def received(stream: str, messages: Sequence[Any]) -> list[Any]:
    from chassis.message import Received

    now = datetime.now(UTC)
    return [
        Received(one.subject, one.headers, one.body, stream, number, 1, now) for number, one in enumerate(messages, 1)
    ]


async def measure(size: int) -> dict[str, float]:
    """Milliseconds of CPU per batch of `size` messages, by service."""
    from chassis.message import OutMessage

    count = max(2 * CALLS[size] * size, 600)
    streams: dict[str, list[Any]] = {
        "CAPTURE": [OutMessage(event.subjects(1)[0], event.headers(), event.body()) for event in captures(count)]
    }
    costs = {}
    with tempfile.TemporaryDirectory(prefix="rapport-hops-") as folder:
        for name in _NAMES:
            async with running(name, Path(folder)) as (processors, far, heard):
                heard_streams = {
                    stream: [one for one in streams.get(stream, []) if _name_of(one) in heard] for stream in processors
                }
                costs[name] = await _timed(_batches(processors, heard_streams, size), CALLS[size])
            streams[far.stream] = far.said
    return costs


def _name_of(message: Any) -> str:
    return str(message.subject.rpartition(".")[0])


def _batches(processors: dict[str, Any], streams: dict[str, list[Any]], size: int) -> list[tuple[Any, Any]]:
    """Full batches of all streams side by side, each with its processor."""
    batches = []
    for stream, processor in processors.items():
        mine = received(stream, streams[stream])
        parts = [mine[begin : begin + size] for begin in range(0, len(mine), size)]
        batches += [
            (index / max(1, len(parts)), processor, part) for index, part in enumerate(parts) if len(part) == size
        ]
    return [(processor, part) for _, processor, part in sorted(batches, key=lambda one: one[0])]


async def _timed(batches: Sequence[tuple[Any, Any]], calls: int) -> float:
    took = []
    for index, (processor, part) in enumerate(batches):
        if index == len(batches) - calls:
            gc.collect()
        began = time.process_time()
        await processor.apply(part)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        took.append((time.process_time() - began) * 1000)
    await asyncio.sleep(0.3)
    return sum(took[-calls:]) / max(1, min(calls, len(took)))


def compare(
    checkouts: Sequence[str], sizes: Sequence[int], rounds: int
) -> dict[int, dict[str, list[dict[str, float]]]]:
    """size -> checkout -> figures of each round."""
    found: dict[int, dict[str, list[dict[str, float]]]] = {size: {one: [] for one in checkouts} for size in sizes}
    for _ in range(rounds):
        for size in sizes:
            for checkout in checkouts:
                environment = {**os.environ, "PYTHONPATH": checkout, "PYTHONSAFEPATH": "1"}
                words = [sys.executable, __file__, "--measure", str(size)]
                output = subprocess.run(
                    words, cwd=checkout, env=environment, capture_output=True, text=True, check=True
                ).stdout
                found[size][checkout].append(json.loads(output.splitlines()[-1]))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.hops")
    parser.add_argument("--against", help="another checkout of the house")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", choices=CALLS, default=list(CALLS))
    parser.add_argument("--measure", type=int, choices=CALLS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(asyncio.run(measure(arguments.measure))))
        return
    here = str(Path(__file__).resolve().parents[1])
    checkouts = [str(Path(one).resolve()) for one in (arguments.against,) if one is not None] + [here]
    for size, by_checkout in compare(checkouts, arguments.sizes, arguments.rounds).items():
        print(f"batches of {size}: CPU-ms a batch, medians of {arguments.rounds}")
        for name in _NAMES:
            cells = [median(figures[name] for figures in by_checkout[one]) for one in checkouts]
            print(
                f"  {name:10}"
                + "   ".join(f"{cell:8.2f}" for cell in cells)
                + (f"   x {cells[-1] / cells[0]:.2f}" if len(cells) > 1 else "")
            )


if __name__ == "__main__":
    main()
