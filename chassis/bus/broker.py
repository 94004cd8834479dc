"""The connection to NATS: publishing that returns when it is on disk, the streams, and whether all is well."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import orjson
import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.bus.protocol import Take
from chassis.bus.publisher import Publisher
from chassis.bus.replies import Replies, Told
from chassis.bus.streams import KEPT_DAYS, stream_config
from chassis.bus.wire import QuickClient, credentials, frame, signals
from chassis.bus.writability import Writability
from chassis.endings import end_tasks
from chassis.message import OutMessage

log = structlog.get_logger(__name__)

Listener = Callable[[], Awaitable[None]]

_ANSWER_SECONDS = 5.0
_READY_PERIOD_SECONDS = 1.0
_STREAM_EXISTS_DIFFERENTLY = 10058

_OPTIONS: dict[str, Any] = {
    "max_reconnect_attempts": -1,  # the default gives up for good after 60
    "reconnect_time_wait": 0.25,
    "ping_interval": 20,  # a half-open connection is found after a minute, not after four
    "max_outstanding_pings": 2,
    "pending_size": 32 * 1024 * 1024,
    "flush_timeout": _ANSWER_SECONDS,
    "drain_timeout": 10,
}


class Broker:
    """One connection, shared by a process. Made by `connect` or `open`, ended by `close`.

    `obstacle` is what else keeps it from being ready; whoever has more to do than to connect says so there.
    """

    def __init__(
        self, name: str, answer_seconds: float = _ANSWER_SECONDS, writes: Sequence[str] = (), replicas: int = 1
    ) -> None:
        self._name = name
        self._answer_seconds = answer_seconds
        self._client = QuickClient()
        self._replies = Replies(self._client)
        self._writability = Writability(self._replies, writes, replicas)
        self._publisher = Publisher(name, self._client, self._replies, self._writability, answer_seconds)
        self._has_begun = False
        self._connecting: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._reconnected: list[Listener] = []
        self._silence = "it was not asked yet"  # why JetStream does not answer; empty when it does
        self._last_failure = ""
        self.obstacle = ""
        self.account: Mapping[str, Any] = {}
        """What JetStream said last of the account: `storage` used, `limits`."""

    @classmethod
    async def connect(
        cls,
        url: str,
        name: str,
        *,
        inbox_prefix: str = "_INBOX",
        answer_seconds: float = _ANSWER_SECONDS,
        writes: Sequence[str] = (),
    ) -> Self:
        """Connect to `url` (may carry user and password), trying until the server is there.

        What takes longer than `answer_seconds` has failed.

        `writes` are the streams that it is ready for only when they take writes.
        """
        broker = cls(name, answer_seconds, writes)
        await broker._connect(url, inbox_prefix)
        return broker

    @classmethod
    def open(
        cls, url: str, name: str, *, inbox_prefix: str = "_INBOX", writes: Sequence[str] = (), replicas: int = 1
    ) -> Self:
        """As `connect`, in the background: until the server is there, everything that needs it raises
        BrokerUnavailable.
        """
        broker = cls(name, writes=writes, replicas=replicas)
        broker._connecting = asyncio.create_task(broker._connect(url, inbox_prefix), name=f"{name}: connect")
        return broker

    async def connected(self) -> None:
        """Returns once the first connection was made."""
        if self._connecting is not None:
            await asyncio.shield(self._connecting)

    async def close(self) -> None:
        """Send what is buffered, then hang up. Safe to call twice, and without a server."""
        await end_tasks(*(task for task in (self._connecting, self._watch) if task is not None))
        self._silence = "the connection was closed"
        if self._client.is_connected:
            with contextlib.suppress(NatsError, TimeoutError, OSError):
                await self._client.drain()
        if self._has_begun and not self._client.is_closed:
            await self._client.close()

    @property
    def is_ready(self) -> bool:
        """Connected, JetStream answered within the last moments, and the streams that are written here take writes."""
        return not self.why_not_ready

    @property
    def why_not_ready(self) -> str:
        """What keeps it from being ready, in plain words; empty when it is."""
        if not self._client.is_connected:
            return "not connected to NATS"
        if self._silence:
            return f"JetStream does not answer: {self._silence}"
        return self.obstacle or self._writability.why_not

    @property
    def is_connected(self) -> bool:
        """There is a connection; JetStream may yet be starting."""
        return self._client.is_connected

    @property
    def max_payload(self) -> int:
        """The largest message the server takes, in bytes, headers included."""
        return self._client.max_payload

    def when_reconnected(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after each reconnect. Gives back what takes it off the list again."""
        self._reconnected.append(listener)
        return lambda: self._reconnected.remove(listener)

    async def publish_batch(
        self, messages: Sequence[OutMessage], *, whole: bool = False, size: int | None = None
    ) -> None:
        """Returns when all of `messages` are on disk; in order within each stream (`Publisher.publish`)."""
        await self._publisher.publish(messages, whole=whole, size=size)

    def put_batch(self, messages: Sequence[OutMessage], told: Told, *, size: int, whole: bool = False) -> None:
        """As `publish_batch` with what was checked, without a task that waits (`Publisher.put`)."""
        self._publisher.put(messages, told, size=size, whole=whole)

    async def request(
        self, subject: str, body: Mapping[str, Any] | None = None, *, within: float | None = None
    ) -> dict[str, Any]:
        """Ask the JetStream API: `subject` without its `$JS.API.`. Raises BrokerUnavailable or ApiRefused."""
        return await self._replies.ask(
            f"$JS.API.{subject}", orjson.dumps(body) if body else b"", within=within or self._answer_seconds
        )

    async def send(self, subject: str, body: bytes = b"", reply: str = "") -> bool:
        """Fire and forget; false when it could not be sent."""
        return await self._send([frame(OutMessage(subject, {}, body), reply)])

    async def signal(self, subjects: Iterable[str], word: bytes) -> bool:
        """Say `word` (an acknowledgement, a heartbeat) to each of `subjects`, in one write; false when it could not be
        sent.
        """
        return await self._send(signals(subjects, word))

    async def _send(self, frames: Sequence[bytes]) -> bool:
        if not self._client.is_connected:
            return False
        try:
            await self._client.send(frames)
        except NatsError:
            return False
        return True

    async def confirm(self, subject: str, body: bytes, *, within: float | None = None) -> bytes:
        """Send and wait until the server has taken note; answers what it said. Raises BrokerUnavailable."""
        (answer,) = await self._replies.answers([OutMessage(subject, {}, body)], within=within or self._answer_seconds)
        return answer.body

    async def listen(self, take: Take, where: str = "*") -> tuple[str, Subscription]:
        """A new inbox: `take` is called with what arrives on `<prefix>.<where>`, and for it, while it is being read.

        Gives back the prefix and the subscription.
        """
        prefix = self._client.new_inbox()
        return prefix, await self._client.hear(f"{prefix}.{where}", take)

    async def hear(self, subject: str, heard: Callable[[str, bytes], Awaitable[None]]) -> Subscription:
        """`heard` is called with the subject and body of what anybody says there, one after the other, in a task."""

        async def tell(message: Msg) -> None:
            await heard(message.subject, message.data)

        return await self._client.subscribe(subject, cb=tell)

    async def ensure_streams(
        self, names: Sequence[str], *, replicas: int = 1, kept_days: Mapping[str, int] = KEPT_DAYS
    ) -> None:
        """Create the streams `names`, or bring them to the present configuration.

        Raises BrokerUnavailable or ApiRefused.
        """
        for name in names:
            config = stream_config(name, replicas, kept_days)
            try:
                await self.request(f"STREAM.CREATE.{name}", config)
            except ApiRefused as refusal:
                if refusal.code != _STREAM_EXISTS_DIFFERENTLY:
                    raise
                await self.request(f"STREAM.UPDATE.{name}", config)
        self._writability.suspected.set()  # whether they take writes is worth a look now, not when it is time

    async def _connect(self, url: str, inbox_prefix: str) -> None:
        self._has_begun = True
        await self._client.connect(
            url,
            name=self._name,
            inbox_prefix=inbox_prefix,
            error_cb=self._on_error,
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
            **credentials(url),
            **_OPTIONS,
        )
        self._last_failure = ""
        await self._replies.start()
        self._watch = asyncio.create_task(self._watch_readiness(), name=f"{self._name}: broker readiness")

    async def _watch_readiness(self) -> None:
        while True:
            self._writability.suspected.clear()
            try:
                self.account = await self.request("INFO", within=_READY_PERIOD_SECONDS)
                self._silence = ""
                await self._writability.look()
            except (BrokerUnavailable, ApiRefused) as error:
                if not self._silence:
                    log.warning("broker.unready", broker=self._name, reason=str(error))
                self._silence = str(error)
            is_starting = bool(self._silence) or not self._writability.is_settled
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_READY_PERIOD_SECONDS / 5 if is_starting else _READY_PERIOD_SECONDS):
                    await self._writability.suspected.wait()

    async def _on_error(self, error: Exception) -> None:
        if repr(error) != self._last_failure:  # a server that is away is tried four times a second
            self._last_failure = repr(error)
            log.warning("broker.failed", broker=self._name, error=self._last_failure)

    async def _on_disconnected(self) -> None:
        self._silence = "the connection to NATS was lost"
        self._replies.fail_all()

    async def _on_reconnected(self) -> None:
        log.info("broker.reconnected", broker=self._name)
        self._last_failure = ""
        self._writability.suspected.set()
        for listener in tuple(self._reconnected):
            try:
                await listener()
            except Exception as error:  # one listener's mistake may not stop the client's own reconnecting
                log.error("broker.listener_failed", broker=self._name, error=repr(error))
