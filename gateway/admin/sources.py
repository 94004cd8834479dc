"""Sources: who may send captures."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from starlette.requests import Request as HttpRequest
from starlette.responses import StreamingResponse

from chassis.errors import BadInput, Conflict, NotFound, Unavailable
from chassis.store.session import Session, lock
from chassis.web.auth import require
from chassis.web.cursors import not_a_cursor
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write, runtime_of
from contracts.ids import derive_id
from contracts.values import SourceKind
from gateway import store
from gateway.admin.access import KEEPERS, WATCHERS, ApiCaller, Cursor, Limit, SourceId, State, next_cursor
from gateway.admin.rotation import check_expiry
from gateway.admin.source_views import (
    NewSourceView,
    RejectPage,
    RejectView,
    SourceChange,
    SourcePage,
    SourceView,
    SourceWish,
)
from gateway.directory import clean_prefix
from gateway.domain.key_life import state_of
from gateway.domain.keys import ENTROPY_BYTES, WRITE_KEY_PREFIX, hash_of, hint_of, key_from
from gateway.domain.refusal import RejectKind
from gateway.secret_index import life_of_source
from gateway.store import KeyTaken, SourceRow
from people_kernel.api.pages import from_id_cursor

router = APIRouter(tags=["sources"])


class SourceNotFound(NotFound):
    """No source has this id."""

    slug = "source-not-found"


class WriteKeyTaken(Conflict):
    """Another source has this write key."""

    slug = "write-key-taken"


class AppIdTaken(Conflict):
    """Another source has this app id."""

    slug = "app-id-taken"


@router.post("/v1/sources", status_code=201, responses=problem_responses(401, 403, 409))
async def create_source(wish: SourceWish, context: Write, caller: ApiCaller) -> NewSourceView:
    """Make a source. Its write key is told once, here."""
    require(caller, *KEEPERS)
    check_expiry(wish.expires_at, context.now)
    write_key = wish.write_key or key_from(WRITE_KEY_PREFIX, secrets.token_bytes(ENTROPY_BYTES))
    row = new_source(wish, write_key, context.now)
    await _check_app_ids(context.session, row)
    try:
        await store.add(context.session, row)
    except KeyTaken:
        raise WriteKeyTaken(
            "Another source has this write key", field="body.write_key", remedy="Leave it out, and one is made"
        ) from None
    return NewSourceView(**source_view(row, context.now).model_dump(), write_key=write_key)


def new_source(wish: SourceWish, write_key: str, now: datetime) -> SourceRow:
    """The row of a new source."""
    hashed = hash_of(write_key)
    return SourceRow(
        source_id=derive_id("src", now, hashed),
        name=wish.name,
        kind=wish.kind.value,
        write_key_hash=hashed,
        write_key_hint=hint_of(write_key),
        prefixes=sorted({clean_prefix(prefix) for prefix in wish.prefixes}),
        is_test=wish.is_test,
        is_enabled=True,
        created_at=now,
        mapping=wish.mapping,
        origins=list(dict.fromkeys(wish.origins)),
        events_a_minute=wish.events_a_minute,
        app_ids=wish.app_ids,
        expires_at=wish.expires_at,
    )


def source_view(row: SourceRow, now: datetime) -> SourceView:
    """A source as it stands."""
    told = row.model_dump(exclude={"write_key_hash", "previous_hash"})
    return SourceView.model_validate({**told, "key_state": state_of(life_of_source(row), now)})


@router.get("/v1/sources", responses=problem_responses(401, 403))
async def list_sources(reading: Read, caller: ApiCaller, cursor: Cursor = None, limit: Limit = 50) -> SourcePage:
    """All sources."""
    require(caller, *WATCHERS)
    rows = await store.page_of(reading.session, SourceRow, "source_id", from_id_cursor(cursor), limit)
    return SourcePage(
        items=[source_view(row, reading.now) for row in rows], next_cursor=next_cursor(rows, limit, "source_id")
    )


@router.get("/v1/sources/{source_id}", responses=problem_responses(401, 403, 404))
async def read_source(source_id: SourceId, reading: Read, caller: ApiCaller) -> SourceView:
    """One source."""
    require(caller, *WATCHERS)
    return source_view(await found_source(reading.session, source_id), reading.now)


@router.patch("/v1/sources/{source_id}", responses=problem_responses(401, 403, 404, 409))
async def change_source(source_id: SourceId, change: SourceChange, context: Write, caller: ApiCaller) -> SourceView:
    """Rename a source, switch it off or on, or change its prefixes, app ids, mapping, pages or limit."""
    require(caller, *KEEPERS)
    await lock(context.session, [source_id.replace("\x00", "")])  # nobody rotates its key meanwhile
    row = await found_source(context.session, source_id)
    for name, value in change.model_dump(exclude_none=True).items():
        setattr(row, name, sorted({clean_prefix(prefix) for prefix in value}) if name == "prefixes" else value)
    await _check_app_ids(context.session, row)
    await store.change(context.session, row)
    return source_view(row, context.now)


async def _wanted(
    source_id: SourceId,
    cursor: Cursor = None,
    kind: Annotated[RejectKind | None, Query(description="Only these")] = None,
) -> store.RejectFilter:
    place = from_id_cursor(cursor)
    if place is not None and not place.isdecimal():
        raise not_a_cursor()
    return store.RejectFilter(source_id, None if place is None else int(place), kind)


Wanted = Annotated[store.RejectFilter, Depends(_wanted)]


@router.get("/v1/sources/{source_id}/rejects", responses=problem_responses(401, 403, 404))
async def list_rejects(reading: Read, caller: ApiCaller, wanted: Wanted, limit: Limit = 50) -> RejectPage:
    """What this source sent and was not taken, or in which nobody was found, newest first."""
    require(caller, *WATCHERS)
    await found_source(reading.session, wanted.source_id)
    rows = await store.rejects_of(reading.session, wanted, limit)
    return RejectPage(
        items=[RejectView.model_validate(row) for row in rows], next_cursor=next_cursor(rows, limit, "reject_id")
    )


_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events `capture` and `reject`, as they happen", "content": {"text/event-stream": {}}}
}


@router.get(
    "/v1/sources/{source_id}/tail", response_class=Response, responses=_STREAM | problem_responses(401, 403, 404)
)
async def tail_source(source_id: SourceId, request: HttpRequest, caller: ApiCaller, state: State) -> StreamingResponse:
    """Watch a source live: server-sent events, for as long as you listen."""
    require(caller, *WATCHERS)
    runtime = runtime_of(request)
    async with runtime.reading() as reading:
        await found_source(reading.session, source_id)
    if not runtime.broker.is_connected:
        raise Unavailable("There is nothing to be watched while NATS is away")

    async def events() -> Any:
        async with state.tails.watching(source_id) as tail:
            async for event in tail.events():
                yield event

    return StreamingResponse(
        events(), media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


async def _check_app_ids(session: Session, row: SourceRow) -> None:
    """A public name must lead to one source, and to none whose word is believed."""
    if not row.app_ids:
        return
    if row.kind != SourceKind.WEB:
        remedy = "Make a source of kind web for the tracker, or send the write key as its appId"
        raise BadInput("App ids are for web sources: anybody can name one", field="body.app_ids", remedy=remedy)
    others = [other for other in await store.all_of(session, SourceRow) if other.source_id != row.source_id]
    if taken := sorted({name for other in others for name in other.app_ids or ()}.intersection(row.app_ids)):
        remedy = "Name another, or take it from that source first"
        raise AppIdTaken(f"Another source has the app id {taken[0]}", field="body.app_ids", remedy=remedy)


async def found_source(session: Session, source_id: str) -> SourceRow:
    """The source of this id. Raises SourceNotFound."""
    row: SourceRow | None = await store.get(session, SourceRow, source_id)
    if row is None:
        raise SourceNotFound("There is no such source", field="path.source_id")
    return row
