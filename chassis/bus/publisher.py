"""Publishing: messages become atomic batches or go one by one, and it is over when they are on disk."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from chassis.bus import errors
from chassis.bus.batches import MOST_BYTES, MOST_MESSAGES, by_stream, check_publishable, cut
from chassis.bus.errors import ApiRefused, BatchTorn, BrokerUnavailable
from chassis.bus.replies import Replies, Told
from chassis.bus.wire import QuickClient, frame
from chassis.bus.writability import Writability
from chassis.message import OutMessage

_BATCHES_IN_FLIGHT = 16  # per stream; the server allows 50 from all its clients together
_FEW = 8
"""An atomic batch costs about six flushes, some of them of new files, whatever its size; a message sent alone costs
one. Measured on a busy disk: 3 messages in 0.9 ms alone and in 7 ms as a batch, 20 in 4.4 ms and 8 ms.
"""


class Publisher:
    """Of one connection.

    Each stream has so many batches under way at most; what comes of them tells whether it takes writes.
    """

    def __init__(
        self, name: str, client: QuickClient, replies: Replies, writability: Writability, answer_seconds: float
    ) -> None:
        self._name = name
        self._client = client
        self._replies = replies
        self._writability = writability
        self._answer_seconds = answer_seconds
        self._batch_ids = (
            f"{prefix}{number}" for prefix in (secrets.token_urlsafe(6),) for number in itertools.count()
        )
        self._slots: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_BATCHES_IN_FLIGHT))
        self._publishing: set[asyncio.Task[None]] = set()

    async def publish(self, messages: Sequence[OutMessage], *, whole: bool = False, size: int | None = None) -> None:
        """Returns when all of `messages` are on disk; in order within each stream.

        Each run of up to 500 messages of one stream is one atomic batch: stored whole or not at all. A handful is sent
        one by one instead, which costs less, unless they must be `whole`; of these the first few may be stored when it
        fails. Raises BrokerUnavailable when it is not known that all are stored (publish them all again; in smaller
        batches when it is BatchTorn), PublishRefused for a message that can never be: of those sent one by one the
        others may be stored then. Who has checked them already (`check_publishable`) says so by their `size` in all.
        """
        if size is None:
            size = sum([check_publishable(message, self._client.max_payload) for message in messages])
        streams = by_stream(messages)
        few = 1 if whole else _FEW
        if len(streams) == 1:
            await self._publish_in_order(*next(iter(streams.items())), few, size)
            return
        outcomes = await asyncio.gather(
            *(self._publish_in_order(*stream, few, size) for stream in streams.items()), return_exceptions=True
        )
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    def put(self, messages: Sequence[OutMessage], told: Told, *, size: int, whole: bool = False) -> None:
        """As `publish` with what was checked, without a task that waits: `told` is called with what that would raise,
        or with None. Not before this returns; then the messages are on their way, behind those that were put before.

        Raises BrokerUnavailable when nothing was sent. How many batches are under way is for the caller to bound. What
        one batch does not hold is published by a task after all.
        """
        streams = by_stream(messages)
        if len(streams) > 1 or len(messages) > MOST_MESSAGES or size > MOST_BYTES:
            task = asyncio.create_task(
                self._publish_and_tell(messages, told, size, whole), name=f"{self._name}: batches"
            )
            self._publishing.add(task)
            task.add_done_callback(self._publishing.discard)
            return
        ((stream, run),) = streams.items()
        self._writability.check(stream)
        ahead, asked = ([], run) if len(run) <= (1 if whole else _FEW) else self._staged(run)
        self._replies.put(asked, partial(self._hear, stream, told), within=self._answer_seconds, ahead=ahead)

    def _hear(self, stream: str, told: Told, failure: Exception | None) -> None:
        if isinstance(failure, ApiRefused):
            failure = errors.told(stream, failure)
        self._judge(stream, failure)
        told(failure)

    async def _publish_and_tell(self, messages: Sequence[OutMessage], told: Told, size: int, whole: bool) -> None:
        failure: Exception | None = None
        try:
            await self.publish(messages, whole=whole, size=size)
        except Exception as error:  # whatever it was: told, as from the connection
            failure = error
        told(failure)

    async def _publish_in_order(self, stream: str, messages: Sequence[OutMessage], few: int, size: int) -> None:
        # one run after the other: if the first failed and the second did not, the
        # publisher's retry would turn their order round
        for run in cut(messages, size):
            async with self._slots[stream]:
                self._writability.check(stream)
                try:
                    await self._publish_run(stream, run, few)
                except BrokerUnavailable as error:
                    self._judge(stream, error)
                    raise
                self._judge(stream, None)

    def _judge(self, stream: str, failure: Exception | None) -> None:
        """What came of a write tells of its stream."""
        if failure is None:
            self._writability.stored(stream)
        elif (
            isinstance(failure, BrokerUnavailable) and self._client.is_connected and not isinstance(failure, BatchTorn)
        ):
            self._writability.failed(stream, str(failure))  # torn: a bad message, rarely the stream

    async def _publish_run(self, stream: str, run: Sequence[OutMessage], few: int) -> None:
        try:
            if len(run) <= few:
                await self._replies.ask_all(run, within=self._answer_seconds)
            else:
                await self._publish_atomic(run)
        except ApiRefused as refusal:
            raise errors.told(stream, refusal) from refusal

    async def _publish_atomic(self, run: Sequence[OutMessage]) -> None:
        ahead, (last,) = self._staged(run)
        await self._replies.commit(ahead, last, within=self._answer_seconds)

    def _staged(self, run: Sequence[OutMessage]) -> tuple[list[bytes], list[OutMessage]]:
        """(the frames of an atomic batch that nobody answers, the message that completes it)."""
        batch_id = next(self._batch_ids)
        of_batch = f"Nats-Batch-Id: {batch_id}\r\nNats-Batch-Sequence: "
        ahead = [frame(message, more=f"{of_batch}{number}\r\n") for number, message in enumerate(run[:-1], start=1)]
        headers = {
            **run[-1].headers,
            "Nats-Batch-Id": batch_id,
            "Nats-Batch-Sequence": str(len(run)),
            "Nats-Batch-Commit": "1",
        }
        return ahead, [run[-1]._replace(headers=headers)]
