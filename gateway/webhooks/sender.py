"""Sends what one webhook is owed: reads on in the streams, sends what is due, writes what came of it.

Nothing is sent from a queue of bodies: rows say which event of which stream waits, and the event is read when it is
sent. Place and rows move in one transaction, so a process that is killed loses nothing, and what it had sent without
having written so is sent again under the same id.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog

from chassis.bus.errors import ApiRefused, BrokerUnavailable
from chassis.message import Received
from chassis.store.database import Database
from gateway.domain.webhooks.backoff import Reception, is_given_up, next_attempt, verdict_of, wish_of
from gateway.domain.webhooks.event_types import subjects_of
from gateway.domain.webhooks.limits import WEBHOOK_WINDOW
from gateway.domain.webhooks.payload import CONTENT_TYPE, payload_of
from gateway.domain.webhooks.signature import KeptSecret, in_force, signed_headers
from gateway.webhooks import delivery_log, registry
from gateway.webhooks.delivery_log import Result
from gateway.webhooks.figures import WebhookFigures
from gateway.webhooks.guarded_client import GuardedClient, WebhookAnswer
from gateway.webhooks.registry import Advance
from gateway.webhooks.seal import Seal, SecretUnreadable
from gateway.webhooks.stream_reader import Extent, StreamReader, Wanted
from gateway.webhooks.tables import DeliveryState, Purpose, WebhookDeliveryRow, WebhookPlaceRow, WebhookRow

log = structlog.get_logger(__name__)

PARALLEL = 4
"""Events that are sent to one receiver at once; one while it fails, so that a receiver that hangs ties up little."""
_BATCH, _BATCH_WHILE_FAILING = 8, 4
_SKEW = timedelta(seconds=60)  # clocks of the gateway and of NATS may differ by so much


@dataclass(frozen=True, slots=True)
class Means:
    """What sending takes."""

    database: Database
    reader: StreamReader
    client: GuardedClient
    seal: Seal
    figures: WebhookFigures
    clock: Callable[[], datetime]
    patience: timedelta
    dice: Callable[[], float] = random.random


class AttemptOutcome(NamedTuple):
    """One delivery, and what came of its attempt."""

    row: WebhookDeliveryRow
    exchange: WebhookAnswer
    is_final: bool = False  # no other attempt would help


class WebhookSender:
    """For one webhook after the other, or several at once: it holds nothing between its turns."""

    def __init__(self, means: Means) -> None:
        self._means = means

    async def read_on(self, webhook: WebhookRow) -> None:
        """Take events of the streams that it has not seen, as far as the window has room."""
        means, subjects = self._means, subjects_of(webhook.types)
        extents = await means.reader.extents(sorted(subjects))
        async with means.database.read() as session:
            places = await registry.places(session, webhook.webhook_id)
            room = WEBHOOK_WINDOW - await delivery_log.waiting(session, webhook.webhook_id)
        begun = {place.stream for place in places if place.purpose == Purpose.LIVE}
        for stream in sorted(extents.keys() - begun):
            await self._begin(webhook, stream, extents[stream])
        ahead = [place for place in places if place.stream in extents and _is_behind(place, extents[place.stream])]
        for place in sorted(ahead, key=lambda one: one.purpose) if room > 0 else ():  # what is new first
            share = max(1, room // len(ahead))  # a stream that is full leaves the others their part
            await self._read(place, subjects[place.stream], extents[place.stream], share)

    async def send_due(self, webhook: WebhookRow) -> int:
        """Send what is due, a few; answers how many attempts were made."""
        now = self._means.clock()
        async with self._means.database.read() as session:
            most = _BATCH if webhook.failing_since is None else _BATCH_WHILE_FAILING
            rows = await delivery_log.due(session, webhook.webhook_id, now, most)
        if not rows:
            return 0
        try:
            secrets = self.secrets_of(webhook, now)
        except SecretUnreadable as error:
            await self._switch_off(webhook, f"Its secret cannot be read: {error}")
            return 0
        turns = asyncio.Semaphore(1 if webhook.failing_since is not None else PARALLEL)

        async def in_turn(row: WebhookDeliveryRow) -> AttemptOutcome | None:
            async with turns:
                return await self._send(webhook, row, secrets)

        outcomes = [outcome for outcome in await asyncio.gather(*map(in_turn, rows)) if outcome is not None]
        if outcomes:
            await self._settle(webhook, outcomes)
        return len(outcomes)

    def secrets_of(self, webhook: WebhookRow, now: datetime) -> list[str]:
        """Those it is signed with now. Raises SecretUnreadable when none of them can be read."""
        readable, unreadable = [], SecretUnreadable("it has none")
        for one in in_force([KeptSecret.of_row(row) for row in webhook.secrets], now):
            try:
                readable.append(self._means.seal.open(one.sealed, webhook.webhook_id))
            except SecretUnreadable as error:
                unreadable = error
        if not readable:
            raise unreadable
        return readable

    async def _begin(self, webhook: WebhookRow, stream: str, extent: Extent) -> None:
        place = WebhookPlaceRow(
            webhook_id=webhook.webhook_id,
            stream=stream,
            purpose=Purpose.LIVE.value,
            position=await self._means.reader.before(stream, extent, webhook.counted_from),
            read_at=webhook.counted_from,
        )
        async with self._means.database.begin() as session:
            await registry.begin(session, [place])

    async def _read(self, place: WebhookPlaceRow, subjects: tuple[str, ...], extent: Extent, room: int) -> None:
        reader, now, after = self._means.reader, self._means.clock(), place.position
        if after > extent.last:  # the stream was laid anew, or brought back from a back-up: what came since is news
            after = await reader.before(place.stream, extent, place.read_at - _SKEW)
        until = extent.last if place.until is None else min(extent.last, place.until)
        limit = room if place.remaining is None else min(room, place.remaining)
        passage = await reader.read(Wanted(place.stream, subjects, after, until, limit))
        is_through = place.until is not None and passage.position >= until
        step = Advance(place.until or 0 if is_through else passage.position, len(passage.found), now)
        async with self._means.database.begin() as session:
            if await registry.advance(session, place, step):
                await delivery_log.add(session, place, [_row_of(message) for message in passage.found], now)

    async def _send(
        self, webhook: WebhookRow, row: WebhookDeliveryRow, secrets: Sequence[str]
    ) -> AttemptOutcome | None:
        """None: nothing was tried, as NATS is away; that is no fault of the receiver's."""
        try:
            message = await self._means.reader.at(row.stream, row.sequence)
        except (BrokerUnavailable, ApiRefused):
            return None
        if message is None:
            return AttemptOutcome(
                row, WebhookAnswer(None, 0, error="The event is no longer on its stream"), is_final=True
            )
        try:
            event_id, body = payload_of(message)
        except ValueError as error:
            return AttemptOutcome(
                row, WebhookAnswer(None, 0, error=f"The event cannot be read: {error}"[:300]), is_final=True
            )
        exchange = await self.attempt(webhook.url, secrets, event_id, body)
        self._means.figures.attempted(verdict_of(exchange.status), exchange.latency_ms)
        return AttemptOutcome(row, exchange)

    async def attempt(self, url: str, secrets: Sequence[str], message_id: str, body: bytes) -> WebhookAnswer:
        """One POST, signed as of now."""
        headers = signed_headers(secrets, message_id, self._means.clock(), body)
        return await self._means.client.post(url, {**headers, "content-type": CONTENT_TYPE}, body)

    async def _settle(self, webhook: WebhookRow, outcomes: Sequence[AttemptOutcome]) -> None:
        now = self._means.clock()
        results = [self._result(outcome, now) for outcome in outcomes]
        changes = _changes(webhook, outcomes, now)
        async with self._means.database.begin() as session:
            await delivery_log.settle(session, webhook.webhook_id, results)
            if webhook.failing_since is not None and "delivered_at" in changes:
                await delivery_log.hasten(session, webhook.webhook_id, now)
            await registry.change(session, webhook.webhook_id, changes)
        if any(verdict_of(outcome.exchange.status) is Reception.GONE for outcome in outcomes):
            await self._switch_off(webhook, "It answered 410 Gone")
        elif is_given_up(changes["failing_since"], now, self._means.patience):
            hours = self._means.patience.total_seconds() / 3600
            await self._switch_off(webhook, f"It has answered nothing well for {hours:g} hours")

    def _result(self, outcome: AttemptOutcome, now: datetime) -> Result:
        row, exchange = outcome.row, outcome.exchange
        assert row.delivery_id is not None
        attempts, state = row.attempts + 1, DeliveryState.DELIVERED
        again = None
        if verdict_of(exchange.status) is not Reception.DELIVERED:
            wish = wish_of(exchange.retry_after, now)
            again = None if outcome.is_final else next_attempt(attempts, now, self._means.dice(), wish)
            state = DeliveryState.FAILED if again is None else DeliveryState.WAITING
        told = (exchange.status, exchange.latency_ms, exchange.answer, exchange.error)
        return Result(row.delivery_id, attempts, state, again, now, *told)

    async def _switch_off(self, webhook: WebhookRow, reason: str) -> None:
        log.warning("webhook.disabled", webhook_id=webhook.webhook_id, reason=reason)
        async with self._means.database.begin() as session:
            await registry.change(session, webhook.webhook_id, {"is_enabled": False, "off_reason": reason})


def _impossible(row: WebhookDeliveryRow, why: str) -> AttemptOutcome:
    return AttemptOutcome(row, WebhookAnswer(None, 0, error=why[:300]), is_final=True)


def _is_behind(place: WebhookPlaceRow, extent: Extent) -> bool:
    return place.purpose == Purpose.REPLAY or place.position != extent.last


def _row_of(message: Received) -> dict[str, Any]:
    return {
        "sequence": message.sequence,
        "event_id": message.headers.get("ce-id", ""),
        "event_type": message.subject.rpartition(".")[0],
    }


def _changes(webhook: WebhookRow, outcomes: Sequence[AttemptOutcome], now: datetime) -> dict[str, Any]:
    """What is known of the receiver after these. One that answered one of them well is there."""
    asked = [outcome.exchange for outcome in outcomes if not outcome.is_final]
    if any(verdict_of(exchange.status) is Reception.DELIVERED for exchange in asked):
        return {"failing_since": None, "paused_until": None, "delivered_at": now}
    if not asked:
        return {"failing_since": webhook.failing_since}
    wishes = [wish for exchange in asked if (wish := wish_of(exchange.retry_after, now))]
    paused = now + timedelta(seconds=max(wishes)) if wishes else None
    return {"failing_since": webhook.failing_since or now, "paused_until": paused}
