"""Sources: who may send captures."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, Field, StrictBool
from starlette.requests import Request as HttpRequest
from starlette.responses import StreamingResponse

from chassis.errors import Conflict, NotFound, Unavailable
from chassis.store.session import Session
from chassis.web.auth import require
from chassis.web.cursors import not_a_cursor
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write, runtime_of
from contracts.ids import derive_id
from contracts.rates import ORIGINS
from contracts.values import SourceKind
from gateway import store
from gateway.admin.access import (
    KEEPERS,
    WATCHERS,
    AdminRequest,
    AdminView,
    ApiCaller,
    Cursor,
    Limit,
    Name,
    State,
    next_cursor,
)
from gateway.directory import clean_prefix
from gateway.domain.keys import ENTROPY_BYTES, MIN_GIVEN_KEY, WRITE_KEY_PREFIX, hash_of, hint_of, key_from
from gateway.domain.origins import WRITTEN, clean_origin
from gateway.domain.refusal import RejectKind
from gateway.store import KeyTaken, SourceRow
from people_kernel.api.pages import from_id_cursor

router = APIRouter(tags=["sources"])

Prefix = Annotated[str, Field(max_length=100, pattern=r"^/?[A-Za-z0-9][A-Za-z0-9_\-/]*$", examples=["/capture"])]
GivenKey = Annotated[
    str, Field(min_length=MIN_GIVEN_KEY, max_length=200, pattern=r"^[\x21-\x39\x3b-\x7e]+$", examples=["wk_6f1d2a0c9b"])
]


PropertyPath = Annotated[str, Field(max_length=256, pattern=r"^properties\.[^\x00]+$")]
TraitName = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
PropertyMapping = Annotated[
    dict[PropertyPath, TraitName],
    Field(
        max_length=50,
        description="Property of track events -> trait of the person; else properties are not about the person",
        examples=[{"properties.budget": "budget"}],
    ),
]


Origin = Annotated[
    str,
    Field(max_length=300, pattern=WRITTEN, examples=["https://www.acme.test", "https://*.acme.test"]),
    AfterValidator(clean_origin),
]
Origins = Annotated[
    list[Origin],
    Field(
        max_length=ORIGINS,
        description="web: pages that may use the key, as https://www.acme.test, or https://*.acme.test for all hosts"
        " below; empty: any. A request that names no page is refused then, except a form's",
    ),
]
EventsAMinute = Annotated[
    int,
    Field(
        ge=0,
        le=100_000_000,
        strict=True,
        description="Beyond so many the source is answered 429; 0: not counted. Left out, it is as the gateway's"
        " settings have it for the kind",
    ),
]


class SourceWish(AdminRequest):
    """A source to be made."""

    name: Name = Field(examples=["www.acme.test"])
    kind: SourceKind = Field(
        default=SourceKind.WEB,
        description="web: public key, identifiers are claims; server: secret key, identifiers are vouched for",
    )
    write_key: GivenKey | None = Field(
        default=None, description="Bring your own key, as when SDKs are already configured; else one is made"
    )
    prefixes: list[Prefix] = Field(default=[], max_length=10, description="Paths that may precede /v1")
    is_test: StrictBool = Field(default=False, description="Walks the whole flow, never reaches reports")
    mapping: PropertyMapping = Field(default={})
    origins: Origins = Field(default=[])
    events_a_minute: EventsAMinute | None = None


class SourceChange(AdminRequest):
    """What is to be different; what is left out stays."""

    name: Name | None = None
    prefixes: list[Prefix] | None = Field(default=None, max_length=10)
    is_test: StrictBool | None = None
    is_enabled: StrictBool | None = Field(default=None, description="A source that is switched off answers 401")
    mapping: PropertyMapping | None = None
    origins: Origins | None = None
    events_a_minute: EventsAMinute | None = None


class SourceView(AdminView):
    """A source; its key is shown by its end only."""

    source_id: str = Field(examples=["src_01M80JJ5Y0W1TJ1R02BCAFQ80A"])
    name: str
    kind: SourceKind
    write_key_hint: str = Field(examples=["...ceqt"])
    prefixes: list[str]
    is_test: bool
    is_enabled: bool
    created_at: datetime
    mapping: dict[str, str] | None = None
    origins: list[str] | None = Field(default=None, description="Pages that may use the key; none: any")
    events_a_minute: int | None = Field(default=None, description="null: as the settings have it for the kind")


class NewSourceView(SourceView):
    """A source just made; the only answer that holds its key."""

    write_key: str


class SourcePage(AdminView):
    """Sources in the order they were made."""

    items: list[SourceView]
    next_cursor: str | None


class RejectView(AdminView):
    """Something a source sent that was not taken, or a form in which nobody was found."""

    reject_id: int
    kind: RejectKind = Field(description="unrecognized: it was taken, and nobody was found in it")
    form_id: str | None = None
    is_kept_whole: bool = Field(
        default=False, description="POST /v1/forms/{form_id}/rejects/{reject_id}:replay reads it again"
    )
    replayed_at: datetime | None = None
    at: datetime
    field: str
    reason: str
    excerpt: str = Field(description="How it began")


class RejectPage(AdminView):
    """Rejects, newest first."""

    items: list[RejectView]
    next_cursor: str | None


class SourceNotFound(NotFound):
    """No source has this id."""

    slug = "source-not-found"


class WriteKeyTaken(Conflict):
    """Another source has this write key."""

    slug = "write-key-taken"


@router.post("/v1/sources", status_code=201, responses=problem_responses(401, 403, 409))
async def create_source(wish: SourceWish, context: Write, caller: ApiCaller) -> NewSourceView:
    """Make a source. Its write key is told once, here."""
    require(caller, *KEEPERS)
    write_key = wish.write_key or key_from(WRITE_KEY_PREFIX, secrets.token_bytes(ENTROPY_BYTES))
    row = new_source(wish, write_key, context.now)
    try:
        await store.add(context.session, row)
    except KeyTaken:
        raise WriteKeyTaken(
            "Another source has this write key", field="body.write_key", remedy="Leave it out, and one is made"
        ) from None
    return NewSourceView(**SourceView.model_validate(row).model_dump(), write_key=write_key)


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
    )


@router.get("/v1/sources", responses=problem_responses(401, 403))
async def list_sources(reading: Read, caller: ApiCaller, cursor: Cursor = None, limit: Limit = 50) -> SourcePage:
    """All sources."""
    require(caller, *WATCHERS)
    rows = await store.page_of(reading.session, SourceRow, "source_id", from_id_cursor(cursor), limit)
    return SourcePage(
        items=[SourceView.model_validate(row) for row in rows], next_cursor=next_cursor(rows, limit, "source_id")
    )


@router.get("/v1/sources/{source_id}", responses=problem_responses(401, 403, 404))
async def read_source(source_id: str, reading: Read, caller: ApiCaller) -> SourceView:
    """One source."""
    require(caller, *WATCHERS)
    return SourceView.model_validate(await _found(reading.session, source_id))


@router.patch("/v1/sources/{source_id}", responses=problem_responses(401, 403, 404))
async def change_source(source_id: str, change: SourceChange, context: Write, caller: ApiCaller) -> SourceView:
    """Rename a source, switch it off or on, or change its prefixes, mapping, pages or limit."""
    require(caller, *KEEPERS)
    row = await _found(context.session, source_id)
    for name, value in change.model_dump(exclude_none=True).items():
        setattr(row, name, sorted({clean_prefix(prefix) for prefix in value}) if name == "prefixes" else value)
    await store.change(context.session, row)
    return SourceView.model_validate(row)


async def _wanted(
    source_id: str,
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
    await _found(reading.session, wanted.source_id)
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
async def tail_source(source_id: str, request: HttpRequest, caller: ApiCaller, state: State) -> StreamingResponse:
    """Watch a source live: server-sent events, for as long as you listen."""
    require(caller, *WATCHERS)
    runtime = runtime_of(request)
    async with runtime.reading() as reading:
        await _found(reading.session, source_id)
    if not runtime.broker.is_connected:
        raise Unavailable("There is nothing to be watched while NATS is away")

    async def events() -> Any:
        async with state.tails.watching(source_id) as tail:
            async for event in tail.events():
                yield event

    return StreamingResponse(
        events(), media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


async def _found(session: Session, source_id: str) -> SourceRow:
    row: SourceRow | None = await store.get(session, SourceRow, source_id)
    if row is None:
        raise SourceNotFound("There is no such source", field="path.source_id")
    return row
