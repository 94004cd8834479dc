"""A load of captures on one endpoint: many connections that ask again as soon as they were answered."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import cast

import orjson

WRITE_KEY = "wk_bench_key"
ID_LENGTH = 20
_BATCH_OPENS, _BATCH_CLOSES = b'{"writeKey":"%b","batch":[' % WRITE_KEY.encode(), b"]}"
_READY_SECONDS = 30.0


@dataclass(frozen=True)
class LoadResult:
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
    context = {
        "page": page,
        "userAgent": agent,
        "locale": "en-US",
        "library": library,
        "campaign": campaign,
        "timezone": "UTC",
    }
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    return orjson.dumps(
        {
            "timestamp": now, "integrations": {"Segment.io": True}, "event": "Form Submitted", "type": "track",
            "properties": {"formId": "demo-request", "revenue": 19.99}, "context": context,
            "messageId": f"bench-{number}",
            "userId": f"u-{number % 5000}", "anonymousId": f"80244179-3ef2-4932-996f-{number % 5000:012}",
            "writeKey": WRITE_KEY, "sentAt": now,
            "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
        }
    )  # fmt: skip


class AskingConnection(asyncio.Protocol):
    """One connection that asks as soon as it was answered.

    Answers are JSON objects: the brace at its end completes one.
    """

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
        # ids have one length, so one head serves all
        size = events * (len(self._before) + ID_LENGTH + len(self._after))
        around = len(_BATCH_OPENS) + events - 1 + len(_BATCH_CLOSES) if events > 1 else 0
        path = b"/v1/batch" if events > 1 else b"/v1/track"
        self._head = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
            path,
            size + around,
        )

    def request(self) -> bytes:
        said = [
            self._before + b"bench-%0*d" % (ID_LENGTH - 6, next(self._numbers)) + self._after
            for _ in range(self._events)
        ]
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


async def load(port: int, seconds: float, connections: int, first: int, events: int = 1) -> LoadResult:
    """Load one endpoint. Answers are counted, each for `events`."""
    asked = Load(seconds, connections, first, events)
    began = time.perf_counter()
    for _ in range(connections):
        await asyncio.get_running_loop().create_connection(lambda: AskingConnection(asked), "127.0.0.1", port)
    async with asyncio.timeout(seconds + _READY_SECONDS):
        await asked.done
    return LoadResult(
        events * len(asked.latencies), asked.refused, time.perf_counter() - began, sorted(asked.latencies)
    )
