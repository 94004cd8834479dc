"""What was sent to a webhook: the log, a sample, one event again, or all since a moment."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request

from chassis.bus.errors import BrokerUnavailable
from chassis.errors import BadInput, NotFound, Unavailable
from chassis.web.auth import require
from chassis.web.cursors import not_a_cursor
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write, runtime_of
from contracts.events.catalogue import EVENTS
from contracts.ids import derive_id
from gateway.admin.access import KEEPERS, ApiCaller, Cursor, Limit, State, next_cursor
from gateway.domain.webhooks.backoff import Reception, verdict_of
from gateway.domain.webhooks.event_types import matches, subjects_of
from gateway.domain.webhooks.limits import WEBHOOK_REPLAY
from gateway.domain.webhooks.payload import place_of, sample_of
from gateway.webhooks import delivery_log, registry
from gateway.webhooks.delivery_log import DeliveryFilter
from gateway.webhooks.routes import WebhookIsOff, found
from gateway.webhooks.seal import SecretUnreadable
from gateway.webhooks.stream_reader import Extent, StreamReader
from gateway.webhooks.tables import DeliveryState, Purpose, WebhookPlaceRow, WebhookRow
from gateway.webhooks.views import (
    DeliveryPage,
    DeliveryView,
    ReplayedStream,
    ReplayWish,
    TestResultView,
    TestWish,
    WebhookId,
    WebhookReplayView,
    delivery_view_of,
)
from people_kernel.api.pages import from_id_cursor

router = APIRouter(tags=["webhooks"])

DeliveryId = Annotated[int, Path(ge=1, le=2**62, description="Of GET /v1/webhooks/{webhook_id}/deliveries")]


class DeliveryNotFound(NotFound):
    """This webhook has no such delivery, or it is older than the log."""

    slug = "delivery-not-found"


@router.post("/v1/webhooks/{webhook_id}:test", responses=problem_responses(401, 403, 404, 409))
async def send_sample(
    webhook_id: WebhookId, wish: TestWish, request: Request, caller: ApiCaller, state: State
) -> TestResultView:
    """Send an example of an event now, signed as all are and marked `sample`, and answer what the receiver says."""
    require(caller, *KEEPERS)
    runtime = runtime_of(request)
    async with runtime.reading() as reading:
        row = await found(reading.session, webhook_id)
    event_type, now = _sampled(row, wish.event_type), runtime.clock()
    event_id = derive_id("evt", now, "sample", webhook_id, secrets.token_hex(8))
    sender = state.webhooks.sender
    try:
        signing = sender.secrets_of(row, now)
    except SecretUnreadable as error:
        raise WebhookIsOff(f"Its secret cannot be read: {error}", remedy="Make a new one with :rotate") from None
    exchange = await sender.attempt(row.url, signing, event_id, sample_of(event_type, event_id))
    is_delivered = verdict_of(exchange.status) is Reception.DELIVERED
    told = {name: getattr(exchange, name) for name in ("status", "latency_ms", "answer", "error")}
    return TestResultView(event_id=event_id, event_type=event_type, is_delivered=is_delivered, **told)


async def _wanted(
    webhook_id: WebhookId,
    cursor: Cursor = None,
    state: Annotated[DeliveryState | None, Query(description="Only those in this state")] = None,
) -> DeliveryFilter:
    place = from_id_cursor(cursor)
    if place is not None and not (place.isascii() and place.isdigit() and len(place) < 19):
        raise not_a_cursor()
    return DeliveryFilter(webhook_id, None if place is None else int(place), state)


@router.get("/v1/webhooks/{webhook_id}/deliveries", responses=problem_responses(401, 403, 404))
async def list_deliveries(
    reading: Read, caller: ApiCaller, wanted: Annotated[DeliveryFilter, Depends(_wanted)], limit: Limit = 50
) -> DeliveryPage:
    """What was sent and what came of it, newest first: all that waits, and of the rest the newest 1,000 of 30 days."""
    require(caller, *KEEPERS)
    await found(reading.session, wanted.webhook_id)
    rows = await delivery_log.page(reading.session, wanted, limit)
    return DeliveryPage(
        items=[delivery_view_of(row) for row in rows], next_cursor=next_cursor(rows, limit, "delivery_id")
    )


@router.post(
    "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}:retry", responses=problem_responses(401, 403, 404, 409)
)
async def retry_delivery(
    webhook_id: WebhookId, delivery_id: DeliveryId, context: Write, caller: ApiCaller
) -> DeliveryView:
    """Send one event again at once, under the id it had: also one that was delivered."""
    require(caller, *KEEPERS)
    _refuse_off(await found(context.session, webhook_id))
    if await delivery_log.get(context.session, webhook_id, delivery_id) is None:
        raise DeliveryNotFound("This webhook has no such delivery", field="path.delivery_id")
    await delivery_log.send_again(context.session, delivery_id, context.now)
    row = await delivery_log.get(context.session, webhook_id, delivery_id)
    assert row is not None
    return delivery_view_of(row)


@router.post("/v1/webhooks/{webhook_id}:replay", status_code=202, responses=problem_responses(401, 403, 404, 409, 503))
async def replay_events(
    webhook_id: WebhookId, wish: ReplayWish, request: Request, caller: ApiCaller, state: State
) -> WebhookReplayView:
    """Send again what stands on the streams since a moment, or behind an event, in the background and beside what is
    new. Events keep their ids. A replay that runs is replaced on the same streams.
    """
    require(caller, *KEEPERS)
    runtime = runtime_of(request)
    if (wish.since is None) == (wish.cursor is None):
        raise BadInput("Send since, or cursor", field="body.since", remedy="A moment, or the cursor of an event")
    async with runtime.reading() as reading:
        row = await found(reading.session, webhook_id)
        places = await registry.places(reading.session, webhook_id)
    _refuse_off(row)
    live = {place.stream: place.position for place in places if place.purpose == Purpose.LIVE}
    try:
        begun = await _begun(state.webhooks.reader, row, wish, live)
    except BrokerUnavailable:
        raise Unavailable("The streams cannot be read now") from None
    rows = [_replay_of(webhook_id, one, runtime.clock()) for one in begun]
    async with runtime.database.begin() as session:
        await registry.begin(session, rows)
    state.webhooks.wake()
    return WebhookReplayView(streams=begun)


def _sampled(row: WebhookRow, wished: str | None) -> str:
    names = [event.wire_name for event in EVENTS]
    if wished is None:
        return next(name for name in names if any(matches(pattern, name) for pattern in row.types))
    chosen = next((name for name in names if matches(wished, name)), None)
    if chosen is None:
        raise BadInput(f"No event is called {wished}", field="body.event_type", remedy="docs/webhooks.md lists them")
    return chosen


def _refuse_off(row: WebhookRow) -> None:
    if not row.is_enabled:
        raise WebhookIsOff("Nothing is sent to a webhook that is off", remedy="POST /v1/webhooks/{webhook_id}:enable")


async def _begun(
    reader: StreamReader, row: WebhookRow, wish: ReplayWish, live: Mapping[str, int]
) -> list[ReplayedStream]:
    """From where to where each stream is repeated; what the webhook has not reached yet comes anyhow."""
    streams = sorted(subjects_of(row.types))
    after: dict[str, int] = {}
    if wish.cursor is not None:
        stream, number = place_of(wish.cursor)
        if stream not in streams:
            raise BadInput("This webhook hears nothing of that stream", field="body.cursor", remedy="Send another")
        streams, after = [stream], {stream: number}
    extents = await reader.extents(streams)
    for stream in extents.keys() - after.keys() if wish.since is not None else ():
        after[stream] = await reader.before(stream, extents[stream], wish.since or row.created_at)
    found_places = [(stream, after[stream], _end(live.get(stream), extents[stream])) for stream in sorted(extents)]
    return [ReplayedStream(stream=name, after=first, until=last) for name, first, last in found_places if first < last]


def _end(position: int | None, extent: Extent) -> int:
    return extent.last if position is None else min(position, extent.last)


def _replay_of(webhook_id: str, one: ReplayedStream, now: datetime) -> WebhookPlaceRow:
    return WebhookPlaceRow(
        webhook_id=webhook_id,
        stream=one.stream,
        purpose=Purpose.REPLAY.value,
        position=one.after,
        read_at=now,
        until=one.until,
        remaining=WEBHOOK_REPLAY,
    )
