"""Watching a source live: what it captures and what is refused, at this and every other
replica, by core NATS while somebody watches.

A connection of its own: a watcher that reads slowly must not hold up the one that captures are published on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from chassis.bus.wire import credentials
from contracts.events.gateway import InteractionReceived
from contracts.values import Interaction
from gateway.rejects import SUBJECT
from semantics.robots import robot_in

_MOST_WAITING = 1_000
_KEEP_ALIVE_SECONDS = 15.0


class LiveTails:
    """Opens tails on one connection, made for the first watcher and closed after the last."""

    def __init__(self, nats_url: str) -> None:
        self._url = nats_url
        self._client: Client | None = None
        self._watchers = 0
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def watching(self, source_id: str) -> AsyncIterator[LiveTail]:
        """A tail of one source."""
        client = await self._enter()
        tail = LiveTail(source_id)
        captures = await client.subscribe(f"{InteractionReceived.owner}.>", cb=tail.on_capture)
        rejects = await client.subscribe(f"{SUBJECT}.{source_id}", cb=tail.on_reject)
        try:
            await client.flush()
            yield tail
        finally:
            if client.is_connected:
                await captures.unsubscribe()
                await rejects.unsubscribe()
            await self._leave()

    async def _enter(self) -> Client:
        async with self._turn:
            if self._client is None:
                self._client = await nats.connect(
                    self._url,
                    name="gateway tail",
                    inbox_prefix="_INBOX_gateway",
                    max_reconnect_attempts=-1,
                    **credentials(self._url),
                )
            self._watchers += 1
            return self._client

    async def _leave(self) -> None:
        async with self._turn:
            self._watchers -= 1
            if self._watchers == 0 and self._client is not None:
                client, self._client = self._client, None
                await client.close()


class LiveTail:
    """What one watcher has not read yet. A watcher that is too slow misses the oldest, and is told how many."""

    def __init__(self, source_id: str) -> None:
        self._mark = f'"source_id":"{source_id}"'.encode()
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(_MOST_WAITING)
        self._missed = 0

    async def on_capture(self, message: Msg) -> None:
        """A capture of any source was published."""
        if self._mark in message.data:
            self._put(_event("capture", _as_judged(message.data)))

    async def on_reject(self, message: Msg) -> None:
        """Something of this source was refused."""
        self._put(_event("reject", message.data))

    async def events(self) -> AsyncIterator[bytes]:
        """Server-sent events for ever; a comment now and then tells proxies that the line is alive."""
        yield b": watching\n"  # without an empty line, which some clients take for the end of an event
        while True:
            try:
                event = await asyncio.wait_for(self._waiting.get(), _KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield b": still here\n"
                continue
            if self._missed:
                missed, self._missed = self._missed, 0
                yield _event("missed", orjson.dumps({"count": missed}))
            yield event

    def _put(self, event: bytes) -> None:
        if self._waiting.full():
            self._waiting.get_nowait()
            self._missed += 1
        self._waiting.put_nowait(event)


def _as_judged(body: bytes) -> bytes:
    """A capture; of what a robot did also that it is withheld, and why."""
    capture = orjson.loads(body)
    found = robot_in(Interaction.model_validate(capture["interaction"]))
    return body if found is None else orjson.dumps({**capture, "withheld": found._asdict()})


def _event(name: str, data: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)
