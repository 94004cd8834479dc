"""What gateway processes of one installation tell each other, by core NATS: that a key, source or form changed, and the
last requests that each remembers.

While NATS is away each knows what it reads from the store itself, within `GATEWAY_REFRESH_SECONDS`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

import orjson
import structlog

from chassis.bus.broker import Broker
from chassis.endings import end_tasks
from gateway.directory import Directory
from gateway.request_log import LoggedRequest, RequestLog

log = structlog.get_logger()

SUBJECT: Final = "gateway.told"
_PATIENCE_SECONDS: Final = 0.3  # for all others together: they answer from memory
_MOST_ANSWERS: Final = 64


class Peers:
    """This process among those that share its store."""

    def __init__(self, broker: Broker, directory: Directory, requests: RequestLog) -> None:
        self._broker = broker
        self._directory = directory
        self._requests = requests
        self._name = secrets.token_hex(8)
        self._questions: dict[str, list[list[Any]]] = {}

    async def tell_changed(self) -> None:
        """Let all others read keys, sources and forms anew, at once."""
        await self._broker.send(f"{SUBJECT}.changed.{self._name}")

    async def requests_of(self, owner: str) -> tuple[list[LoggedRequest], int]:
        """The last requests of a key or source at all processes that answer, newest first, and how many these were,
        this one among them.
        """
        question = secrets.token_hex(8)
        answers = self._questions[question] = []
        try:
            if await self._broker.send(f"{SUBJECT}.asked.{self._name}.{question}", owner.encode()):
                await asyncio.sleep(_PATIENCE_SECONDS)
        finally:
            del self._questions[question]
        theirs = [LoggedRequest(*_read(one)) for answer in answers for one in answer]
        found = sorted([*self._requests.of(owner), *theirs], key=lambda one: one.at, reverse=True)
        return found, len(answers) + 1

    async def listen(self) -> None:
        """Hear the others, as soon as NATS is there; subscriptions outlive its restarts."""
        await self._broker.connected()
        await self._broker.hear(f"{SUBJECT}.changed.*", self._on_changed)
        await self._broker.hear(f"{SUBJECT}.asked.*.*", self._on_asked)
        await self._broker.hear(f"{SUBJECT}.answered.{self._name}.*", self._on_answered)

    async def _on_changed(self, subject: str, _body: bytes) -> None:
        if subject.rpartition(".")[2] == self._name:
            return
        try:
            await self._directory.refresh()
        except Exception as error:  # the next round of its own reads it
            log.warning("directory.stale", reason=type(error).__name__)

    async def _on_asked(self, subject: str, body: bytes) -> None:
        asker, _, question = subject.removeprefix(f"{SUBJECT}.asked.").partition(".")
        if asker != self._name:
            remembered = [list(one) for one in self._requests.of(body.decode())]
            await self._broker.send(f"{SUBJECT}.answered.{asker}.{question}", orjson.dumps(remembered))

    async def _on_answered(self, subject: str, body: bytes) -> None:
        answers = self._questions.get(subject.rpartition(".")[2])
        if answers is not None and len(answers) < _MOST_ANSWERS:
            answers.append(orjson.loads(body))


@asynccontextmanager
async def among(peers: Peers) -> AsyncIterator[Peers]:
    """`peers`, which hears the others inside the block."""
    task = asyncio.create_task(peers.listen(), name="other gateway processes")
    try:
        yield peers
    finally:
        await end_tasks(task)


def _read(told: list[Any]) -> list[Any]:
    return [datetime.fromisoformat(told[0]), *told[1:]]
