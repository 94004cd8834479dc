"""`/v1/webhooks`: who is told of which events, for operators and administrators."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Response

from chassis.errors import BadInput, Conflict, NotFound
from chassis.store.session import Session
from chassis.web.auth import require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write
from contracts.ids import derive_id
from gateway import store
from gateway.admin.access import KEEPERS, ApiCaller, Cursor, Limit, State, next_cursor
from gateway.domain.webhooks.addresses import Guard, fault_of_url
from gateway.domain.webhooks.event_types import guess, is_known, subjects_of
from gateway.domain.webhooks.limits import WEBHOOKS
from gateway.domain.webhooks.signature import SECRET_BYTES, KeptSecret, in_force, rotated, secret_from
from gateway.webhooks import delivery_log, registry
from gateway.webhooks.tables import WebhookRow
from gateway.webhooks.views import (
    EnablingWish,
    NewWebhookView,
    WebhookChange,
    WebhookId,
    WebhookPage,
    WebhookRotation,
    WebhookView,
    WebhookWish,
    view_of,
)
from people_kernel.api.pages import from_id_cursor

router = APIRouter(tags=["webhooks"])


class WebhookNotFound(NotFound):
    """No webhook has this id."""

    slug = "webhook-not-found"


class TooManyWebhooks(Conflict):
    """There are as many as there may be."""

    slug = "too-many-webhooks"


class WebhookIsOff(Conflict):
    """Nothing is sent to it now."""

    slug = "webhook-is-off"


@router.post("/v1/webhooks", status_code=201, responses=problem_responses(401, 403, 409))
async def create_webhook(wish: WebhookWish, context: Write, caller: ApiCaller, state: State) -> NewWebhookView:
    """Have events sent to a URL, from now on. The secret that signs them is told once, here."""
    require(caller, *KEEPERS)
    _check(state.webhooks.guard, wish.url, wish.types)
    if await registry.count(context.session) >= WEBHOOKS:
        raise TooManyWebhooks(f"There are {WEBHOOKS} webhooks", remedy="Remove one that nobody needs (DELETE)")
    secret, now = secret_from(secrets.token_bytes(SECRET_BYTES)), context.now
    webhook_id = derive_id("whk", now, caller.subject, secrets.token_hex(8))
    row = WebhookRow(
        webhook_id=webhook_id,
        **wish.model_dump(),
        secrets=[KeptSecret(state.webhooks.seal.seal(secret, webhook_id)).row()],
        created_by=caller.subject,
        created_at=now,
        counted_from=now,
    )
    await store.add(context.session, row)
    return NewWebhookView(**_view(row, now).model_dump(), secret=secret)


@router.get("/v1/webhooks", responses=problem_responses(401, 403))
async def list_webhooks(reading: Read, caller: ApiCaller, cursor: Cursor = None, limit: Limit = 50) -> WebhookPage:
    """All webhooks, with how each is doing."""
    require(caller, *KEEPERS)
    rows = await store.page_of(reading.session, WebhookRow, "webhook_id", from_id_cursor(cursor), limit)
    items = [_view(row, reading.now) for row in rows]
    return WebhookPage(items=items, next_cursor=next_cursor(rows, limit, "webhook_id"))


@router.get("/v1/webhooks/{webhook_id}", responses=problem_responses(401, 403, 404))
async def read_webhook(webhook_id: WebhookId, reading: Read, caller: ApiCaller) -> WebhookView:
    """One webhook, with how it is doing."""
    require(caller, *KEEPERS)
    return _view(await found(reading.session, webhook_id), reading.now)


@router.patch("/v1/webhooks/{webhook_id}", responses=problem_responses(401, 403, 404))
async def change_webhook(
    webhook_id: WebhookId, change: WebhookChange, context: Write, caller: ApiCaller, state: State
) -> WebhookView:
    """Send elsewhere, send other events, or switch it off or on. What waits already is sent all the same."""
    require(caller, *KEEPERS)
    row = await found(context.session, webhook_id)
    values = change.model_dump(exclude_none=True)
    _check(state.webhooks.guard, values.get("url"), values.get("types"))
    if "types" in values:
        gone = sorted(subjects_of(row.types).keys() - subjects_of(values["types"]).keys())
        await registry.forget_places(context.session, webhook_id, gone)
        values["counted_from"] = context.now  # a stream that is read from now on begins now
    if "is_enabled" in values:
        values |= _OFF if not values["is_enabled"] else _FRESH
    await registry.change(context.session, webhook_id, values)
    return _view(await found(context.session, webhook_id), context.now)


@router.delete(
    "/v1/webhooks/{webhook_id}", status_code=204, response_class=Response, responses=problem_responses(401, 403, 404)
)
async def remove_webhook(webhook_id: WebhookId, context: Write, caller: ApiCaller) -> None:
    """Send it nothing more, and forget its deliveries."""
    require(caller, *KEEPERS)
    await found(context.session, webhook_id)
    await registry.remove(context.session, webhook_id)


@router.post("/v1/webhooks/{webhook_id}:rotate", responses=problem_responses(401, 403, 404))
async def rotate_secret(
    webhook_id: WebhookId, wish: WebhookRotation, context: Write, caller: ApiCaller, state: State
) -> NewWebhookView:
    """A new secret, told once, here. The old one signs beside it for a while, so that receivers can change over."""
    require(caller, *KEEPERS)
    row, now = await found(context.session, webhook_id), context.now
    secret = secret_from(secrets.token_bytes(SECRET_BYTES))
    sealed, until = state.webhooks.seal.seal(secret, webhook_id), now + timedelta(hours=wish.overlap_hours)
    row.secrets = [one.row() for one in rotated(_kept(row), sealed, now, until)]
    await registry.change(context.session, webhook_id, {"secrets": row.secrets})
    return NewWebhookView(**_view(row, now).model_dump(), secret=secret)


@router.post("/v1/webhooks/{webhook_id}:enable", responses=problem_responses(401, 403, 404))
async def enable_webhook(webhook_id: WebhookId, wish: EnablingWish, context: Write, caller: ApiCaller) -> WebhookView:
    """Switch it on again: it goes on where it was, and what waits is sent at once."""
    require(caller, *KEEPERS)
    row = await found(context.session, webhook_id)
    values: dict[str, Any] = {"is_enabled": True, **_FRESH}
    if wish.skip_missed:
        await registry.forget_places(context.session, webhook_id, sorted(subjects_of(row.types)))
        await delivery_log.skip(context.session, webhook_id, "Skipped when the webhook was switched on again")
        values["counted_from"] = context.now
    await delivery_log.hasten(context.session, webhook_id, context.now)
    await registry.change(context.session, webhook_id, values)
    return _view(await found(context.session, webhook_id), context.now)


async def found(session: Session, webhook_id: str) -> WebhookRow:
    """The webhook of this id. Raises WebhookNotFound."""
    row: WebhookRow | None = await store.get(session, WebhookRow, webhook_id)
    if row is None:
        raise WebhookNotFound("There is no such webhook", field="path.webhook_id", remedy="GET /v1/webhooks lists them")
    return row


_OFF: dict[str, Any] = {"off_reason": None}
_FRESH: dict[str, Any] = {"off_reason": None, "failing_since": None, "paused_until": None}


def _check(guard: Guard, url: str | None, types: list[str] | None) -> None:
    """Raises BadInput for a URL that nothing may be sent to, and for a pattern that no event matches."""
    if url is not None and (fault := fault_of_url(url, guard)) is not None:
        raise BadInput(fault.says, field="body.url", remedy=fault.remedy)
    for place, pattern in enumerate(types or ()):
        if not is_known(pattern):
            near = guess(pattern)
            remedy = f"Did you mean {near}?" if near else "docs/webhooks.md lists the events there are"
            raise BadInput(f"No event is called {pattern}", field=f"body.types.{place}", remedy=remedy)


def _kept(row: WebhookRow) -> list[KeptSecret]:
    return [KeptSecret.of_row(one) for one in row.secrets]


def _view(row: WebhookRow, now: datetime) -> WebhookView:
    return view_of(row, len(in_force(_kept(row), now)))
