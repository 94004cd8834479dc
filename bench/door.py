"""CPU microseconds an event of the capture door, in this process: no sockets, no disk, nothing that another program
could disturb but the clock.

    python -m bench.door [--rounds 7] [--publish]

One event a request and twenty a request, from the bytes of a connection to a publisher that keeps nothing and back,
each beside a bare FastAPI endpoint with a pydantic model of the same body under uvicorn's own protocol; they take
turns, and the smallest of the rounds counts: what disturbs only adds. With `--publish` also what it costs this process
to publish 500 captures to a real nats-server as one atomic batch.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import orjson
import uvicorn
import uvloop
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from bench.bare_endpoint import bare
from bench.load import WRITE_KEY, an_event
from chassis.bus.broker import Broker
from chassis.clock import wall_clock
from chassis.message import OutMessage
from chassis.metrics import Metrics
from chassis.telemetry import Telemetry
from chassis.web.auth import generate_key_pair
from embedded.up import free_ports
from gateway.capture import CaptureService
from gateway.directory import DirectoryState
from gateway.domain.batch import BatchArrival, read_batch
from gateway.domain.body import parse
from gateway.domain.capture import CaptureSender, CaptureSource
from gateway.domain.keys import hash_of
from gateway.fast_path import CaptureProtocol
from gateway.main import create_service
from gateway.settings import GatewaySettings

EVENTS: Final = 20
PUBLISHED: Final = 500
_REQUESTS: Final = {1: 400, EVENTS: 100}
_SOURCE: Final = CaptureSource("src_bench", name="bench")


class Nowhere:
    """A publisher that keeps nothing."""

    async def publish(self, messages: Sequence[OutMessage]) -> None:
        """Taken."""

    def put(self, messages: Sequence[OutMessage], told: Callable[[Exception | None], None]) -> None:
        """Taken at once."""
        told(None)


class Sources:
    """A directory that knows one source."""

    def __init__(self) -> None:
        self.known = DirectoryState(sources={hash_of(WRITE_KEY): _SOURCE})

    def source_of(self, write_key: str | None) -> CaptureSource:
        """The source of a key, looked up as the real one does it."""
        return self.known.sources[hash_of(write_key or "")]


def the_door() -> ASGIApp:
    """The gateway's application with everything in front of the publisher, its lifespan not begun."""
    private_key, public_key = generate_key_pair()
    settings = GatewaySettings(
        nats_url="nats://127.0.0.1:9",
        database_url="sqlite://",
        token_private_key=private_key,
        token_public_key=public_key,
    )
    app = create_service(settings).app()
    sources = cast(Any, Sources())
    service = CaptureService(sources, Nowhere(), cast(Any, None), wall_clock)
    state = SimpleNamespace(directory=sources, capture=service)
    app.state.runtime = SimpleNamespace(
        service=state, settings=settings, metrics=Metrics("gateway"), telemetry=Telemetry("gateway", 0.0)
    )
    return app


class Wire(asyncio.Transport):
    """A connection that keeps the last thing that was said."""

    def __init__(self) -> None:
        super().__init__()
        self.said = b""

    def write(self, data: Any) -> None:
        self.said += data

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 80) if name in ("sockname", "peername") else default


def connected(app: ASGIApp, http: Any) -> tuple[asyncio.Protocol, Wire]:
    """The server's side of a connection."""
    config = uvicorn.Config(app, http=http, lifespan="off", access_log=False, log_config=None)
    config.load()
    wire = Wire()
    protocol: asyncio.Protocol = config.http_protocol_class(config, ServerState(), {})  # type: ignore[call-arg]
    protocol.connection_made(wire)
    return protocol, wire


def bodies(events: int) -> list[bytes]:
    """Requests of so many events each, no two events alike."""
    if events == 1:
        return [an_event(number) for number in range(64)]
    batches = ([orjson.loads(an_event(EVENTS * number + one)) for one in range(events)] for number in range(64))
    return [orjson.dumps({"batch": batch, "writeKey": WRITE_KEY}) for batch in batches]


async def asked(protocol: asyncio.Protocol, wire: Wire, path: str, sent: Sequence[bytes], times: int) -> float:
    """CPU seconds of `times` requests."""
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    requests = [head % (path.encode(), len(body)) + body for body in sent]
    gc.collect()
    began = time.thread_time()
    for number in range(times):
        wire.said = b""
        protocol.data_received(requests[number % len(requests)])
        while not wire.said.endswith(b"}"):  # noqa: ASYNC110  # an event would cost more than what is measured
            await asyncio.sleep(0)
        if not wire.said.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"{path}: {wire.said!r}")
    return time.thread_time() - began


async def doors(rounds: int) -> None:
    """Both doors, both sizes, in turns."""
    gateway, endpoint = connected(the_door(), CaptureProtocol), connected(bare(), "httptools")
    for events, path in ((1, "/v1/track"), (EVENTS, "/v1/batch")):
        sent, times = bodies(events), _REQUESTS[events]
        taken: dict[str, list[float]] = {"gateway": [], "bare": []}
        for _ in range(rounds):
            for name, connection in (("gateway", gateway), ("bare", endpoint)):
                taken[name].append(await asked(*connection, path, sent, times) / times / events * 1e6)
        ours, theirs = min(taken["gateway"]), min(taken["bare"])
        print(
            f"{events:3} a request: gateway {ours:6.1f} us an event, bare {theirs:6.1f}; bare / gateway"
            f" {theirs / ours:.2f}"
        )


def phases(rounds: int) -> None:
    """What a batch of twenty costs before and in the domain."""
    body = bodies(EVENTS)[0]
    arrival = BatchArrival(_SOURCE, datetime.now(UTC), CaptureSender("127.0.0.1", None))
    _say("parse", rounds, lambda: parse(body))
    _say("parse and read", rounds, lambda: read_batch(parse(body), len(body), arrival))


def _say(name: str, rounds: int, step: Callable[[], object]) -> None:
    taken = []
    for _ in range(rounds):
        began = time.thread_time()
        for _ in range(100):
            step()
        taken.append((time.thread_time() - began) / 100 / EVENTS * 1e6)
    print(f"    {name}: {min(taken):.1f} us an event")


def published(rounds: int) -> None:
    """CPU of this process a capture, in atomic batches of 500 to a real server."""
    port = free_ports(1)[0]
    arrival = BatchArrival(_SOURCE, datetime.now(UTC), CaptureSender("127.0.0.1", None))
    captures = [one for body in bodies(EVENTS)[:25] for one in read_batch(parse(body), len(body), arrival).captures]
    messages = [OutMessage(one.subject(1), one.headers(), one.body) for one in captures][:PUBLISHED]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "nats.conf"
        config.write_text(f'listen: 127.0.0.1:{port}\njetstream {{ store_dir: "{folder}/nats" }}\n')
        server = subprocess.Popen(
            [str(Path(sysconfig.get_path("scripts")) / "nats-server"), "-c", str(config)], stderr=subprocess.DEVNULL
        )
        try:
            uvloop.run(_publish(f"nats://127.0.0.1:{port}", messages, rounds))
        finally:
            server.terminate()
            server.wait(timeout=10)


async def _publish(url: str, messages: Sequence[OutMessage], rounds: int) -> None:
    broker = await Broker.connect(url, "bench")
    await broker.ensure_streams(["CAPTURE"])
    taken = [await _cpu(lambda: broker.publish_batch(messages, whole=True)) for _ in range(rounds)]
    await broker.close()
    print(f"publishing {len(messages)}: {min(taken) / len(messages) * 1e6:.1f} us a capture")


async def _cpu(step: Callable[[], Awaitable[object]]) -> float:
    began = time.process_time()
    await step()
    return time.process_time() - began


def main(words: Sequence[str] | None = None) -> int:
    """Print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.door", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--publish", action="store_true")
    arguments = parser.parse_args(words)
    uvloop.run(doors(arguments.rounds))
    phases(arguments.rounds)
    if arguments.publish:
        published(arguments.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
