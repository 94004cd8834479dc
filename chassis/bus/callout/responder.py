"""Hears the server's questions and answers each of them, once and in time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from chassis.bus.callout.claims import Grant, Issuer, Question, Unreadable, granting, read_question, refusing
from chassis.bus.wire import credentials
from chassis.clock import wall_clock

log = structlog.get_logger(__name__)

Decide = Callable[[str, str], Awaitable[Grant | None]]

SUBJECT = "$SYS.REQ.USER.AUTH"
QUEUE = "callout"
"""Replicas share the questions: each goes to one of them."""

_DECIDING_SECONDS = 1.5  # the server gives up after two, unless it is told otherwise
_AT_ONCE = 32
_WAITING = 512  # who comes on top of these is dropped, and refused by the server's own time-out
_LONGEST_NAME, _LONGEST_PASSWORD = 128, 512
_OPTIONS: dict[str, Any] = {
    "max_reconnect_attempts": -1,
    "reconnect_time_wait": 0.25,
    "ping_interval": 20,
    "max_outstanding_pings": 2,
    "drain_timeout": 5,
}


class AuthCallout:
    """`decide(user, password)` says what a stranger may do in `account`, or None for nothing.

    Use as an async context manager.

    It has a connection of its own: the subject is secret, and `url` is that of the one user who may hear it. Raises
    ValueError for a bad seed. What `decide` raises, or does not say within `deciding_seconds`, is a refusal.
    """

    def __init__(
        self, url: str, issuer_seed: str, decide: Decide, *, account: str, deciding_seconds: float = _DECIDING_SECONDS
    ) -> None:
        self._url = url
        self._issuer = Issuer(issuer_seed)
        self._decide = decide
        self._account = account
        self._deciding_seconds = deciding_seconds
        self._client = Client()
        self._subscription: Subscription | None = None
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._answering: set[asyncio.Task[None]] = set()

    @property
    def is_ready(self) -> bool:
        """There is a connection, so questions arrive."""
        return self._client.is_connected

    async def start(self) -> None:
        """Begin to answer; waits for a server that is not there yet, and comes back to one that went away."""
        await self._client.connect(
            self._url,
            name="auth callout",
            error_cb=self._on_error,
            reconnected_cb=self._on_reconnected,
            **credentials(self._url),
            **_OPTIONS,
        )
        self._subscription = await self._client.subscribe(
            SUBJECT, queue=QUEUE, cb=self._arrived, pending_msgs_limit=_WAITING
        )
        await self._client.flush()

    async def stop(self) -> None:
        """Answer what has arrived, then hang up. Safe to call twice, and without a server."""
        with contextlib.suppress(NatsError, TimeoutError, OSError):
            if self._client.is_connected and self._subscription is not None:
                await self._subscription.drain()  # type: ignore[no-untyped-call]
            await asyncio.gather(*self._answering)
            if self._client.is_connected:
                await self._client.drain()
        if not self._client.is_closed:
            await self._client.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _arrived(self, message: Msg) -> None:
        await self._slots.acquire()
        task = asyncio.create_task(self._attend(message), name="auth callout: answer")
        self._answering.add(task)
        task.add_done_callback(self._attended)

    def _attended(self, task: asyncio.Task[None]) -> None:
        self._answering.discard(task)
        self._slots.release()

    async def _attend(self, message: Msg) -> None:
        try:
            question = read_question(message.data)
        except Unreadable as error:
            log.warning("callout.unreadable", reason=str(error))  # it names nobody who could be answered
            return
        answer = await self._answer(question)
        try:
            await self._client.publish(message.reply, answer.encode())
        except NatsError as error:
            log.warning("callout.unanswered", error=type(error).__name__)

    async def _answer(self, question: Question) -> str:
        outcome = await self._outcome(question)
        now = int(wall_clock().timestamp())
        if isinstance(outcome, Grant):
            log.info("callout.granted", user=outcome.name, host=question.host)
            return granting(question, outcome, self._issuer, self._account, now)
        log.info("callout.refused", reason=outcome, host=question.host)  # not the user: people type passwords there
        return refusing(question, outcome, self._issuer, now)

    async def _outcome(self, question: Question) -> Grant | str:
        if question.issuer != self._issuer.public_key:
            log.error("callout.misconfigured", expected=question.issuer, have=self._issuer.public_key)
            return "this service holds another key than the server expects"
        if not 0 < len(question.user) <= _LONGEST_NAME or not 0 < len(question.password) <= _LONGEST_PASSWORD:
            return "user and password are needed"
        try:
            async with asyncio.timeout(self._deciding_seconds):
                grant = await self._decide(question.user, question.password)
        except TimeoutError:
            log.error("callout.failed", error="TimeoutError")
            return "it was not decided in time"
        except Exception as error:  # its text could quote what was decided on: the password
            log.error("callout.failed", error=type(error).__name__)
            return "it could not be decided"
        return grant or "unknown user or wrong password"

    async def _on_error(self, error: Exception) -> None:
        log.warning("callout.disturbed", error=repr(error))

    async def _on_reconnected(self) -> None:
        log.info("callout.reconnected")
