"""Looks which webhooks have something to be sent, and has it sent; one that hangs keeps no other waiting.

Every gateway process runs one. Of several on one store each takes a webhook while it has something to send
(`registry.claim`), and says so anew every few seconds: who was killed is followed by another within twenty.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.endings import end_tasks
from chassis.runtime import Runtime
from chassis.store.background import RetryLoop, WakeSignal
from gateway import store
from gateway.domain.webhooks.addresses import Guard
from gateway.domain.webhooks.event_types import subjects_of
from gateway.domain.webhooks.limits import WEBHOOK_WINDOW
from gateway.settings import GatewaySettings
from gateway.webhooks import delivery_log, registry
from gateway.webhooks.delivery_log import Queue
from gateway.webhooks.figures import watched
from gateway.webhooks.guarded_client import GuardedClient
from gateway.webhooks.seal import Seal
from gateway.webhooks.sender import Means, WebhookSender
from gateway.webhooks.stream_reader import Extent, StreamReader
from gateway.webhooks.tables import Purpose, WebhookPlaceRow, WebhookRow

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.5
_CLAIM_SECONDS, _RENEWAL_SECONDS = 20.0, 5.0
_TURN_SECONDS = 130  # four attempts one by one, of thirty seconds at most
_SWEEP_SECONDS = 3_600.0


class Dispatcher:
    """One for each process; `run` looks until `stop`."""

    def __init__(self, means: Means, guard: Guard) -> None:
        self.sender = WebhookSender(means)
        self.reader, self.seal = means.reader, means.seal
        self.guard = guard
        self._means = means
        self._worker = secrets.token_hex(8)
        self._wake_signal = WakeSignal()
        self._loop = RetryLoop(self._wake_signal, "webhooks.delayed")
        self._turns: dict[str, asyncio.Task[None]] = {}
        self._swept_at = means.clock() - timedelta(seconds=_SWEEP_SECONDS)

    def wake(self) -> None:
        """Something was changed that may be worth a look."""
        self._wake_signal.wake()

    async def run(self) -> None:
        """Look, now and again, until stopped."""
        await self._loop.run(self._look)

    async def stop(self) -> None:
        """No more turns; those in hand are broken off, and what they sent without having written so is sent again."""
        await self._loop.stop()
        await end_tasks(*self._turns.values())

    async def _look(self) -> None:
        async with self._means.database.read() as session:
            webhooks = await registry.enabled(session)
            queues = await delivery_log.queues(session)
            places = await registry.places(session)
        await self._sweep()
        if webhooks and self._means.reader.is_connected:
            streams = {stream for webhook in webhooks for stream in subjects_of(webhook.types)}
            extents = await self._means.reader.extents(sorted(streams))
            for webhook in webhooks:
                own = [place for place in places if place.webhook_id == webhook.webhook_id]
                if self._has_work(webhook, queues.get(webhook.webhook_id, Queue()), own, extents):
                    self._begin(webhook.webhook_id)
        await self._wake_signal.rest(_LOOK_SECONDS)

    def _has_work(
        self, webhook: WebhookRow, queue: Queue, places: list[WebhookPlaceRow], extents: Mapping[str, Extent]
    ) -> bool:
        now = self._means.clock()
        is_another_s = webhook.claimed_by != self._worker and (webhook.claimed_until or now) > now
        if webhook.webhook_id in self._turns or is_another_s or (webhook.paused_until or now) > now:
            return False
        if queue.due_at is not None and queue.due_at <= now:
            return True
        if queue.waiting >= WEBHOOK_WINDOW:
            return False
        begun = {place.stream: place.position for place in places if place.purpose == Purpose.LIVE}
        if any(place.purpose == Purpose.REPLAY for place in places):
            return True
        known = extents.keys() & subjects_of(webhook.types).keys()
        return any(begun.get(stream) != extents[stream].last for stream in known)

    def _begin(self, webhook_id: str) -> None:
        task = asyncio.create_task(self._turn(webhook_id), name=f"webhook {webhook_id}")
        self._turns[webhook_id] = task
        task.add_done_callback(lambda _: self._turns.pop(webhook_id, None))

    async def _turn(self, webhook_id: str) -> None:
        renewal: asyncio.Task[None] | None = None
        try:
            if not await self._claimed(webhook_id):
                return
            renewal = asyncio.create_task(self._renew(webhook_id), name=f"webhook {webhook_id}: claim")
            while not renewal.done() and await self._step(webhook_id):
                pass
        except (BrokerUnavailable, ApiRefused, TimeoutError) as error:
            log.info("webhook.delayed", webhook_id=webhook_id, reason=str(error) or "it took too long")
        except Exception as error:  # the store is away, or a mistake of ours: the others go on, and it is tried again
            log.warning("webhook.failed", webhook_id=webhook_id, error=repr(error))
        finally:
            if renewal is not None:
                await end_tasks(renewal)
                await self._release(webhook_id)

    async def _step(self, webhook_id: str) -> bool:
        """Read on and send; answers whether there may be more to do at once."""
        async with asyncio.timeout(_TURN_SECONDS):
            async with self._means.database.read() as session:
                webhook = await store.get(session, WebhookRow, webhook_id)
            now = self._means.clock()
            if webhook is None or not webhook.is_enabled or (webhook.paused_until or now) > now:
                return False
            await self.sender.read_on(webhook)
            return await self.sender.send_due(webhook) > 0

    async def _claimed(self, webhook_id: str) -> bool:
        now = self._means.clock()
        async with self._means.database.begin() as session:
            until = now + timedelta(seconds=_CLAIM_SECONDS)
            return await registry.claim(session, webhook_id, self._worker, now, until)

    async def _renew(self, webhook_id: str) -> None:
        """Ends when the claim is another's; a store that is away is that too."""
        while True:
            await asyncio.sleep(_RENEWAL_SECONDS)
            if not await self._claimed(webhook_id):
                return

    async def _release(self, webhook_id: str) -> None:
        try:
            async with self._means.database.begin() as session:
                await registry.release(session, webhook_id, self._worker)
        except Exception as error:  # it runs out by itself
            log.info("webhook.claimed_longer", webhook_id=webhook_id, reason=repr(error))

    async def _sweep(self) -> None:
        now = self._means.clock()
        if now - self._swept_at < timedelta(seconds=_SWEEP_SECONDS):
            return
        self._swept_at = now
        async with self._means.database.begin() as session:
            await delivery_log.forget_old(session, now)


@asynccontextmanager
async def dispatched(runtime: Runtime, settings: GatewaySettings) -> AsyncIterator[Dispatcher]:
    """Webhooks, sent in the background inside the block."""
    client = GuardedClient(settings.webhook_guard, settings.webhook_timeout_seconds)
    means = Means(
        runtime.database,
        StreamReader(runtime.broker),
        client,
        Seal(settings.webhook_key or settings.token_private_key),
        watched(runtime),
        runtime.clock,
        timedelta(hours=settings.webhook_patience_hours),
    )
    dispatcher = Dispatcher(means, settings.webhook_guard)
    runtime.loops["webhooks"] = task = asyncio.create_task(dispatcher.run(), name="webhooks")
    try:
        yield dispatcher
    finally:
        await dispatcher.stop()
        await end_tasks(task)
        await client.close()
