"""Captures a second of the gateway (on disk, sync always) against a bare FastAPI endpoint with a pydantic model of the
same event, in one run.

    python -m bench.capture [--seconds 3] [--rounds 3] [--connections 64] [--events 20]

Loopback only, everything of its own in a temporary directory. The two are loaded in turns, so that a
busy machine is unfair to both alike; the middle round counts. Each answer is checked; the gateway's
captures are counted on the stream afterwards.
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
from pathlib import Path

import nats
import uvicorn
import uvloop

from bench.bare_endpoint import bare
from bench.load import _READY_SECONDS, WRITE_KEY, LoadResult, load
from bench.processes import cpu_seconds
from chassis.web.auth import generate_key_pair
from embedded.up import free_ports

TARGET = 0.60


@contextmanager
def running(command: list[str], environment: dict[str, str] | None = None) -> Iterator[int]:
    """A process for the length of the block; gives its id."""
    process = subprocess.Popen(
        command, env=os.environ | (environment or {}), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
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
        config.write_text(
            f'listen: 127.0.0.1:{ports["nats"]}\njetstream {{ store_dir: "{folder}/nats", sync_interval: always }}\n'
        )
        environment = {
            "GATEWAY_PORT": str(ports["gateway"]), "GATEWAY_NATS_URL": nats_url,
            "GATEWAY_DATABASE_URL": f"sqlite:///{folder}/gateway.db",
            "GATEWAY_TOKEN_PRIVATE_KEY": private_key, "GATEWAY_TOKEN_PUBLIC_KEY": public_key,
            "GATEWAY_BOOTSTRAP_WRITE_KEY": WRITE_KEY,
            "GATEWAY_EVENTS_A_MINUTE": "100000000",  # counted as ever, and never refused
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


def take_turns(arguments: argparse.Namespace, ports: dict[str, int]) -> dict[str, list[LoadResult]]:
    results: dict[str, list[LoadResult]] = {"bare": [], "gateway": []}
    first = 0
    for _ in range(arguments.rounds):
        for name, taken in results.items():
            taken.append(
                uvloop.run(load(ports[name], arguments.seconds, arguments.connections, first, arguments.events))
            )
            first += 10**7
    return results


def sync_milliseconds(folder: Path) -> float:
    """The median of what it takes to append 700 bytes and sync them: durable captures cannot be faster than their
    disk.
    """
    taken = []
    with (folder / "synced").open("ab") as file:
        for _ in range(50):
            file.write(b"x" * 700)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def report(results: dict[str, list[LoadResult]], spent: dict[str, float], on_stream: int) -> int:
    cpu = {}
    for name, taken in results.items():
        middle = sorted(taken, key=lambda result: result.rate)[len(taken) // 2]
        cpu[name] = spent[name] / max(sum(result.answered for result in taken), 1) * 1e6
        rates = ", ".join(f"{result.rate:,.0f}" for result in taken)
        quantiles = f"p50 {middle.quantile(0.5):5.1f} ms  p99 {middle.quantile(0.99):6.1f} ms"
        print(f"{name:8} {middle.rate:8,.0f}/s  {quantiles}  CPU {cpu[name]:4.0f} us each  (rounds: {rates})")
    ratio = statistics.median(one.rate for one in results["gateway"]) / statistics.median(
        one.rate for one in results["bare"]
    )
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
        uvicorn.run(
            bare(),
            host="127.0.0.1",
            port=arguments.serve_bare,
            loop="uvloop",
            http="httptools",
            access_log=False,
            log_level="warning",
        )
        return 0
    return compare(arguments)


if __name__ == "__main__":
    sys.exit(main())
