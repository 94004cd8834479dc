"""Captures a second of the gateway (on disk, sync always) against a bare FastAPI endpoint with a pydantic model of the same event, in one run.

    python -m bench.capture [--seconds 3] [--rounds 3] [--connections 64] [--events 20]

Loopback only, everything of its own in a temporary directory. The two are loaded in turns, so that a busy machine is unfair to both alike; the
middle round counts. Each answer is checked; the gateway's captures are counted on the stream afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import nats
import orjson
import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel

from bench.processes import cpu_seconds
from chassis.auth import generate_key_pair
from embedded.up import free_ports

WRITE_KEY = "wk_bench_key"
TARGET = 0.60
ID_LENGTH = 20
_BATCH_OPENS, _BATCH_CLOSES = b'{"writeKey":"%b","batch":[' % WRITE_KEY.encode(), b"]}"
_READY_SECONDS = 30.0


class Event(BaseModel):
    """A Segment event, as one would declare it to FastAPI."""

    type: str | None = None
    event: str | None = None
    userId: str | None = None  # noqa: N815
    anonymousId: str | None = None  # noqa: N815
    messageId: str  # noqa: N815
    writeKey: str | None = None  # noqa: N815
    timestamp: AwareDatetime
    sentAt: AwareDatetime | None = None  # noqa: N815
    traits: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    context: dict[str, Any] = {}
    integrations: dict[str, Any] = {}


class Batch(BaseModel):
    """A batch of them."""

    batch: list[Event]


def bare() -> FastAPI:
    """The endpoint to compare with: parses, validates, answers; stores nothing."""
    app = FastAPI()

    @app.post("/v1/track")
    async def track(event: Event) -> dict[str, bool]:
        return {"success": bool(event.messageId)}

    @app.post("/v1/batch")
    async def batch(batch: Batch) -> dict[str, bool]:
        return {"success": all(event.messageId for event in batch.batch)}

    return app


@dataclass(frozen=True)
class Result:
    """What one load brought."""

    answered: int
    refused: int
    seconds: float
    latencies: list[float]  # seconds, sorted

    @property
    def rate(self) -> float:
        return self.answered / self.seconds

    def quantile(self, part: float) -> float:
        """Milliseconds."""
        return self.latencies[int(part * (len(self.latencies) - 1))] * 1000 if self.latencies else float("nan")


def an_event(number: int) -> bytes:
    """About as large as what analytics.js sends for a track call."""
    page = {
        "path": "/demo",
        "referrer": "",
        "search": "?utm_source=google&utm_medium=cpc&gclid=TeSt123",
        "title": "Demo",
        "url": "https://acme.test/demo?x=1",
    }
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
    campaign = {"source": "google", "medium": "cpc", "name": "spring", "term": "lead management", "content": "ad1"}
    library = {"name": "analytics.js", "version": "npm:next-1.84.3"}
    context = {"page": page, "userAgent": agent, "locale": "en-US", "library": library, "campaign": campaign, "timezone": "UTC"}
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    return orjson.dumps(
        {
            "timestamp": now, "integrations": {"Segment.io": True}, "event": "Form Submitted", "type": "track",
            "properties": {"formId": "demo-request", "revenue": 19.99}, "context": context, "messageId": f"bench-{number}",
            "userId": f"u-{number % 5000}", "anonymousId": f"80244179-3ef2-4932-996f-{number % 5000:012}", "writeKey": WRITE_KEY, "sentAt": now,
            "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
        }
    )  # fmt: skip


class Asking(asyncio.Protocol):
    """One connection that asks as soon as it was answered. Answers are JSON objects: the brace at its end completes one."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._began = 0.0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class does not derive from it
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._answer.endswith(b"}"):
            self._load.answered(self._answer, time.perf_counter() - self._began)
            self._answer = b""
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        self._load.left()

    def _ask(self) -> None:
        self._began = time.perf_counter()
        if self._began >= self._load.deadline:
            self._transport.close()
        else:
            self._transport.write(self._load.request())


class Load:
    """So many connections for so long; each event has an id of its own, and `events` of them go in one request."""

    def __init__(self, seconds: float, connections: int, first: int, events: int = 1) -> None:
        self.deadline = time.perf_counter() + seconds
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []
        self.refused = 0
        self._open = connections
        self._numbers = iter(range(first, first + 10**7))
        self._before, _, self._after = an_event(first).partition(b"bench-%d" % first)
        self._events = events
        size = events * (len(self._before) + ID_LENGTH + len(self._after))  # ids have one length, so one head serves all
        around = len(_BATCH_OPENS) + events - 1 + len(_BATCH_CLOSES) if events > 1 else 0
        path = b"/v1/batch" if events > 1 else b"/v1/track"
        self._head = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (path, size + around)

    def request(self) -> bytes:
        said = [self._before + b"bench-%0*d" % (ID_LENGTH - 6, next(self._numbers)) + self._after for _ in range(self._events)]
        return self._head + (said[0] if self._events == 1 else _BATCH_OPENS + b",".join(said) + _BATCH_CLOSES)

    def answered(self, data: bytes, seconds: float) -> None:
        if b'"success":true' in data:
            self.latencies.append(seconds)
        else:
            self.refused += 1

    def left(self) -> None:
        self._open -= 1
        if self._open == 0:
            self.done.set_result(None)


async def load(port: int, seconds: float, connections: int, first: int, events: int = 1) -> Result:
    """Load one endpoint. Answers are counted, each for `events`."""
    asked = Load(seconds, connections, first, events)
    began = time.perf_counter()
    for _ in range(connections):
        await asyncio.get_running_loop().create_connection(lambda: Asking(asked), "127.0.0.1", port)
    async with asyncio.timeout(seconds + _READY_SECONDS):
        await asked.done
    return Result(events * len(asked.latencies), asked.refused, time.perf_counter() - began, sorted(asked.latencies))


@contextmanager
def running(command: list[str], environment: dict[str, str] | None = None) -> Iterator[int]:
    """A process for the length of the block; gives its id."""
    process = subprocess.Popen(command, env=os.environ | (environment or {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise SystemExit(f"{url} does not answer")


async def stored(nats_url: str) -> int:
    client = await nats.connect(nats_url)
    try:
        return int((await client.jetstream().stream_info("CAPTURE")).state.messages)
    finally:
        await client.close()


def compare(arguments: argparse.Namespace) -> int:
    """Both, in turns; prints a report. 0 when nothing acknowledged is missing and nothing was refused."""
    private_key, public_key = generate_key_pair()
    ports = dict(zip(("nats", "gateway", "bare"), free_ports(3), strict=True))
    nats_url = f"nats://127.0.0.1:{ports['nats']}"
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "nats.conf"
        config.write_text(f'listen: 127.0.0.1:{ports["nats"]}\njetstream {{ store_dir: "{folder}/nats", sync_interval: always }}\n')
        environment = {
            "GATEWAY_PORT": str(ports["gateway"]), "GATEWAY_NATS_URL": nats_url, "GATEWAY_DATABASE_URL": f"sqlite:///{folder}/gateway.db",
            "GATEWAY_TOKEN_PRIVATE_KEY": private_key, "GATEWAY_TOKEN_PUBLIC_KEY": public_key, "GATEWAY_BOOTSTRAP_WRITE_KEY": WRITE_KEY,
        }  # fmt: skip
        server = str(Path(sysconfig.get_path("scripts")) / "nats-server")
        with (
            running([server, "-c", str(config)]),
            running([sys.executable, "-m", "gateway.main"], environment) as gateway,
            running([sys.executable, "-m", "bench.capture", "--serve-bare", str(ports["bare"])]) as endpoint,
        ):
            wait_for(f"http://127.0.0.1:{ports['gateway']}/readyz")
            wait_for(f"http://127.0.0.1:{ports['bare']}/openapi.json")
            processes = {"bare": endpoint, "gateway": gateway}
            before = {name: cpu_seconds(pid) for name, pid in processes.items()}
            results = take_turns(arguments, ports)
            spent = {name: cpu_seconds(pid) - before[name] for name, pid in processes.items()}
            print(f"fsync of this disk now: {sync_milliseconds(Path(folder)):.2f} ms")
            return report(results, spent, asyncio.run(stored(nats_url)))


def take_turns(arguments: argparse.Namespace, ports: dict[str, int]) -> dict[str, list[Result]]:
    results: dict[str, list[Result]] = {"bare": [], "gateway": []}
    first = 0
    for _ in range(arguments.rounds):
        for name, taken in results.items():
            taken.append(uvloop.run(load(ports[name], arguments.seconds, arguments.connections, first, arguments.events)))
            first += 10**7
    return results


def sync_milliseconds(folder: Path) -> float:
    """The median of what it takes to append 700 bytes and sync them: durable captures cannot be faster than their disk."""
    taken = []
    with (folder / "synced").open("ab") as file:
        for _ in range(50):
            file.write(b"x" * 700)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def report(results: dict[str, list[Result]], spent: dict[str, float], on_stream: int) -> int:
    cpu = {}
    for name, taken in results.items():
        middle = sorted(taken, key=lambda result: result.rate)[len(taken) // 2]
        cpu[name] = spent[name] / max(sum(result.answered for result in taken), 1) * 1e6
        rates = ", ".join(f"{result.rate:,.0f}" for result in taken)
        quantiles = f"p50 {middle.quantile(0.5):5.1f} ms  p99 {middle.quantile(0.99):6.1f} ms"
        print(f"{name:8} {middle.rate:8,.0f}/s  {quantiles}  CPU {cpu[name]:4.0f} us each  (rounds: {rates})")
    ratio = statistics.median(one.rate for one in results["gateway"]) / statistics.median(one.rate for one in results["bare"])
    answered = sum(result.answered for result in results["gateway"])
    refused = sum(result.refused for taken in results.values() for result in taken)
    print(f"ratio of rates {ratio:.0%} (target {TARGET:.0%}), of CPU {cpu['bare'] / cpu['gateway']:.0%}")
    print(f"{answered:,} acknowledged, {on_stream:,} on the stream, {refused} refused")
    return 0 if on_stream >= answered and not refused else 1  # a slow machine is no mistake; a lost capture is


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.capture", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--events", type=int, default=1, help="how many go in one request")
    parser.add_argument("--serve-bare", type=int, metavar="PORT", help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    if arguments.serve_bare:
        uvicorn.run(bare(), host="127.0.0.1", port=arguments.serve_bare, loop="uvloop", http="httptools", access_log=False, log_level="warning")
        return 0
    return compare(arguments)


if __name__ == "__main__":
    sys.exit(main())
