"""API keys: people and tools, and what they may do."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from chassis.errors import NotFound
from chassis.web.auth import require
from chassis.web.problems import problem_responses
from chassis.web.routes import Read, Write
from contracts.ids import derive_id
from gateway import store
from gateway.admin.access import AdminRequest, AdminView, ApiCaller, Cursor, Limit, Name, next_cursor
from gateway.domain.keys import API_KEY_PREFIX, ENTROPY_BYTES, hash_of, hint_of, key_from
from gateway.store import ApiKeyRow
from people_kernel.api.pages import from_id_cursor

router = APIRouter(tags=["keys"])


class Role(StrEnum):
    """What a caller may be."""

    MARKETING = "marketing"
    SALES = "sales"
    MANAGER = "manager"
    AGENT = "agent"  # call centre, chat
    OPS = "ops"
    ADMIN = "admin"


# a part of a subject
RepId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]{1,64}$", examples=["rep_51NFZWSYTYHZGXQPZ2RTZ8R8JX"])]
Short = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class KeyWish(AdminRequest):
    """A key to be made."""

    subject: Name = Field(
        description="Whose key it is; recorded with every change they make", examples=["dana@acme.test"]
    )
    roles: list[Role] = Field(min_length=1, max_length=len(Role))
    rep_id: RepId | None = Field(default=None, description="The rep this caller is, for sales")
    teams: list[Short] = Field(default=[], max_length=50)


class KeyView(AdminView):
    """A key, shown by its end only."""

    key_id: str
    hint: str
    subject: str
    roles: list[Role]
    rep_id: str | None
    teams: list[str]
    is_revoked: bool
    created_at: datetime


class NewKeyView(KeyView):
    """A key just made; the only answer that holds it."""

    api_key: str


class KeyPage(AdminView):
    """Keys in the order they were made."""

    items: list[KeyView]
    next_cursor: str | None


class KeyNotFound(NotFound):
    """No key has this id."""

    slug = "key-not-found"


@router.post("/v1/keys", status_code=201, responses=problem_responses(401, 403))
async def create_key(wish: KeyWish, context: Write, caller: ApiCaller) -> NewKeyView:
    """Make an API key. It is told once, here."""
    require(caller, Role.ADMIN)
    key = key_from(API_KEY_PREFIX, secrets.token_bytes(ENTROPY_BYTES))
    row = new_key(wish, key, context.now)
    await store.add(context.session, row)
    return NewKeyView(**KeyView.model_validate(row).model_dump(), api_key=key)


def new_key(wish: KeyWish, key: str, now: datetime) -> ApiKeyRow:
    """The row of a new key."""
    hashed = hash_of(key)
    return ApiKeyRow(
        key_id=derive_id("key", now, hashed),
        key_hash=hashed,
        hint=hint_of(key),
        subject=wish.subject,
        roles=sorted({role.value for role in wish.roles}),
        rep_id=wish.rep_id,
        teams=sorted(set(wish.teams)),
        is_revoked=False,
        created_at=now,
    )


@router.get("/v1/keys", responses=problem_responses(401, 403))
async def list_keys(reading: Read, caller: ApiCaller, cursor: Cursor = None, limit: Limit = 50) -> KeyPage:
    """All keys, revoked ones too."""
    require(caller, Role.ADMIN)
    rows = await store.page_of(reading.session, ApiKeyRow, "key_id", from_id_cursor(cursor), limit)
    return KeyPage(items=[KeyView.model_validate(row) for row in rows], next_cursor=next_cursor(rows, limit, "key_id"))


@router.delete(
    "/v1/keys/{key_id}", status_code=204, response_class=Response, responses=problem_responses(401, 403, 404)
)
async def revoke_key(key_id: str, context: Write, caller: ApiCaller) -> None:
    """Revoke a key: at once here, within seconds at other replicas."""
    require(caller, Role.ADMIN)
    row = await store.get(context.session, ApiKeyRow, key_id)
    if row is None:
        raise KeyNotFound("There is no such key", field="path.key_id")
    row.is_revoked = True
    await store.change(context.session, row)
